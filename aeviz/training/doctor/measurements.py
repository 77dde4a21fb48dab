"""Vitals of a network in training: gradient norms, variance of its codes, dead units."""

import math
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from aeviz.models import Autoencoder, Batch, Gaussian
from aeviz.models.base import mode
from aeviz.models.bodies.blocks import ACTIVATIONS

PROBES = 2000
CHUNK = 500  # probes at a time, so that activations stay in the CPU cache
ACTIVE_VARIANCE = 0.01  # of a code's mean, over images (Burda et al. 2016, section 4.2)
# A unit other than a ReLU is dead if its range over the probes is below this share of its layer's widest range.
CONSTANT = 0.01
ROUNDING = 1e-6  # ranges up to this count as zero
ACTIVATION_TYPES = tuple({type(make()) for make in ACTIVATIONS.values()})


def gradient_norms(model: nn.Module) -> dict[str, float | None]:
    """L2 norms of the current gradients, by layer (`encoder.0`) and in `total`; None if not finite.

    One transfer from the device for all layers together.
    """
    found = [(_layer(name), p.grad) for name, p in model.named_parameters() if p.grad is not None]
    if not found:
        return {"total": 0.0}
    norms = torch.stack(torch._foreach_norm([grad for _, grad in found])).tolist()
    squares: dict[str, float] = defaultdict(float)
    for (layer, _), norm in zip(found, norms, strict=True):
        squares[layer] += norm * norm
    squares["total"] = sum(squares.values())
    return {layer: rounded(math.sqrt(square)) for layer, square in squares.items()}


class Probes(Protocol):
    """Samples served by position, such as a `Feed` or the probes of a film."""

    device: str

    def __len__(self) -> int: ...
    def batch(self, positions: Tensor) -> Batch:
        """The probes as one batch."""


def measure(model: Autoencoder, probes: Probes | Batch) -> dict[str, Any]:
    """`variance` and `kl` by dimension, number of `active` dimensions, `dead` units by layer; see `observe`."""
    return observe(model, probes)[0]


@torch.inference_mode()
def observe(model: Autoencoder, probes: Probes | Batch) -> tuple[dict[str, Any], Tensor]:
    """The vitals of a network on up to 2,000 probes, and their codes (P, D).

    `variance` [D] is that of the codes (posterior means). `kl` [D] is in nats, None without a posterior.
    `active` counts the dimensions that vary with the image: Var_x E[z|x] > 0.01 (Burda et al., ICLR 2016,
    https://arxiv.org/abs/1509.00519); codes without a posterior have no fixed scale, so there the
    limit is 0.01 of the largest variance. `dead` is, by activation layer, the share of units (channels of a
    convolution) that never respond: a ReLU that is never above zero, any other unit that is practically constant.
    `mean_mse` is the error (per value) of always predicting the mean probe. Numbers that are not finite are None.
    """
    codes: list[Tensor] = []
    divergences: list[Tensor] = []
    spread = _RunningVariance()
    with _evaluating(model), _watched(model) as extremes:
        for batch in _chunks(probes):
            encoded = model.encode(batch.x, batch.labels)
            codes.append(mode(encoded).flatten(1).float())
            if isinstance(encoded, Gaussian):
                divergences.append(encoded.kl().float())
                encoded = encoded.sample(_noise(encoded.mu))  # as the decoder sees it in training
            model.decode(encoded, batch.labels)
            spread.add(batch.target)
    z = torch.cat(codes)  # (P, D)
    variance = z.var(0, correction=0)  # (P, D) -> (D,)
    kl = torch.cat(divergences).mean(0) if divergences else None
    limit = ACTIVE_VARIANCE if divergences else ACTIVE_VARIANCE * variance.amax()
    vitals = {
        "variance": [rounded(value) for value in variance.tolist()],
        "kl": None if kl is None else [rounded(value) for value in kl.tolist()],
        "active": int((variance > limit).sum()),
        "dead": _dead(model, extremes),
        "mean_mse": rounded(spread.variance()),
    }
    return vitals, z


def rounded(value: float) -> float | None:
    """A value rounded to four digits to keep metrics short; None if not finite, which JSON cannot hold."""
    return float(f"{value:.4g}") if math.isfinite(value) else None


def _layer(name: str) -> str:
    """The layer a parameter belongs to: `encoder.3` for `encoder.3.inner.0.weight`."""
    *modules, _ = name.split(".")
    return ".".join(modules[:2]) or name


def _chunks(probes: Probes | Batch) -> Iterator[Batch]:
    if isinstance(probes, Batch):
        n, device = len(probes.x), probes.x.device
    else:
        n, device = len(probes), torch.device(probes.device)
    for positions in torch.arange(min(PROBES, n), device=device).split(CHUNK):
        if isinstance(probes, Batch):
            labels = None if probes.labels is None else probes.labels[positions]
            yield Batch(probes.x[positions], probes.target[positions], labels)
        else:
            yield probes.batch(positions)


class _RunningVariance:
    """Variance of every value over samples added in chunks, averaged over the values."""

    def __init__(self) -> None:
        self.count = 0
        self.sums: Tensor | float = 0.0
        self.squares: Tensor | float = 0.0

    def add(self, target: Tensor) -> None:
        self.count += len(target)
        self.sums = self.sums + target.sum(0)
        self.squares = self.squares + target.square().mean(tuple(range(1, target.ndim))).sum()

    def variance(self) -> float:
        mean = torch.as_tensor(self.sums).cpu().double() / self.count
        return float(torch.as_tensor(self.squares).cpu().double() / self.count - mean.square().mean())


def _noise(value: Tensor) -> Tensor:
    """Fixed draws from N(0, 1), which leave the global generator alone."""
    generator = torch.Generator(value.device).manual_seed(0)
    return torch.randn(value.shape, generator=generator, device=value.device)


Extremes = dict[str, tuple[Tensor, Tensor]]


@contextmanager
def _watched(model: nn.Module) -> Iterator[Extremes]:
    """Track minimum and maximum response (U,) of all units, by activation layer, inside the context."""
    extremes: Extremes = {}

    def watch(name: str, module: nn.Module) -> Any:
        # A ReLU's minimum is of no use, so skip that pass over the data.
        ends = (Tensor.amax, Tensor.amax) if isinstance(module, nn.ReLU) else (Tensor.amin, Tensor.amax)

        def note(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            over = [axis for axis in range(output.ndim) if axis != 1]  # units or channels remain
            low, high = (end(output, over) for end in ends)
            if name in extremes:
                low, high = torch.minimum(low, extremes[name][0]), torch.maximum(high, extremes[name][1])
            extremes[name] = low, high

        return module.register_forward_hook(note)

    with ExitStack() as hooks:
        for name, module in model.named_modules():
            if isinstance(module, ACTIVATION_TYPES):
                hooks.callback(watch(name, module).remove)
        yield extremes


def _dead(model: nn.Module, extremes: Extremes) -> dict[str, float]:
    shares = []
    for name, (low, high) in extremes.items():
        if isinstance(model.get_submodule(name), nn.ReLU):
            dead = ~(high > 0)
        else:
            span = high - low
            dead = ~(span > (CONSTANT * span.amax()).clamp_min(ROUNDING))
        shares.append(dead.float().mean())
    values = torch.stack(shares).tolist() if shares else []  # one transfer
    return {name: round(value, 4) for name, value in zip(extremes, values, strict=True)}


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)
