"""One training step: forward, backward, regularisation, clipping, optimizer and weight average."""

import copy
import dataclasses
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from aeviz.models import Autoencoder, Batch
from aeviz.models.bodies.strided import channels_last
from aeviz.runs import Resolved, TrainingConfig
from aeviz.training.distributed import ALONE, World
from aeviz.training.steps.optimizers import make_optimizer
from aeviz.training.steps.schedule import is_constant, rate_at


class _Losses(nn.Module):
    """The model's losses as `forward`, as torch.compile and DistributedDataParallel need it."""

    def __init__(self, model: Autoencoder) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        return self.model.losses(batch)


class Stepper:
    """A model with its optimizer and, if configured, an exponential moving average of its weights."""

    def __init__(
        self, model: Autoencoder, config: TrainingConfig, resolved: Resolved | None = None, world: World = ALONE
    ) -> None:
        self.model, self.config, self.world = model, config, world
        self.device = next(model.parameters()).device.type
        self.layout = torch.contiguous_format
        if resolved is not None and resolved.channels_last:
            self.layout = torch.channels_last
            model.to(memory_format=self.layout)
        self.reduced = resolved is not None and resolved.precision == "bfloat16"
        self.optimizer = make_optimizer(model.parameters(), config)
        self.averaged = Averaged(model, config.ema) if config.ema > 0 else None
        self.slowed = 1.0  # factor on the rate by plateau decay
        self.rate = config.learning_rate  # of the last step
        self._weights = [parameter for parameter in model.parameters() if parameter.dim() > 1]
        self._losses = _wrapped(model, resolved, world)

    @property
    def eval_model(self) -> Autoencoder:
        """The network used for validation, snapshots and saved weights: the averaged one if there is one."""
        return self.averaged.model if self.averaged is not None else self.model

    def step(self, batch: Batch, epoch: float) -> dict[str, Tensor]:
        """Train on a batch, `epoch` epochs into the training; return its loss terms. Never waits for the device."""
        self.prepare(epoch)
        return self.learn(batch)

    def prepare(self, epoch: float) -> None:
        """Update everything that depends on progress: the learning rate and warm-ups."""
        self.set_rate(epoch)
        self.model.advance(epoch)

    def learn(self, batch: Batch) -> dict[str, Tensor]:
        """Run forward, backward and the optimizer step; return the loss terms."""
        self.optimizer.zero_grad(set_to_none=True)
        terms = self.terms(batch)
        (terms["total"] * self._share(batch)).backward()
        self.apply_gradients()
        return {name: value.detach() for name, value in terms.items()}

    def terms(self, batch: Batch) -> dict[str, Tensor]:
        """Loss terms of a batch, in the resolved memory layout and precision."""
        if self.layout is torch.channels_last:
            batch = dataclasses.replace(batch, x=channels_last(batch.x))
        with torch.autocast(self.device, dtype=torch.bfloat16) if self.reduced else nullcontext():
            terms: dict[str, Tensor] = self._losses(batch)
        return terms

    def apply_gradients(self) -> None:
        """Regularise and clip the gradients, take the optimizer step, and update the weight average."""
        self._regularise_and_clip()
        self.optimizer.step()
        if self.averaged is not None:
            self.averaged.update(self.model)

    def set_rate(self, epoch: float) -> None:
        """Set the scheduled learning rate."""
        if is_constant(self.config) and self.slowed == 1.0 and self.rate == self.config.learning_rate:
            return
        self._take_rate(rate_at(self.config, epoch) * self.slowed)

    def _take_rate(self, rate: float) -> None:
        self.rate = rate
        for group in self.optimizer.param_groups:
            if isinstance(group["lr"], Tensor):  # on CUDA, where graphs read it
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate

    def set_config(self, config: TrainingConfig) -> None:
        """Use other settings from the next step on; the optimizer itself stays the same."""
        self.config = config
        for group in self.optimizer.param_groups:
            group["weight_decay"] = config.l2
        self._take_rate(config.learning_rate * self.slowed)

    def extra_state(self) -> dict[str, Tensor]:
        """Tensors of optimizer and weight average for a checkpoint."""
        state = {
            f"optimizer.{number}.{key}": value
            for number, values in self.optimizer.state_dict()["state"].items()
            for key, value in values.items()
            if isinstance(value, Tensor)
        }
        if self.averaged is not None:
            state |= {f"ema.{name}": value for name, value in self.averaged.model.state_dict().items()}
        return state

    def load_extra(self, optimizer: dict[str, Tensor], ema: dict[str, Tensor]) -> None:
        """Restore `extra_state`, with prefixes removed; missing parts start fresh."""
        parameters = list(self.model.parameters())
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in optimizer.items():
            number, key = name.split(".", 1)
            state.setdefault(int(number), {})[key] = _laid_out_as(parameters[int(number)], tensor)
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})
        self._fill_missing_momentum()
        if self.averaged is not None:
            self.averaged.model.load_state_dict(ema or self.model.state_dict())

    def inherit(self, before: "Stepper") -> None:
        """Take over the optimizer state of all parameters that a network change left as they were."""
        old = [(name.split(".", 1)[0], twin) for name, twin in before.model.named_parameters()]
        for name, parameter in self.model.named_parameters():
            half = name.split(".", 1)[0]
            place = next((i for i, (its, twin) in enumerate(old) if its == half and _is_equal(twin, parameter)), None)
            if place is not None:
                memory: dict[str, Any] = before.optimizer.state.get(old.pop(place)[1], {})
                self.optimizer.state[parameter] = {
                    key: value.clone() if isinstance(value, Tensor) else value for key, value in memory.items()
                }
        self._fill_missing_momentum()
        self.slowed = before.slowed

    def _fill_missing_momentum(self) -> None:
        """Zero-fill missing momentum buffers if others exist: the fused step needs all or none."""
        if any("momentum_buffer" in memory for memory in self.optimizer.state.values()):
            for parameter in self.model.parameters():
                self.optimizer.state[parameter].setdefault("momentum_buffer", torch.zeros_like(parameter))

    def _share(self, batch: Batch) -> float:
        """Weight of this process's mean loss, so that averaging over processes gives the mean over the batch."""
        if batch.part is None:
            return 1.0
        first, end, whole = batch.part
        return (end - first) * self.world.size / whole

    @torch.no_grad()
    def _regularise_and_clip(self) -> None:
        """Add the L1 gradient of the weights, then clip the gradient norm (Pascanu et al., ICML 2013)."""
        if self.config.l1 > 0:
            gradients = [weight.grad for weight in self._weights if weight.grad is not None]
            signs = torch._foreach_sign([weight for weight in self._weights if weight.grad is not None])
            torch._foreach_add_(gradients, signs, alpha=self.config.l1)
        if self.config.clip > 0:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip, foreach=True)


def _is_equal(old: Tensor, new: Tensor) -> bool:
    return old.shape == new.shape and torch.equal(old, new)


def _laid_out_as(parameter: Tensor, memory: Tensor) -> Tensor:
    """Optimizer state in its parameter's memory layout, which fused kernels assume."""
    return torch.empty_like(parameter).copy_(memory) if memory.shape == parameter.shape else memory


class Averaged:
    """Exponential moving average of a network's weights and buffers (Polyak & Juditsky 1992).

    torch's AveragedModel waits for the device at every step to check whether it is the first one.
    """

    def __init__(self, model: Autoencoder, decay: float) -> None:
        self.model = copy.deepcopy(model).requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, model: Autoencoder) -> None:
        """Move the average towards the model; integer buffers are copied."""
        mine, theirs = self.model.state_dict(), model.state_dict()
        floats = [name for name, value in theirs.items() if value.is_floating_point()]
        torch._foreach_lerp_([mine[name] for name in floats], [theirs[name] for name in floats], 1.0 - self.decay)
        for name in theirs.keys() - floats:
            mine[name].copy_(theirs[name])


def _wrapped(model: Autoencoder, resolved: Resolved | None, world: World) -> nn.Module:
    losses: nn.Module = _Losses(model)
    if resolved is not None and resolved.compile:
        losses.compile()
    if world.size > 1:
        device = next(model.parameters()).device
        cards = [device] if device.type == "cuda" else None
        if cards:  # batch norm over the whole batch; SyncBatchNorm supports CUDA only
            losses = nn.SyncBatchNorm.convert_sync_batchnorm(losses)
        losses = DistributedDataParallel(losses, device_ids=cards)
    return losses
