"""Settings of bodies: the layers between image and code."""

from typing import Annotated, Literal

from pydantic import Field

from aeviz.config import Settings

Activation = Literal["relu", "leaky_relu", "elu", "gelu", "silu", "tanh"]
Norm = Literal["none", "batch", "layer", "group"]
Kind = Literal["dense", "conv", "residual", "pool"]


class LayerConfig(Settings):
    """One layer of the encoder; the decoder mirrors it."""

    kind: Kind = Field("dense", description="dense, conv (convolution), residual (two with a shortcut) or pool.")
    size: int = Field(
        64, ge=1, le=8192, description="Neurons of a dense layer, channels of the others; a pool keeps its channels."
    )
    kernel: int = Field(3, ge=1, le=11, description="Kernel size (conv and residual only).")
    stride: int = Field(2, ge=1, le=4, description="Stride: the factor by which the image shrinks (all but dense).")
    activation: Activation | None = Field(
        None, description="Activation; none uses the body's. A pool has no activation, norm or dropout."
    )
    norm: Norm | None = Field(None, description="Normalisation; none uses the body's.")
    dropout: float | None = Field(None, ge=0.0, le=0.9, description="Dropout; none uses the body's.")


class BodyConfig(Settings):
    """Settings of every body."""

    activation: Activation = Field("relu", description="Activation after every layer.")
    norm: Norm = Field(
        "none", description="Normalise each layer's output over the batch, the image (layer) or groups of channels."
    )
    dropout: float = Field(
        0.0, ge=0.0, le=0.9, multiple_of=0.05, description="Share of each layer's outputs dropped during training."
    )

    def as_layers(self) -> tuple[LayerConfig, ...]:
        """The encoder's layers, from image to code."""
        raise NotImplementedError

    def with_defaults(self, layer: LayerConfig) -> LayerConfig:
        """A layer with unset values filled in from the body."""
        own = {name: getattr(layer, name) for name in ("activation", "norm", "dropout")}
        return layer.model_copy(
            update={name: getattr(self, name) if value is None else value for name, value in own.items()}
        )

    def as_custom(self) -> "CustomConfig":
        """The same network as an editable list of layers."""
        shared = {name: getattr(self, name) for name in BodyConfig.model_fields}
        return CustomConfig(layers=self.as_layers(), **shared)


class DenseConfig(BodyConfig):
    """Fully connected layers."""

    name: Literal["dense"] = "dense"
    widths: tuple[Annotated[int, Field(ge=1, le=8192)], ...] = Field(
        (512, 128),
        max_length=8,
        description="Neurons of each layer, from the image to the code; the decoder mirrors them.",
    )

    def as_layers(self) -> tuple[LayerConfig, ...]:
        """One dense layer for each width."""
        return tuple(LayerConfig(kind="dense", size=width) for width in self.widths)


class ConvConfig(BodyConfig):
    """Convolutions that halve the image at every layer."""

    name: Literal["conv"] = "conv"
    channels: tuple[Annotated[int, Field(ge=1, le=1024)], ...] = Field(
        (16, 32, 64),
        min_length=1,
        max_length=6,
        description="Channels of each layer, from the image to the code; each layer halves the image.",
    )

    def as_layers(self) -> tuple[LayerConfig, ...]:
        """One convolution of stride 2 for each number of channels."""
        return tuple(LayerConfig(kind=self.name, size=size, kernel=3, stride=2) for size in self.channels)


class ResidualConfig(ConvConfig):
    """Residual blocks that halve the image at every layer."""

    name: Literal["residual"] = "residual"  # type: ignore[assignment]


class CustomConfig(BodyConfig):
    """Any valid sequence of layers."""

    name: Literal["custom"] = "custom"
    layers: tuple[LayerConfig, ...] = Field(
        (LayerConfig(kind="dense", size=512), LayerConfig(kind="dense", size=128)),
        max_length=24,
        description="The encoder's layers, from the image to the code; the decoder mirrors them.",
    )

    def as_layers(self) -> tuple[LayerConfig, ...]:
        """The layers as they were given."""
        return self.layers


Body = Annotated[DenseConfig | ConvConfig | ResidualConfig | CustomConfig, Field(discriminator="name")]
