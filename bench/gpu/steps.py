"""Steps on the card: against the processor's numbers, without waiting, and replayed from a graph against plain ones."""

import copy
import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from aeviz.models import VARIANTS, Autoencoder, Batch, build, fitted_to
from aeviz.runs import Resolved, TrainingConfig
from aeviz.runs.config import AugmentConfig
from aeviz.training.batches.augment import Augment
from aeviz.training.steps.cuda_graphs import CapturedStep
from aeviz.training.steps.optimizers import OPTIMIZERS
from aeviz.training.steps.stepper import Stepper
from bench.gpu.parts import Found, Setting, Work

BODIES: dict[str, dict[str, Any]] = {
    "dense": {"name": "dense", "widths": [64]},
    "conv": {"name": "conv", "channels": [8, 16], "norm": "batch"},
    "residual": {"name": "residual", "channels": [8, 16], "norm": "group"},
}
SHAPE, CLASSES, BATCH = (1, 28, 28), 10, 64
STEPS, REPLAYED, LEARNING = 4, 8, 40
NEAR = 2e-3  # the greatest relative difference of a loss from the processor's, after a few steps
ALIKE = 1e-4  # and of weights between replayed and plain steps
EVERYTHING = {"clip": 1.0, "ema": 0.9, "l1": 1e-5, "l2": 1e-5, "schedule": "cosine", "warmup": 0.5}
VARIED = AugmentConfig(flip_horizontal=True, shift=0.1, rotation=10.0, scale=0.1, brightness=0.1, contrast=0.1)


def works(setting: Setting) -> list[Work]:
    """Every variant and body, every optimizer, all that a training can be told, bfloat16."""
    names, bodies = (list(VARIANTS)[:3], ["dense"]) if setting.small else (list(VARIANTS), list(BODIES))
    both = [(name, body) for body in bodies for name in names]
    optimizers = ["adam", "momentum"] if setting.small else list(OPTIMIZERS)
    device = setting.device
    found: list[Work] = [
        (f"{name} {body}: as the processor", partial(beside_cpu, device, name, body)) for name, body in both
    ]
    found += [(f"{name} {body}: replayed", partial(replayed, device, name, body)) for name, body in both]
    found += [(f"{each}: replayed", partial(replayed, device, "vae", "dense", optimizer=each)) for each in optimizers]
    found += [
        ("everything on: replayed", partial(replayed, device, "beta_vae", "conv", varied=True, **EVERYTHING)),
        ("bfloat16: replayed", partial(replayed, device, "vae", "conv", precision="bfloat16")),
        ("bfloat16 dense: near float32", partial(rounded, device, "dense", setting.small)),
        ("bfloat16 conv: near float32", partial(rounded, device, "conv", setting.small)),
    ]
    return found


@dataclass(frozen=True)
class Drawn(Batch):
    """A batch whose random numbers are the host's, so that two devices see the same."""

    generator: torch.Generator | None = None

    def normal_like(self, value: Tensor) -> Tensor:
        return torch.randn(value.shape, generator=self.generator).to(value)

    def uniform_like(self, value: Tensor) -> Tensor:
        return torch.rand(value.shape, generator=self.generator).to(value)


def beside_cpu(device: str, name: str, body: str) -> Found:
    """Some steps on both, from the same weights; then one during which nothing may wait for the card."""
    config = TrainingConfig(optimizer="momentum", learning_rate=1e-3, clip=1.0)
    model = network(name, body)
    twin = copy.deepcopy(model).to(device)
    with exact():
        ours, theirs = (_followed(each, config) for each in (model, twin))
        stepper, batch = Stepper(twin, config), One(pictures(device)).whole
        stepper.step(batch, 0.0)
        with unwaiting(device):
            stepper.step(batch, 0.5)
    apart = max(_apart(a[term], b[term]) for a, b in zip(ours, theirs, strict=True) for term in a)
    return {"ok": apart < NEAR, "difference": apart}


def replayed(
    device: str, name: str, body: str, varied: bool = False, precision: str = "float32", **settings: Any
) -> Found:
    """As many steps plain and replayed, from the same weights and seed; one batch in between is smaller."""
    config = TrainingConfig(**{"learning_rate": 1e-3, **settings})
    resolved = Resolved(device=device, device_name="", threads=1, precision=precision)
    states: list[dict[str, Tensor]] = []
    with exact():
        for graphs in (False, True):
            model = network(name, body).to(device)
            stepper = Stepper(model, config, resolved)
            torch.manual_seed(1)
            _walk(stepper, pictures(device), varied, graphs)
            states.append({key: value.float() for key, value in stepper.eval_model.state_dict().items()})
    apart = max(float((states[1][key] - value).abs().max()) for key, value in states[0].items())
    return {"ok": apart < ALIKE, "difference": apart, "bitwise": apart == 0.0}


def rounded(device: str, body: str, small: bool) -> Found:
    """Losses after the same steps in both precisions: falling, and near each other."""
    ends, batch = {}, pictures(device, 32 if small else 512)
    for precision in ("float32", "bfloat16"):
        stepper = Stepper(
            network("autoencoder", body).to(device), TrainingConfig(learning_rate=5e-3),
            Resolved(device=device, device_name="", threads=1, precision=precision),
        )  # fmt: skip
        losses = [stepper.step(batch, 0.0)["total"] for _ in range(10 if small else LEARNING)]
        ends[precision] = float(losses[0]), float(losses[-1])
    apart = _apart(*(torch.tensor(end) for _, end in ends.values()))
    return {"ok": apart < 0.05 and ends["bfloat16"][1] < 0.98 * ends["bfloat16"][0], "difference": apart}


def network(name: str, body: str) -> Autoencoder:
    """The same fresh network at every call, in training."""
    torch.manual_seed(0)
    return build(fitted_to({"variant": name, "latent_dim": 8, "body": BODIES[body]}, SHAPE, CLASSES)).train()


def pictures(device: str, count: int = BATCH) -> Drawn:
    """The same batch at every call: soft random images, with labels."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(count, 1, 7, 7, generator=generator)
    x = torch.nn.functional.interpolate(coarse, SHAPE[1:], mode="bilinear").to(device)
    labels = torch.randint(0, CLASSES, (count,), generator=generator).to(device)
    return Drawn(x, x, labels, None, torch.Generator().manual_seed(2))


@contextmanager
def exact() -> Iterator[None]:
    """No TensorFloat-32, and the same kernels at every call."""
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
        yield


@contextmanager
def unwaiting(device: str) -> Iterator[None]:
    """Fail whatever makes the host wait for the card."""
    if not device.startswith("cuda"):
        yield
        return
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


class One:
    """A feed of one batch, with the device's own random numbers."""

    def __init__(self, batch: Batch) -> None:
        self.device = str(batch.x.device)
        self.whole = Batch(batch.x, batch.x, batch.labels)

    def batch(self, positions: Tensor) -> Batch:
        assert self.whole.labels is not None
        x = self.whole.x[positions]
        return Batch(x, x, self.whole.labels[positions])


def _walk(stepper: Stepper, batch: Batch, varied: bool, graphs: bool) -> None:
    feed, augment = One(batch), Augment(VARIED, SHAPE)

    def vary(each: Batch) -> Batch:
        x = augment(each.x) if varied else each.x
        return dataclasses.replace(each, x=x, target=x)

    captured = CapturedStep(stepper, feed, vary, BATCH)
    order = torch.randperm(BATCH, generator=torch.Generator().manual_seed(3)).to(feed.device)
    for step in range(REPLAYED):
        positions, epoch = (order[: BATCH // 2] if step == REPLAYED - 3 else order), step / REPLAYED
        if graphs:
            captured(positions, epoch)
        else:
            stepper.step(vary(feed.batch(positions)), epoch)


def _followed(model: Autoencoder, config: TrainingConfig) -> list[dict[str, Tensor]]:
    stepper, batch = Stepper(model, config), pictures(str(next(model.parameters()).device))
    take: Callable[[int], dict[str, Tensor]] = lambda step: stepper.step(batch, step / STEPS)  # noqa: E731
    return [{name: value.cpu() for name, value in take(step).items()} for step in range(STEPS)]


def _apart(a: Tensor, b: Tensor) -> float:
    return float((a - b).abs() / a.abs().clamp_min(1e-3))
