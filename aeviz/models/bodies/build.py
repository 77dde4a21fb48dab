"""Build networks from body settings: the encoder and the decoder that mirrors it."""

import math
from dataclasses import dataclass

from torch import nn

from aeviz.models.bodies.blocks import (
    Stack,
    Standardise,
    TiedConvTranspose2d,
    TiedLinear,
    conv_transpose,
    norm_and_activation,
    padding_of,
    residual,
    residual_up,
)
from aeviz.models.bodies.settings import BodyConfig, ConvConfig, CustomConfig, DenseConfig, ResidualConfig
from aeviz.models.bodies.shapes import Stage, lay_out
from aeviz.models.bodies.strided import Conv2d

Parts = list[tuple[int | None, nn.Module]]


@dataclass(frozen=True)
class BodyKind:
    """A registered body."""

    name: str
    label: str
    summary: str
    Config: type[BodyConfig]


BODIES: dict[str, BodyKind] = {
    kind.name: kind
    for kind in (
        BodyKind("dense", "Dense", "Fully connected layers; for samples of any shape.", DenseConfig),
        BodyKind("conv", "Convolutional", "Convolutions; each layer halves the image.", ConvConfig),
        BodyKind(
            "residual", "Residual", "Pairs of convolutions with a shortcut; trains deeper networks.", ResidualConfig
        ),
        BodyKind("custom", "Custom", "Any valid sequence of layers, one per row.", CustomConfig),
    )
}  # fmt: skip


def make_encoder(body: BodyConfig, sample_shape: tuple[int, ...], features: int, standardise: bool = False) -> Stack:
    """Build the encoder from x (B, *sample_shape) to (B, features): image layers, then dense layers, then the code.

    Raises:
        BadLayer: a layer does not fit its input.
    """
    parts: Parts = [(None, Standardise(sample_shape))] if standardise else []
    shape, flat = sample_shape, False
    for stage in lay_out(body, sample_shape):
        if stage.layer.kind == "dense" and not flat:
            parts.append((None, nn.Flatten()))
            flat = True
        parts += [(stage.row, module) for module in _encoding(stage)]
        shape = stage.after
    if not flat:
        parts.append((None, nn.Flatten()))
    return Stack.of([*parts, (None, nn.Linear(math.prod(shape), features))])


def _encoding(stage: Stage) -> list[nn.Module]:
    layer, before = stage.layer, stage.before
    if layer.kind == "pool":
        return [nn.AvgPool2d(layer.stride, ceil_mode=True)]
    if layer.kind == "dense":
        return [nn.Linear(math.prod(before), layer.size), *norm_and_activation(layer, layer.size, spatial=False)]
    if layer.kind == "residual":
        return [residual(before[0], layer), *norm_and_activation(layer, layer.size, spatial=True)]
    conv = Conv2d(before[0], layer.size, layer.kernel, stride=layer.stride, padding=padding_of(layer.kernel))
    return [conv, *norm_and_activation(layer, layer.size, spatial=True)]


def make_decoder(
    body: BodyConfig, sample_shape: tuple[int, ...], latent_dim: int, tied_to: Stack | None = None
) -> Stack:
    """Build the decoder from z (B, latent_dim) to logits (B, *sample_shape): the encoder's layers in reverse.

    Each layer is followed by norm and activation of the encoder layer whose output it reconstructs, the last by none.
    With `tied_to`, dense layers and convolutions use that encoder's weights wherever the shapes agree.

    Raises:
        BadLayer: a layer does not fit its input.
    """
    stages = list(lay_out(body, sample_shape))
    sources = _sources(tied_to)
    shape = stages[-1].after if stages else sample_shape
    code = _linear(latent_dim, math.prod(shape), sources.get(None))
    parts: Parts = [(None, code), *_rebuilt(stages, math.prod(shape), None, spatial=False)]
    flat = True
    for stage in reversed(stages):
        if stage.layer.kind != "dense" and flat:
            parts.append((None, nn.Unflatten(1, stage.after)))
            flat = False
        parts.append((stage.row, _decoding(stage, sources.get(stage.row))))
        if stage.layer.kind != "pool":
            size = math.prod(stage.before) if flat else stage.before[0]
            parts += _rebuilt(stages[: stage.row], size, stage.row, spatial=not flat)
    return Stack.of([*parts, (None, nn.Unflatten(1, sample_shape))] if flat else parts)


def _rebuilt(stages: list[Stage], size: int, row: int | None, spatial: bool) -> Parts:
    """Norm and activation of the last of these layers that has them."""
    layer = next((stage.layer for stage in reversed(stages) if stage.layer.kind != "pool"), None)
    if layer is None:
        return []
    return [(row, module) for module in norm_and_activation(layer, size, spatial)]


def _decoding(stage: Stage, source: nn.Module | None) -> nn.Module:
    layer, before, after = stage.layer, stage.before, stage.after
    if layer.kind == "pool":
        return nn.Upsample(size=before[1:], mode="nearest")
    if layer.kind == "dense":
        return _linear(layer.size, math.prod(before), source)
    if layer.kind == "residual":
        return residual_up(layer, before[0], before[1:])
    if isinstance(source, nn.Conv2d) and source.in_channels == before[0]:
        return TiedConvTranspose2d(source, before[1:])
    return conv_transpose(after[0], before[0], layer.kernel, layer.stride, before[1:])


def _linear(before: int, after: int, source: nn.Module | None) -> nn.Module:
    """A dense layer, with the transposed weights of `source` if they fit."""
    if isinstance(source, nn.Linear) and source.weight.shape == (before, after):
        return TiedLinear(source)
    return nn.Linear(before, after)


def _sources(encoder: Stack | None) -> dict[int | None, nn.Module]:
    """The encoder's layers by row; the code layer under None."""
    if encoder is None:
        return {}
    weighed = (nn.Linear, nn.Conv2d)
    return {row: module for row, module in zip(encoder.rows, encoder, strict=True) if isinstance(module, weighed)}
