"""Infer the shapes before and after every layer of a body, or find the first invalid layer."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from aeviz.errors import BadValue
from aeviz.models.bodies.blocks import padding_of
from aeviz.models.bodies.settings import BodyConfig, LayerConfig

LARGEST_KERNEL = 11
WORDS = {"dense": "dense {size}", "conv": "convolution {size}", "residual": "residual block {size}", "pool": "pool"}


class BadLayer(BadValue):
    """A layer that does not fit its input; `layer` is its index, from 0."""

    def __init__(self, template: str, layer: int, config: LayerConfig, **values: object) -> None:
        what = WORDS[config.kind].format(size=config.size)
        super().__init__("layer {number} ({what}): " + template, number=layer + 1, what=what, **values)
        self.layer = layer


@dataclass(frozen=True)
class Stage:
    """A layer in place: row, settings including the body's defaults, and input and output shape."""

    row: int
    layer: LayerConfig
    before: tuple[int, ...]
    after: tuple[int, ...]


def lay_out(body: BodyConfig, sample_shape: tuple[int, ...]) -> Iterator[Stage]:
    """Yield the encoder's layers with their shapes, for a sample of this shape.

    Raises:
        BadLayer: a layer does not fit; the layers before it were yielded.
    """
    shape = sample_shape
    stages: list[Stage] = []
    for row, layer in enumerate(body.as_layers()):
        layer = body.with_defaults(layer)
        stage = Stage(
            row, layer, shape, (layer.size,) if layer.kind == "dense" else _image_after(row, layer, stages, shape)
        )
        stages.append(stage)
        shape = stage.after
        yield stage


def _image_after(row: int, layer: LayerConfig, stages: list[Stage], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The output shape (C, H, W) of a layer that needs an image."""
    flattened = next((stage.row for stage in stages if stage.layer.kind == "dense"), None)
    if flattened is not None:
        raise BadLayer(
            "it needs an image, but dense layer {dense} has made it a list of numbers; move it before that one",
            row, layer, dense=flattened + 1,
        )  # fmt: skip
    if len(shape) != 3:
        raise BadLayer(
            "it needs images, and a sample here has the shape {shape}; take dense layers", row, layer, shape=shape
        )
    channels, height, width = shape
    if layer.kind == "pool" and layer.stride == 1:
        raise BadLayer("with a stride of 1 it changes nothing; take a stride of 2 or more", row, layer)
    if layer.stride > 1 and (height, width) == (1, 1):
        raise BadLayer(
            "the image is a single pixel already and cannot get smaller; use at most {most} layers with a stride",
            row, layer, most=sum(stage.layer.stride > 1 for stage in stages),
        )  # fmt: skip
    if layer.kind == "pool":
        return channels, math.ceil(height / layer.stride), math.ceil(width / layer.stride)
    _check_window(row, layer, height, width)
    return layer.size, side_after(height, layer), side_after(width, layer)


def _check_window(row: int, layer: LayerConfig, height: int, width: int) -> None:
    """Reject a kernel with weights that never meet a pixel.

    Raises:
        BadLayer: the kernel is too large for the image, or even in a residual block.
    """
    if layer.kind == "residual" and layer.kernel % 2 == 0:
        raise BadLayer(
            "its window must have an odd side, so that the shortcut fits; take {less} or {more} instead of {kernel}",
            row, layer, less=layer.kernel - 1, more=layer.kernel + 1, kernel=layer.kernel,
        )  # fmt: skip
    if not _window_fits(layer.kernel, height, width):
        most = max(kernel for kernel in range(1, LARGEST_KERNEL + 1, 2) if _window_fits(kernel, height, width))
        raise BadLayer(
            "a window of {kernel} × {kernel} is too large for the image of {height} × {width} that is left there; "
            "take at most {most} × {most}",
            row, layer, kernel=layer.kernel, height=height, width=width, most=most,
        )  # fmt: skip


def _window_fits(kernel: int, height: int, width: int) -> bool:
    return kernel // 2 < max(height, width) and kernel <= min(height, width) + 2 * padding_of(kernel)


def side_after(side: int, layer: LayerConfig) -> int:
    """Pixels along one side after a convolution."""
    return (side + 2 * padding_of(layer.kernel) - layer.kernel) // layer.stride + 1
