"""What a network in training tells of itself: gradients, the spread of its codes, units that never respond."""

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
CHUNK = 500  # probes at a time: what a layer puts out stays in the processor's cache
ACTIVE_VARIANCE = 0.01  # of a code's mean, over images (Burda et al. 2016, section 4.2)
# A unit other than a ReLU's is dead where its range over the probes is this share of the widest one of its layer.
CONSTANT = 0.01
ROUNDING = 1e-6  # a range no wider than this is no range
ACTIVATION_TYPES = tuple({type(make()) for make in ACTIVATIONS.values()})


def gradient_norms(model: nn.Module) -> dict[str, float | None]:
    """L2 norms of the gradients of a backward pass, by layer (`encoder.0`) and in `total`; None where not finite.

    One transfer from the device, whatever the number of layers.
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
    def batch(self, positions: Tensor) -> Batch: ...


def measure(model: Autoencoder, probes: Probes | Batch) -> dict[str, Any]:
    """`variance` and `kl` by dimension, how many are `active`, the share of `dead` units by layer; see `observe`."""
    return observe(model, probes)[0]


@torch.inference_mode()
def observe(model: Autoencoder, probes: Probes | Batch) -> tuple[dict[str, Any], Tensor]:
    """What `measure` says of up to 2,000 probes, and their codes (P, D).

    `variance` [D] is that of the codes (of a posterior's mean). `kl` [D] is in nats, None without a posterior.
    `active` counts the dimensions that tell images apart: Var_x E[z|x] > 0.01 (Burda et al., ICLR 2016,
    https://arxiv.org/abs/1509.00519); a plain code has no scale of its own, so there 0.01 of its largest variance.
    `dead` is, by activation layer, the share of units (channels of a convolution) that never respond: a ReLU that is
    never above zero, any other unit that is as good as constant. `mean_mse` is the error (per value) of whoever always
    answers with the mean probe. Numbers that are not finite are None.
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
                encoded = encoded.sample(_noise(encoded.mu))  # what the decoder meets while training
            model.decode(encoded, batch.labels)
            spread.add(batch.target)
    z = torch.cat(codes)  # (P, D)
    variance = z.var(0, correction=0)  # (P, D) -> (D,)
    kl = torch.cat(divergences).mean(0) if divergences else None
    limit = ACTIVE_VARIANCE if divergences else ACTIVE_VARIANCE * variance.amax()
    told = {
        "variance": [rounded(value) for value in variance.tolist()],
        "kl": None if kl is None else [rounded(value) for value in kl.tolist()],
        "active": int((variance > limit).sum()),
        "dead": _dead(model, extremes),
        "mean_mse": rounded(spread.variance()),
    }
    return told, z


def rounded(value: float) -> float | None:
    """Four digits, as lines of metrics hold many numbers; None for what JSON cannot hold."""
    return float(f"{value:.4g}") if math.isfinite(value) else None


def _layer(name: str) -> str:
    """The place in the stack a parameter belongs to: `encoder.3` for `encoder.3.inner.0.weight`."""
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
    """The variance of every value over samples that come in chunks, averaged over the values."""

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
    """The same draws from N(0, 1) at every look, which no other draw is disturbed by."""
    generator = torch.Generator(value.device).manual_seed(0)
    return torch.randn(value.shape, generator=generator, device=value.device)


Extremes = dict[str, tuple[Tensor, Tensor]]


@contextmanager
def _watched(model: nn.Module) -> Iterator[Extremes]:
    """The least and largest response (U,) of every unit of every activation layer, while the block runs."""
    extremes: Extremes = {}

    def watch(name: str, module: nn.Module) -> Any:
        # A ReLU's least response says nothing; the second pass over the data is spared.
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
