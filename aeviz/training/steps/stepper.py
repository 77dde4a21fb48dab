"""One step of a training: forward, backward, and what stands between the gradient and the weights."""

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
    """The model's losses as a forward pass, which is what compilers and parallel wrappers know."""

    def __init__(self, model: Autoencoder) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        return self.model.losses(batch)


class Stepper:
    """A model with its optimizer and, if asked for, the running average of its weights."""

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
        self.slowed = 1.0  # by a plateau
        self.rate = config.learning_rate  # of the last step
        self._weights = [parameter for parameter in model.parameters() if parameter.dim() > 1]
        self._losses = _wrapped(model, resolved, world)

    @property
    def eval_model(self) -> Autoencoder:
        """The network that validation, pictures and the kept weights show: the averaged one where there is one."""
        return self.averaged.model if self.averaged is not None else self.model

    def step(self, batch: Batch, epoch: float) -> dict[str, Tensor]:
        """Learn from a batch, `epoch` epochs into the training; its terms. Nothing here waits for the device."""
        self.prepare(epoch)
        return self.learn(batch)

    def prepare(self, epoch: float) -> None:
        """Set what depends on how far the training is."""
        self.set_rate(epoch)
        self.model.advance(epoch)

    def learn(self, batch: Batch) -> dict[str, Tensor]:
        """Forward, backward, and a step of the optimizer; the terms of the loss."""
        self.optimizer.zero_grad(set_to_none=True)
        terms = self.terms(batch)
        (terms["total"] * self._share(batch)).backward()
        self.apply_gradients()
        return {name: value.detach() for name, value in terms.items()}

    def terms(self, batch: Batch) -> dict[str, Tensor]:
        """The terms of the loss of a batch, in the layout and precision chosen."""
        if self.layout is torch.channels_last:
            batch = dataclasses.replace(batch, x=channels_last(batch.x))
        with torch.autocast(self.device, dtype=torch.bfloat16) if self.reduced else nullcontext():
            terms: dict[str, Tensor] = self._losses(batch)
        return terms

    def apply_gradients(self) -> None:
        """Temper the gradients, take a step of the optimizer, and follow it with the average."""
        self._regularise_and_clip()
        self.optimizer.step()
        if self.averaged is not None:
            self.averaged.update(self.model)

    def set_rate(self, epoch: float) -> None:
        """Take the rate of the schedule at this point."""
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
        """Take other settings from the next step on, as far as the optimizer stays the same."""
        self.config = config
        for group in self.optimizer.param_groups:
            group["weight_decay"] = config.l2
        self._take_rate(config.learning_rate * self.slowed)

    def extra_state(self) -> dict[str, Tensor]:
        """Tensors beyond the model's own that a checkpoint has to keep."""
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
        """Put back what `extra_state` gave, without its prefixes; what is missing begins anew."""
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
        """Keep the optimizer's memory of parameters that a changed network still has as they were, wherever."""
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
        """Give parameters without momentum a zero one, where others have some: the fused step wants all or none."""
        if any("momentum_buffer" in memory for memory in self.optimizer.state.values()):
            for parameter in self.model.parameters():
                self.optimizer.state[parameter].setdefault("momentum_buffer", torch.zeros_like(parameter))

    def _share(self, batch: Batch) -> float:
        """What the mean over this process's share weighs in the mean over the batch, times the processes averaged."""
        if batch.part is None:
            return 1.0
        first, end, whole = batch.part
        return (end - first) * self.world.size / whole

    @torch.no_grad()
    def _regularise_and_clip(self) -> None:
        """Penalise the weights' absolute values, then shorten a gradient that is too long (Pascanu et al. 2013)."""
        if self.config.l1 > 0:
            gradients = [weight.grad for weight in self._weights if weight.grad is not None]
            signs = torch._foreach_sign([weight for weight in self._weights if weight.grad is not None])
            torch._foreach_add_(gradients, signs, alpha=self.config.l1)
        if self.config.clip > 0:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip, foreach=True)


def _is_equal(old: Tensor, new: Tensor) -> bool:
    return old.shape == new.shape and torch.equal(old, new)


def _laid_out_as(parameter: Tensor, memory: Tensor) -> Tensor:
    """What an optimizer remembers of a parameter in the parameter's own layout, which fused kernels take for granted."""
    return torch.empty_like(parameter).copy_(memory) if memory.shape == parameter.shape else memory


class Averaged:
    """The exponential moving average of a network's weights and buffers (Polyak & Juditsky 1992).

    torch's own AveragedModel asks the device at every step whether it is the first one.
    """

    def __init__(self, model: Autoencoder, decay: float) -> None:
        self.model = copy.deepcopy(model).requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, model: Autoencoder) -> None:
        """Move a little towards the model; counts are copied."""
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
        if cards:  # batch norm over the whole batch; its synchronised form knows no CPU
            losses = nn.SyncBatchNorm.convert_sync_batchnorm(losses)
        losses = DistributedDataParallel(losses, device_ids=cards)
    return losses
