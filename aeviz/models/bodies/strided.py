"""Strided convolutions for training on a CPU: the same results as torch's, but faster.

oneDNN is slow at transposed convolutions with few outputs or a bias, and the input gradient of a convolution is one of
these. Inference, other devices and contiguous images use torch's own kernels.

1 x 1 kernels with a stride never reach oneDNN: without AVX-512, its weight gradient of such a convolution writes out of
bounds if images are channels-last with fewer than eight channels. Instead the input is sliced by the stride first, and
a convolution with stride 1 remains.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aeviz.models.kernels import is_plain

MOST_BY_PHASES = 32  # outputs, times the overhead of zeros in the kernel, up to which phases were measured faster


class Conv2d(nn.Conv2d):
    """torch's Conv2d, with the input gradient computed by phases where that is faster."""

    def forward(self, input: Tensor) -> Tensor:
        """The convolution of input (B, I, H, W)."""
        stride = self.stride[0]
        if self.kernel_size == (1, 1) and stride > 1 and input.device.type == "cpu":
            return F.conv2d(input[..., ::stride, ::stride], self.weight, self.bias)
        if not _is_trained_here(input, self.weight):
            return super().forward(input)
        return _trained(_Convolution, *_cast(input, self.weight, self.bias), self.stride[0], int(self.padding[0]))


class ConvTranspose2d(nn.ConvTranspose2d):
    """torch's ConvTranspose2d, computed by phases where that is faster, else with the bias added separately."""

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        """The transposed convolution of input (B, I, h, w)."""
        return conv_transpose2d(
            input, self.weight, self.bias, self.stride[0], int(self.padding[0]), self.output_padding
        )


def conv_transpose2d(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int, extra: tuple[int, ...]
) -> Tensor:
    """The transposed convolution of x (B, I, h, w) by weight (I, O, K, K): (B, O, H, W); `extra` is output padding."""
    height, width = (
        (side - 1) * stride - 2 * padding + weight.shape[-1] + more
        for side, more in zip(x.shape[2:], extra, strict=True)
    )
    if weight.shape[-1] == 1 and stride > 1 and x.device.type == "cpu":
        y = _spaced(F.conv2d(x, weight.transpose(0, 1)), stride, (height, width))
        return y if bias is None else y + bias[:, None, None]
    if not _is_trained_here(x, weight):
        return F.conv_transpose2d(x, weight, bias, stride, padding, extra)
    return _trained(_Transposed, *_cast(x, weight, bias), stride, padding, (height, width))


def channels_last(x: Tensor) -> Tensor:
    """x in channels-last format, with matching strides even for one channel, or oneDNN would reorder its partner."""
    channels, height, width = x.shape[1:]
    x = x.contiguous(memory_format=torch.channels_last)
    return x.as_strided(x.shape, (channels * height * width, 1, channels * width, channels))


def by_phases(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int, size: tuple[int, int]
) -> Tensor:
    """The transposed convolution of x (B, I, h, w) with weight (I, O, K, K): (B, O, *size).

    Output pixels a stride apart form a phase and see the same few taps of the kernel. A small plain convolution
    computes all phases as channels, which are then shuffled to their positions (sub-pixel convolution, Shi et al., CVPR 2016,
    https://arxiv.org/abs/1609.05158).
    """
    inputs, outputs, side = weight.shape[:3]
    first, taps = _seen(side, stride, padding)
    before = stride * (first + taps - 1) - padding
    kernel = F.pad(weight, (before, stride * taps - side - before) * 2)  # (I, O, T * stride, T * stride)
    kernel = kernel.unflatten(3, (taps, stride)).unflatten(2, (taps, stride)).flip(2, 4)
    kernel = kernel.permute(3, 5, 1, 0, 2, 4).reshape(-1, inputs, taps, taps)  # (stride * stride * O, I, T, T)
    rows, columns = (-(-length // stride) for length in size)
    left, right, below = -first, *(n + first + taps - 1 - m for n, m in ((columns, x.shape[3]), (rows, x.shape[2])))
    phases = F.conv2d(F.pad(x, (left, right, left, below)), kernel, None if bias is None else bias.repeat(stride**2))
    y = phases.permute(0, 2, 3, 1).unflatten(3, (stride, stride * outputs)).transpose(2, 3)
    y = y.reshape(len(x), rows * stride, columns * stride, outputs).permute(0, 3, 1, 2)
    return y[:, :, : size[0], : size[1]]


def _spaced(x: Tensor, stride: int, size: tuple[int, int]) -> Tensor:
    """Space the pixels of x (B, C, h, w) a stride apart, with zeros between them: (B, C, *size)."""
    x = x.unflatten(3, (-1, 1)).unflatten(2, (-1, 1))  # (B, C, h, 1, w, 1)
    x = F.pad(x, (0, stride - 1, 0, 0, 0, stride - 1)).flatten(4).flatten(2, 3)
    return x[:, :, : size[0], : size[1]]


def _seen(side: int, stride: int, padding: int) -> tuple[int, int]:
    """The first input (at most 0) that the outputs of position 0 see, and how many consecutive ones they see."""
    first = -((side - 1 - padding) // stride)
    return first, (stride - 1 + padding) // stride - first + 1


def _pays(weight: Tensor, stride: int, padding: int) -> bool:
    """Whether a transposed convolution with this weight (I, O, K, K) is faster by phases."""
    side = weight.shape[-1]
    _, taps = _seen(side, stride, padding)
    return stride > 1 and weight.shape[1] * (stride * taps / side) ** 2 <= MOST_BY_PHASES


def _spread(x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int, size: tuple[int, int]) -> Tensor:
    """The transposed convolution of x (B, I, h, w) by weight (I, O, K, K), by the faster method: (B, O, *size)."""
    if _pays(weight, stride, padding):
        return by_phases(x, weight, bias, stride, padding, size)
    reached = [(side - 1) * stride - 2 * padding + weight.shape[-1] for side in x.shape[2:]]
    extra = [whole - side for whole, side in zip(size, reached, strict=True)]
    y = F.conv_transpose2d(x, weight, None, stride, padding, extra)
    return y if bias is None else y.add_(bias[:, None, None])


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int) -> Tensor:
        x = channels_last(x)
        ctx.save_for_backward(x, weight)
        ctx.how = stride, padding
        return F.conv2d(x, weight, bias, stride, padding)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        stride, padding = ctx.how
        by_x = _spread(gradient, weight, None, stride, padding, x.shape[2:]) if ctx.needs_input_grad[0] else None
        by_weight = _by_weight(x, weight, gradient, stride, padding)
        by_bias = gradient.sum((0, 2, 3)) if ctx.needs_input_grad[2] else None
        return by_x, by_weight, by_bias, None, None


class _Transposed(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int, size: tuple[int, int]
    ) -> Tensor:
        x = channels_last(x)
        ctx.save_for_backward(x, weight)
        ctx.how = stride, padding
        return _spread(x, weight, bias, stride, padding, size)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        gradient = channels_last(gradient)
        by_x = F.conv2d(gradient, weight, None, *ctx.how)
        by_weight = _by_weight(gradient, weight, x, *ctx.how)
        by_bias = gradient.sum((0, 2, 3)) if ctx.needs_input_grad[2] else None
        return by_x, by_weight, by_bias, None, None, None


def _by_weight(x: Tensor, weight: Tensor, gradient: Tensor, stride: int, padding: int) -> Tensor:
    """Weight gradient (O, I, K, K) of the convolution of x, given its output gradient; in autograd's layout."""
    gradient = gradient.contiguous(memory_format=torch.channels_last)
    how = ([stride] * 2, [padding] * 2, [1, 1], False, [0, 0], 1)
    by_weight: Tensor = torch.ops.aten.convolution_backward(gradient, x, weight, None, *how, [False, True, False])[1]
    return by_weight


def _trained(function: type[torch.autograd.Function], *inputs: Any) -> Tensor:
    y: Tensor = function.apply(*inputs)
    return y


def _is_trained_here(x: Tensor, weight: Tensor) -> bool:
    """Whether a layer is trained on a CPU, with input or weight channels-last, and not compiled by torch.

    1 x 1 kernels are excluded: their layout is ambiguous.
    """
    if torch.compiler.is_compiling():
        return False
    lies_so = any(each.stride(1) == 1 and each.stride(3) == each.shape[1] for each in (x, weight))
    is_pixel = weight.shape[-1] == 1
    return lies_so and x.device.type == "cpu" and torch.is_grad_enabled() and not is_pixel and not is_plain()


def _cast(*tensors: Tensor | None) -> tuple[Tensor | None, ...]:
    """The tensors in the dtype that autocast would use for a convolution."""
    if not torch.is_autocast_enabled("cpu"):
        return tensors
    return tuple(None if tensor is None else tensor.to(torch.get_autocast_dtype("cpu")) for tensor in tensors)
