"""Convert lists of layers to the equivalent short notation."""

from typing import Any

from aeviz.errors import BadValue
from aeviz.models.bodies.settings import BodyConfig, ConvConfig, CustomConfig, DenseConfig, LayerConfig, ResidualConfig

# The settings that each kind of layer uses; the others have no effect.
CHOICES: dict[str, tuple[str, ...]] = {
    "dense": ("size", "activation", "norm", "dropout"),
    "conv": ("size", "kernel", "stride", "activation", "norm", "dropout"),
    "residual": ("size", "kernel", "stride", "activation", "norm", "dropout"),
    "pool": ("stride",),
}
SHORT: tuple[tuple[type[BodyConfig], str], ...] = (
    (DenseConfig, "widths"),
    (ConvConfig, "channels"),
    (ResidualConfig, "channels"),
)


def shortened(body: CustomConfig) -> BodyConfig:
    """The equivalent body in short notation, or the body itself if there is none."""
    shared = {name: getattr(body, name) for name in BodyConfig.model_fields}
    for cls, field in SHORT:
        try:
            short = cls.parse({field: [layer.size for layer in body.layers], **shared})
        except BadValue:  # too many or too wide layers for this notation
            continue
        if [_said(layer) for layer in short.as_layers()] == [_said(layer) for layer in body.layers]:
            return short
    return body


def _said(layer: LayerConfig) -> dict[str, Any]:
    return {name: getattr(layer, name) for name in ("kind", *CHOICES[layer.kind])}
