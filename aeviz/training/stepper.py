"""One step of a training: forward, backward, and what stands between the gradient and the weights."""

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from aeviz.models import Autoencoder, Batch
from aeviz.runs import Resolved, TrainingConfig
from aeviz.training.crew import ALONE, Crew
from aeviz.training.optim import OPTIMIZERS
from aeviz.training.schedule import is_constant, rate_at


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
        self, model: Autoencoder, config: TrainingConfig, resolved: Resolved | None = None, crew: Crew = ALONE
    ) -> None:
        self.model, self.config, self.crew = model, config, crew
        self.device = next(model.parameters()).device.type
        self.reduced = resolved is not None and resolved.precision == "bfloat16"
        self.optimizer = OPTIMIZERS[config.optimizer](model.parameters(), config)
        self.averaged = _averaged(model, config.ema) if config.ema > 0 else None
        self.slowed = 1.0  # by a plateau
        self._weights = [parameter for parameter in model.parameters() if parameter.dim() > 1]
        self._losses = _wrapped(model, resolved, crew)

    @property
    def judged(self) -> Autoencoder:
        """The network that validation, pictures and the kept weights show: the averaged one where there is one."""
        return cast(Autoencoder, self.averaged.module) if self.averaged is not None else self.model

    @property
    def rate(self) -> float:
        """The learning rate of the last step."""
        return float(self.optimizer.param_groups[0]["lr"])

    def step(self, batch: Batch, epoch: float) -> dict[str, Tensor]:
        """Learn from a batch, `epoch` epochs into the training; its terms. Nothing here waits for the device."""
        self.set_rate(epoch)
        self.model.advance(epoch)
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.reduced):
            terms = self._losses(batch)
        (terms["total"] * self._share(batch)).backward()
        self._temper()
        self.optimizer.step()
        if self.averaged is not None:
            self.averaged.update_parameters(self.model)
        return {name: value.detach() for name, value in terms.items()}

    def set_rate(self, epoch: float) -> None:
        """Take the rate of the schedule at this point."""
        if is_constant(self.config) and self.slowed == 1.0 and self.rate == self.config.learning_rate:
            return
        rate = rate_at(self.config, epoch) * self.slowed
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def turn(self, config: TrainingConfig) -> None:
        """Take other settings from the next step on, as far as the optimizer stays the same."""
        self.config = config
        for group in self.optimizer.param_groups:
            group["weight_decay"] = config.l2
            group["lr"] = config.learning_rate * self.slowed

    def extra_state(self) -> dict[str, Tensor]:
        """Tensors beyond the model's own that a checkpoint has to keep."""
        state = {
            f"optimizer.{number}.{key}": value
            for number, values in self.optimizer.state_dict()["state"].items()
            for key, value in values.items()
            if isinstance(value, Tensor)
        }
        if self.averaged is not None:
            state |= {f"ema.{name}": value for name, value in self.averaged.state_dict().items()}
        return state

    def load_extra(self, optimizer: dict[str, Tensor], ema: dict[str, Tensor]) -> None:
        """Put back what `extra_state` gave, without its prefixes; what is missing begins anew."""
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in optimizer.items():
            number, key = name.split(".", 1)
            state.setdefault(int(number), {})[key] = tensor
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})
        if self.averaged is not None and ema:
            self.averaged.load_state_dict(ema)
        elif self.averaged is not None:
            self.averaged.module.load_state_dict(self.model.state_dict())

    def inherit(self, before: "Stepper") -> None:
        """Keep the optimizer's memory of parameters that a changed network still has as they were."""
        old = dict(before.model.named_parameters())
        for name, parameter in self.model.named_parameters():
            twin = old.get(name)
            if twin is not None and twin.shape == parameter.shape and torch.equal(twin, parameter):
                memory: dict[str, Any] = before.optimizer.state.get(twin, {})
                self.optimizer.state[parameter] = {
                    key: value.clone() if isinstance(value, Tensor) else value for key, value in memory.items()
                }
        self.slowed = before.slowed

    def _share(self, batch: Batch) -> float:
        """What the mean over this process's share weighs in the mean over the batch, times the processes averaged."""
        if batch.part is None:
            return 1.0
        first, end, whole = batch.part
        return (end - first) * self.crew.size / whole

    @torch.no_grad()
    def _temper(self) -> None:
        """Penalise the weights' absolute values, then shorten a gradient that is too long (Pascanu et al. 2013)."""
        if self.config.l1 > 0:
            gradients = [weight.grad for weight in self._weights if weight.grad is not None]
            signs = torch._foreach_sign([weight for weight in self._weights if weight.grad is not None])
            torch._foreach_add_(gradients, signs, alpha=self.config.l1)
        if self.config.clip > 0:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip, foreach=True)


def _averaged(model: Autoencoder, decay: float) -> AveragedModel:
    """An exponential moving average of weights and buffers (Polyak & Juditsky 1992)."""
    return AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)


def _wrapped(model: Autoencoder, resolved: Resolved | None, crew: Crew) -> nn.Module:
    losses: nn.Module = _Losses(model)
    if resolved is not None and resolved.compile:
        losses.compile()
    if crew.size > 1:
        device = next(model.parameters()).device
        cards = [device] if device.type == "cuda" else None
        if cards:  # batch norm over the whole batch; its synchronised form knows no CPU
            losses = nn.SyncBatchNorm.convert_sync_batchnorm(losses)
        losses = DistributedDataParallel(losses, device_ids=cards)
    return losses
