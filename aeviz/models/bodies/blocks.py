"""Building blocks of bodies that torch does not provide."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aeviz.models.bodies.settings import LayerConfig
from aeviz.models.bodies.strided import Conv2d, ConvTranspose2d, conv_transpose2d

MOST_GROUPS = 8
LEAST_IN_GROUP = 4
LEAK = 0.1  # negative slope of the leaky ReLU
FLAT = 1e-6  # channels with a smaller standard deviation count as constant and are not scaled

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(LEAK),
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
}


class Stack(nn.Sequential):
    """Modules in sequence; `rows` holds for each the index of its layer in the settings, or None."""

    rows: tuple[int | None, ...] = ()

    @classmethod
    def of(cls, parts: list[tuple[int | None, nn.Module]]) -> "Stack":
        """Build a stack from (row, module) pairs in order."""
        stack = cls(*(module for _, module in parts))
        stack.rows = tuple(row for row, _ in parts)
        return stack


class Standardise(nn.Module):
    """Subtracts the training images' mean and divides by their standard deviation, per channel."""

    mean: Tensor
    std: Tensor

    def __init__(self, sample_shape: tuple[int, ...]) -> None:
        super().__init__()
        shape = (sample_shape[0], *[1] * (len(sample_shape) - 1))  # (C, 1, 1) or (F,)
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("std", torch.ones(shape))

    def set_statistics(self, mean: Tensor, std: Tensor) -> None:
        """Set mean (C,) and standard deviation (C,) of the training images."""
        std = std.to(self.std).reshape(self.std.shape)
        self.mean.copy_(mean.to(self.mean).reshape(self.mean.shape))
        self.std.copy_(torch.where(std < FLAT, torch.ones_like(std), std))

    def forward(self, x: Tensor) -> Tensor:
        """Standardise x (B, C, ...) by channel."""
        return (x - self.mean) / self.std


class Residual(nn.Module):
    """Two convolutions and a shortcut around them (He et al., CVPR 2016, https://arxiv.org/abs/1512.03385).

    Norm and activation of the sum follow as separate modules, as after every layer.
    """

    def __init__(
        self, first: nn.Module, between: list[nn.Module], second: nn.Module, shortcut: list[nn.Module]
    ) -> None:
        super().__init__()
        self.first, self.between, self.second = first, nn.Sequential(*between), second
        self.shortcut = nn.Sequential(*shortcut)

    def forward(self, x: Tensor) -> Tensor:
        """The sum of two convolutions of x (B, C, H, W) and its shortcut."""
        return self.second(self.between(self.first(x))) + self.shortcut(x)


def residual(before: int, layer: LayerConfig) -> Residual:
    """A residual block of an encoder with `before` input channels; its first convolution downsamples."""
    after, kernel, stride = layer.size, layer.kernel, layer.stride
    first = Conv2d(before, after, kernel, stride=stride, padding=padding_of(kernel))
    second = nn.Conv2d(after, after, kernel, padding=padding_of(kernel))
    same = before == after and stride == 1
    shortcut: list[nn.Module] = [] if same else [Conv2d(before, after, 1, stride=stride)]
    return Residual(first, norm_and_activation(layer, after, spatial=True, dropout=False), second, shortcut)


def residual_up(layer: LayerConfig, after: int, side: tuple[int, ...]) -> Residual:
    """The mirror of a residual block, with output (after, *side); its last convolution upsamples."""
    before, kernel, stride = layer.size, layer.kernel, layer.stride
    first = nn.Conv2d(before, before, kernel, padding=padding_of(kernel))
    second = conv_transpose(before, after, kernel, stride, side)
    same = before == after and stride == 1
    shortcut: list[nn.Module] = [] if same else [nn.Conv2d(before, after, 1)]
    if stride > 1:
        shortcut.append(nn.Upsample(size=side, mode="nearest"))
    return Residual(first, norm_and_activation(layer, before, spatial=True, dropout=False), second, shortcut)


class TiedLinear(nn.Module):
    """A dense layer with the transposed weights of another one and its own bias."""

    def __init__(self, source: nn.Linear) -> None:
        super().__init__()
        self._source = (source,)  # a tuple, so that torch does not register it and save its weight twice
        self.in_features, self.out_features = source.out_features, source.in_features
        self.bias = nn.Parameter(torch.zeros(source.in_features))

    @property
    def weight(self) -> Tensor:
        """The weights (out_features, in_features)."""
        return self._source[0].weight.t()

    def forward(self, x: Tensor) -> Tensor:
        """The dense layer with the source's transposed weights, of x (B, in_features)."""
        return F.linear(x, self.weight, self.bias)


class TiedConvTranspose2d(nn.Module):
    """The transpose of a convolution, with its weights and its own bias."""

    def __init__(self, source: nn.Conv2d, side: tuple[int, ...]) -> None:
        super().__init__()
        self._source = (source,)
        self.stride, self.padding = source.stride, source.padding
        self.output_padding = output_padding(side, source.kernel_size[0], source.stride[0])
        self.in_channels, self.out_channels = source.out_channels, source.in_channels
        self.bias = nn.Parameter(torch.zeros(source.in_channels))

    @property
    def weight(self) -> Tensor:
        """The weights (in_channels, out_channels, kernel, kernel)."""
        return self._source[0].weight

    def forward(self, x: Tensor) -> Tensor:
        """The transposed convolution with the source's weights, of x (B, in_channels, h, w)."""
        return conv_transpose2d(x, self.weight, self.bias, self.stride[0], int(self.padding[0]), self.output_padding)


def padding_of(kernel: int) -> int:
    """Padding such that only the stride reduces the image (an even kernel also loses one pixel)."""
    return (kernel - 1) // 2


def output_padding(side: tuple[int, ...], kernel: int, stride: int) -> tuple[int, int]:
    """The output padding with which a transposed convolution restores exactly (H, W) pixels."""
    height, width = ((length + 2 * padding_of(kernel) - kernel) % stride for length in side)
    return height, width


def conv_transpose(before: int, after: int, kernel: int, stride: int, side: tuple[int, ...]) -> ConvTranspose2d:
    """The transposed convolution that mirrors one whose input was (after, *side)."""
    padding, extra = padding_of(kernel), output_padding(side, kernel, stride)
    return ConvTranspose2d(before, after, kernel, stride=stride, padding=padding, output_padding=extra)


def norm_and_activation(layer: LayerConfig, size: int, spatial: bool, dropout: bool = True) -> list[nn.Module]:
    """The modules after a layer of `size` outputs or channels: normalisation, activation, dropout."""
    modules: list[nn.Module] = []
    if layer.norm == "batch":
        modules.append(nn.BatchNorm2d(size) if spatial else nn.BatchNorm1d(size))
    if layer.norm == "layer":
        modules.append(nn.GroupNorm(1, size))
    if layer.norm == "group":
        modules.append(nn.GroupNorm(groups(size), size))
    modules.append(ACTIVATIONS[layer.activation or "relu"]())
    if layer.dropout and dropout:
        modules.append(nn.Dropout2d(layer.dropout) if spatial else nn.Dropout(layer.dropout))
    return modules


def groups(size: int) -> int:
    """Number of groups for group norm of `size` channels: at most 8, of at least 4 (Wu & He, ECCV 2018)."""
    fitting = (count for count in range(MOST_GROUPS, 1, -1) if size % count == 0 and size >= LEAST_IN_GROUP * count)
    return next(fitting, 1)
