"""Lists of layers, and the short notations that say the same."""

from typing import Any

from aeviz.errors import BadValue
from aeviz.models.bodies.settings import BodyConfig, ConvConfig, CustomConfig, DenseConfig, LayerConfig, ResidualConfig

# What a layer of each kind can choose; its other settings mean nothing.
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
    """The same body in the short notation that can say it, or as it is where none can."""
    shared = {name: getattr(body, name) for name in BodyConfig.model_fields}
    for cls, field in SHORT:
        try:
            short = cls.parse({field: [layer.size for layer in body.layers], **shared})
        except BadValue:  # more layers, or wider ones, than this notation allows
            continue
        if [_said(layer) for layer in short.as_layers()] == [_said(layer) for layer in body.layers]:
            return short
    return body


def _said(layer: LayerConfig) -> dict[str, Any]:
    return {name: getattr(layer, name) for name in ("kind", *CHOICES[layer.kind])}
