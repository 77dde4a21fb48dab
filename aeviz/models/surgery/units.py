"""Remap weights to more or fewer units, preserving the function where possible."""

import math
from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aeviz.models.bodies.blocks import TiedConvTranspose2d, TiedLinear
from aeviz.models.bodies.initialisation import WEIGHED

ASYMMETRY = 1.8  # spread of the shares of copies, (.1, 1.9); equal copies would get equal gradients forever


@dataclass(frozen=True)
class Units:
    """The old unit that each of M new units stands for: `index` (M,) out of `count`.

    A new unit has `sign * scale` times the old one's value. `flat`: every position of an old image is a unit.
    `signed`: negated units exist as well, and after the activation such a pair gives `gain` times the value.
    """

    index: Tensor
    count: int
    flat: bool = False
    signed: bool = False
    gain: float = 1.0
    sign: Tensor = field(default_factory=lambda: torch.ones(1))
    scale: Tensor = field(default_factory=lambda: torch.ones(1))

    @property
    def group(self) -> Tensor:
        """Group index (M,); units of the same group are copies of each other."""
        return 2 * self.index + (self.sign < 0)

    def factor(self) -> Tensor:
        """Factor (M,) of each new unit's value."""
        return (self.sign * self.scale).expand(len(self.index))

    def at_positions(self, places: int) -> "Units":
        """The same units with `places` positions each, flattened: (M * places,)."""
        index = (self.index[:, None] * places + torch.arange(places)).flatten()
        return replace(
            self,
            index=index,
            count=self.count * places,
            sign=self.sign.expand(len(self.index)).repeat_interleave(places),
            scale=self.scale.expand(len(self.index)).repeat_interleave(places),
        )


def identity_units(count: int) -> Units:
    """Units that map one to one."""
    return Units(torch.arange(count), count)


def resize_units(count: int, wanted: int, importance: Tensor | None = None) -> Units:
    """Map `count` old units to `wanted` new ones: adjacent copies, or those with most `importance` (count,)."""
    if wanted >= count:
        return Units(torch.arange(wanted) * count // wanted, count)
    ranked = torch.arange(count) if importance is None else importance.argsort(descending=True, stable=True)
    return Units(ranked[:wanted].sort().values, count)


def signed_units(count: int, wanted: int, gain: float) -> Units:
    """Units for old values and their negatives, so that a ReLU loses no information."""
    group = torch.arange(wanted) * 2 * count // wanted
    sign = torch.where(group < count, 1.0, -1.0)
    return Units(group % count, count, signed=True, gain=gain, sign=sign)


def scale_copies(units: Units, generator: torch.Generator) -> Units:
    """Scale copies so that their squared scales sum to one, which also fits the transposed weights."""
    drawn = 1 + ASYMMETRY * (torch.rand(len(units.index), generator=generator) - 0.5)
    sums = torch.zeros(2 * units.count).index_add(0, units.group, drawn.square())
    return replace(units, scale=drawn / sums[units.group].sqrt())


@dataclass(frozen=True)
class Affine:
    """A layer's weight (out units, out places, in units, in places, *kernel) and bias (out units, out places).

    Without a weight it is the identity.
    """

    weight: Tensor | None = None
    bias: Tensor | None = None

    @property
    def linear(self) -> bool:
        """Whether this is a dense layer."""
        return self.weight is not None and self.weight.dim() == 4

    def after(self, other: "Affine") -> "Affine":
        """The composition of this dense layer after another, without an activation between them."""
        assert self.weight is not None
        assert self.bias is not None
        assert other.weight is not None
        assert other.bias is not None
        out, into = self.weight.shape[:2], other.weight.shape[2:]
        matrix = self.weight.flatten(2).flatten(0, 1)  # (out, places, units, places) -> (out, in)
        weight = matrix @ other.weight.flatten(2).flatten(0, 1)
        bias = matrix @ other.bias.flatten() + self.bias.flatten()
        return Affine(weight.reshape(*out, *into), bias.reshape(*out))

    def flattened(self, out: bool, into: bool) -> "Affine":
        """The same with the positions of an image as separate units, for outputs, inputs or both."""
        if self.weight is None or self.bias is None or not self.linear:
            return self
        weight, bias = self.weight, self.bias
        if out:
            weight, bias = weight.flatten(0, 1).unsqueeze(1), bias.reshape(-1, 1)
        if into:
            weight = weight.flatten(2).unsqueeze(3)
        return Affine(weight, bias)

    def with_kernel(self, side: int) -> "Affine":
        """The same with a zero-padded or cropped kernel."""
        if self.weight is None or self.weight.dim() != 6:
            return self
        more = (side - self.weight.shape[-1]) // 2
        return Affine(F.pad(self.weight, (more, more, more, more)), self.bias)


def affine_of(module: nn.Module, out_places: int = 1, in_places: int = 1) -> Affine:
    """The affine function of a weighted module."""
    weight: Tensor = module.weight.detach().float().cpu()  # type: ignore[operator]
    bias: Tensor = module.bias.detach().float().cpu()  # type: ignore[operator]
    if isinstance(module, nn.Linear | TiedLinear):
        shape = (len(weight) // out_places, out_places, weight.shape[1] // in_places, in_places)
        return Affine(weight.reshape(shape), bias.reshape(-1, out_places))
    if isinstance(module, nn.ConvTranspose2d | TiedConvTranspose2d):
        weight = weight.transpose(0, 1)
    return Affine(weight[:, None, :, None], bias[:, None])


def set_weights(module: nn.Module, op: Affine) -> int:
    """Set a module's weight and bias; return the number of its own parameters set."""
    assert op.weight is not None
    assert op.bias is not None
    weight = op.weight
    if isinstance(module, nn.ConvTranspose2d | TiedConvTranspose2d):
        weight = weight.transpose(0, 2)
    bias: nn.Parameter = module.bias  # type: ignore[assignment]
    bias.data.copy_(op.bias.reshape(bias.shape))
    if not isinstance(module, WEIGHED):  # tied: the weight belongs to another module
        return bias.numel()
    module.weight.data.copy_(weight.reshape(module.weight.shape))
    return bias.numel() + module.weight.numel()


def remap(op: Affine, out: Units, into: Units, like: Affine, tied: bool, generator: torch.Generator) -> Affine | None:
    """Remap an old layer, or the identity, to new units; None if positions or kernels do not fit.

    Copies of a unit share its outgoing weights (Net2Net, Chen et al., ICLR 2016, https://arxiv.org/abs/1511.05641).
    """
    assert like.weight is not None
    op = op.flattened(out.flat, into.flat)
    if op.weight is None:
        weight = _identity(out, into, like.weight)
        bias = torch.zeros(like.weight.shape[:2])
        if weight is not None and into.signed and not out.signed:
            weight = weight / into.gain
    else:
        op = op.with_kernel(like.weight.shape[-1])
        assert op.weight is not None
        assert op.bias is not None
        if op.weight.shape[0] != out.count or op.weight.shape[2] != into.count:
            return None
        weight = op.weight[out.index][:, :, into.index]
        bias = op.bias[out.index] * out.factor()[:, None]
    if weight is None or weight.shape != like.weight.shape:
        return None
    factors = out.factor()[:, None] * _outgoing_shares(out, into, tied, generator)  # (M out, M in)
    factors = factors[:, None, :, None]
    return Affine(weight * factors.reshape(*factors.shape, *[1] * (weight.dim() - 4)), bias)


def _outgoing_shares(out: Units, into: Units, tied: bool, generator: torch.Generator) -> Tensor:
    """Share (M out, M in) of an old unit's outgoing weight for each of its copies; shares sum to one."""
    if tied:
        return into.factor().expand(len(out.index), -1)
    drawn = 1 + ASYMMETRY * (torch.rand(len(out.index), len(into.index), generator=generator) - 0.5)
    sums = torch.zeros(len(out.index), 2 * into.count).index_add(1, into.group, drawn)
    return drawn / sums[:, into.group] / into.factor()


def _identity(out: Units, into: Units, like: Tensor) -> Tensor | None:
    """Identity weights: 1 (at the kernel centre) where output and input stand for the same old unit."""
    one, other = out.index[:, None], into.index[:, None]
    places = (like.shape[1], like.shape[3]) if like.dim() == 4 else (1, 1)
    if out.flat and not into.flat:  # from an image to its individual pixels
        other = other * places[1] + torch.arange(places[1])
    elif into.flat and not out.flat:
        one = one * places[0] + torch.arange(places[0])
    elif places != (1, 1):
        return None
    found = (one[:, :, None, None] == other[None, None]).float()
    if out.signed and into.signed:
        found *= (out.sign[:, None] == into.sign[None])[:, None, :, None]
    if like.dim() == 4:
        return found
    side = like.shape[-1]
    window = torch.zeros(side, side)
    window[side // 2, side // 2] = 1.0
    return found[..., None, None] * window


def set_norm(module: nn.Module, old: nn.Module, units: Units | None) -> int:
    """Remap a norm layer to new units if both are of the same type; return the number of parameters set."""
    if type(module) is not type(old) or not isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.GroupNorm):
        return 0
    size = module.weight.numel()
    if units is not None and size % len(units.index) == 0 and size > len(units.index):
        units = units.at_positions(size // len(units.index))
    before: nn.Parameter = old.weight  # type: ignore[assignment]
    if units is None and before.numel() == size:
        units = identity_units(size)
    if units is None or units.count != before.numel() or len(units.index) != size:
        return 0
    powers = {"weight": 1, "bias": 1, "running_mean": 1, "running_var": 2}
    values = old.state_dict()
    for name, value in module.state_dict().items():
        if name in powers:
            value.copy_(values[name].cpu()[units.index] * units.factor() ** powers[name])
    return 2 * size


def weight_norms(op: Affine, incoming: bool) -> Tensor:
    """The norm of every unit's incoming or outgoing weights."""
    assert op.weight is not None
    kept = (0,) if incoming else (2,)
    return op.weight.square().sum([axis for axis in range(op.weight.dim()) if axis not in kept]).sqrt()


def n_positions(shape: tuple[int, ...]) -> int:
    """Number of spatial positions per unit for a value of this shape."""
    return math.prod(shape[1:])
