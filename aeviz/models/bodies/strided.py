"""Convolutions with a stride as they are trained: torch's numbers, sooner on a CPU.

oneDNN is slow at transposed convolutions that have few outputs or a bias, and the gradient of a convolution by its
input is one of these too. Inference, other devices and contiguous images take torch's own.

A window of one pixel with a stride never reaches oneDNN: without AVX-512, its weight gradient of such a convolution
writes past its memory where images are channels-last and have fewer than eight channels. The stride is taken first, by
slicing, and what is left is a convolution with stride 1.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aeviz.models.kernels import is_plain

MOST_BY_PHASES = 32  # outputs, times what zeros in the kernel cost, up to which phases were measured faster


class Conv2d(nn.Conv2d):
    """torch's, with a gradient by its input that is taken by phases where this pays."""

    def forward(self, input: Tensor) -> Tensor:
        stride = self.stride[0]
        if self.kernel_size == (1, 1) and stride > 1 and input.device.type == "cpu":
            return F.conv2d(input[..., ::stride, ::stride], self.weight, self.bias)
        if not _is_trained_here(input, self.weight):
            return super().forward(input)
        return _trained(_Convolution, *_cast(input, self.weight, self.bias), self.stride[0], int(self.padding[0]))


class ConvTranspose2d(nn.ConvTranspose2d):
    """torch's, by phases where this pays, else with its bias added afterwards."""

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        return conv_transpose2d(
            input, self.weight, self.bias, self.stride[0], int(self.padding[0]), self.output_padding
        )


def conv_transpose2d(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int, extra: tuple[int, ...]
) -> Tensor:
    """The transposed convolution of x (B, I, h, w) with weight (I, O, K, K): (B, O, H, W), `extra` pixels larger."""
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
    """The same channels-last; of a single channel the strides have to say so too, or oneDNN turns its partner around."""
    channels, height, width = x.shape[1:]
    x = x.contiguous(memory_format=torch.channels_last)
    return x.as_strided(x.shape, (channels * height * width, 1, channels * width, channels))


def by_phases(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int, size: tuple[int, int]
) -> Tensor:
    """The transposed convolution of x (B, I, h, w) with weight (I, O, K, K): (B, O, *size).

    Pixels of the output that lie a stride apart, a phase, see the same few taps of the kernel: a small plain convolution
    has all phases as its channels, which then go to their places (Shi et al., CVPR 2016,
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
    """Pixels of x (B, C, h, w) a stride apart, zeros between them: (B, C, *size)."""
    x = x.unflatten(3, (-1, 1)).unflatten(2, (-1, 1))  # (B, C, h, 1, w, 1)
    x = F.pad(x, (0, stride - 1, 0, 0, 0, stride - 1)).flatten(4).flatten(2, 3)
    return x[:, :, : size[0], : size[1]]


def _seen(side: int, stride: int, padding: int) -> tuple[int, int]:
    """The first input that the outputs of place 0 see (at most 0), and how many they see in a row."""
    first = -((side - 1 - padding) // stride)
    return first, (stride - 1 + padding) // stride - first + 1


def _pays(weight: Tensor, stride: int, padding: int) -> bool:
    """Whether a transposed convolution with this weight (I, O, K, K) is faster by phases."""
    side = weight.shape[-1]
    _, taps = _seen(side, stride, padding)
    return stride > 1 and weight.shape[1] * (stride * taps / side) ** 2 <= MOST_BY_PHASES


def _spread(x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int, size: tuple[int, int]) -> Tensor:
    """The transposed convolution of x (B, I, h, w) with weight (I, O, K, K), whichever way is faster: (B, O, *size)."""
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
    """The gradient by its weight (O, I, K, K) of the convolution of x, given that by its output; laid out as autograd has it."""
    gradient = gradient.contiguous(memory_format=torch.channels_last)
    how = ([stride] * 2, [padding] * 2, [1, 1], False, [0, 0], 1)
    by_weight: Tensor = torch.ops.aten.convolution_backward(gradient, x, weight, None, *how, [False, True, False])[1]
    return by_weight


def _trained(function: type[torch.autograd.Function], *inputs: Any) -> Tensor:
    y: Tensor = function.apply(*inputs)
    return y


def _is_trained_here(x: Tensor, weight: Tensor) -> bool:
    """Whether a layer is in training on a CPU, its input or weight channels-last; torch's compiler has its own ways.

    A window of one pixel lies either way.
    """
    if torch.compiler.is_compiling():
        return False
    lies_so = any(each.stride(1) == 1 and each.stride(3) == each.shape[1] for each in (x, weight))
    is_pixel = weight.shape[-1] == 1
    return lies_so and x.device.type == "cpu" and torch.is_grad_enabled() and not is_pixel and not is_plain()


def _cast(*tensors: Tensor | None) -> tuple[Tensor | None, ...]:
    """What autocast would give a convolution."""
    if not torch.is_autocast_enabled("cpu"):
        return tensors
    return tuple(None if tensor is None else tensor.to(torch.get_autocast_dtype("cpu")) for tensor in tensors)
