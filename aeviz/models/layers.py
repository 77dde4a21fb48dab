"""The bodies: what stands between an image and its code, as a stack of layers and its mirror."""

import itertools
import math
from collections.abc import Callable
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from torch import nn

from aeviz.config import Settings
from aeviz.errors import BadValue

Activation = Literal["relu", "leaky_relu", "elu", "gelu", "silu", "tanh"]
Norm = Literal["none", "batch", "layer", "group"]
Kind = Literal["dense", "conv", "residual", "pool"]

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.1),
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
}


class BodyConfig(Settings):
    """What every body can choose."""

    activation: Activation = Field("relu", description="The bend after every layer.")
    norm: Norm = Field("none", description="Normalise each layer's output over the batch or over the image.")
    dropout: float = Field(
        0.0, ge=0.0, le=0.9, multiple_of=0.05, description="Share of each layer's outputs switched off while training."
    )


class DenseConfig(BodyConfig):
    """Fully connected layers."""

    name: Literal["dense"] = "dense"
    widths: tuple[Annotated[int, Field(ge=1, le=8192)], ...] = Field(
        (512, 128),
        max_length=8,
        description="Neurons of each layer, from the image to the code; the decoder mirrors them.",
    )


class ConvConfig(BodyConfig):
    """Convolutions that halve the image at every layer."""

    name: Literal["conv"] = "conv"
    channels: tuple[Annotated[int, Field(ge=1, le=1024)], ...] = Field(
        (16, 32, 64),
        min_length=1,
        max_length=6,
        description="Channels of each layer, from the image to the code; each layer halves the image.",
    )


class ResidualConfig(ConvConfig):
    """Residual blocks that halve the image at every layer."""

    name: Literal["residual"] = "residual"  # type: ignore[assignment]


class LayerConfig(Settings):
    """One layer of the encoder, from the image to the code; the decoder mirrors it."""

    kind: Kind = Field("dense", description="dense, conv (convolution), residual (two with a shortcut) or pool.")
    size: int = Field(64, ge=1, le=8192, description="Neurons of a dense layer, channels of the others.")
    kernel: int = Field(3, ge=1, le=11, description="Side of the window (conv and residual only).")
    stride: int = Field(2, ge=1, le=4, description="How much smaller the image gets (all but dense).")
    activation: Activation | None = Field(None, description="The bend after it; none takes the body's.")
    norm: Norm | None = Field(None, description="Its normalisation; none takes the body's.")
    dropout: float | None = Field(None, ge=0.0, le=0.9, description="Its dropout; none takes the body's.")


class CustomConfig(BodyConfig):
    """Any layers in any order that fits together."""

    name: Literal["custom"] = "custom"
    layers: tuple[LayerConfig, ...] = Field(
        (LayerConfig(kind="dense", size=512), LayerConfig(kind="dense", size=128)),
        max_length=24,
        description="The encoder's layers, from the image to the code; the decoder mirrors them.",
    )


class Dense:
    """Fully connected layers between a flat sample and the code; takes samples of any shape."""

    name: ClassVar[str] = "dense"
    label: ClassVar[str] = "Dense"
    Config = DenseConfig

    @staticmethod
    def encoder(config: DenseConfig, sample_shape: tuple[int, ...], features: int) -> nn.Sequential:
        """From x (B, *sample_shape) to (B, features)."""
        sizes = [math.prod(sample_shape), *config.widths]
        return nn.Sequential(nn.Flatten(), *_dense_stack(config, sizes), nn.Linear(sizes[-1], features))

    @staticmethod
    def decoder(config: DenseConfig, sample_shape: tuple[int, ...], latent_dim: int) -> nn.Sequential:
        """From z (B, latent_dim) to logits (B, *sample_shape)."""
        sizes = [latent_dim, *reversed(config.widths)]
        last = nn.Linear(sizes[-1], math.prod(sample_shape))
        return nn.Sequential(*_dense_stack(config, sizes), last, nn.Unflatten(1, sample_shape))


class Conv:
    """Convolutions of stride 2 and their mirror; takes images of any size."""

    name: ClassVar[str] = "conv"
    label: ClassVar[str] = "Convolutional"
    Config = ConvConfig

    @staticmethod
    def encoder(config: ConvConfig, sample_shape: tuple[int, ...], features: int) -> nn.Sequential:
        """From x (B, C, H, W) to (B, features)."""
        channels = [_image_shape(sample_shape)[0], *config.channels]
        stack: list[nn.Module] = []
        for before, after in itertools.pairwise(channels):
            stack += [nn.Conv2d(before, after, 3, stride=2, padding=1), *_after(config, after, spatial=True)]
        flat = channels[-1] * math.prod(_sizes(sample_shape, len(config.channels))[-1])
        return nn.Sequential(*stack, nn.Flatten(), nn.Linear(flat, features))

    @staticmethod
    def decoder(config: ConvConfig, sample_shape: tuple[int, ...], latent_dim: int) -> nn.Sequential:
        """From z (B, latent_dim) to logits (B, C, H, W); meets any size, not only powers of two."""
        sizes = _sizes(sample_shape, len(config.channels))[::-1]
        channels = [*reversed(config.channels), sample_shape[0]]
        start = (channels[0], *sizes[0])
        stack: list[nn.Module] = [
            nn.Linear(latent_dim, math.prod(start)),
            *_after(config, math.prod(start), spatial=False),
        ]
        stack.append(nn.Unflatten(1, start))
        for layer, (before, after) in enumerate(itertools.pairwise(channels)):
            # A side of n comes from one of (n + 1) // 2: 2 * ((n + 1) // 2) - 1 is n or n - 1.
            missing = (1 - sizes[layer + 1][0] % 2, 1 - sizes[layer + 1][1] % 2)
            stack.append(nn.ConvTranspose2d(before, after, 3, stride=2, padding=1, output_padding=missing))
            if layer < len(channels) - 2:
                stack += _after(config, after, spatial=True)
        return nn.Sequential(*stack)


def _dense_stack(config: DenseConfig, sizes: list[int]) -> list[nn.Module]:
    stack: list[nn.Module] = []
    for before, after in itertools.pairwise(sizes):
        stack += [nn.Linear(before, after), *_after(config, after, spatial=False)]
    return stack


def _after(config: BodyConfig, size: int, spatial: bool) -> list[nn.Module]:
    """What follows a layer of `size` outputs or channels: normalisation, the bend, dropout."""
    modules: list[nn.Module] = []
    if config.norm == "batch":
        modules.append(nn.BatchNorm2d(size) if spatial else nn.BatchNorm1d(size))
    if config.norm == "layer":
        modules.append(nn.GroupNorm(1, size))
    modules.append(ACTIVATIONS[config.activation]())
    if config.dropout:
        modules.append(nn.Dropout2d(config.dropout) if spatial else nn.Dropout(config.dropout))
    return modules


def _image_shape(sample_shape: tuple[int, ...]) -> tuple[int, int, int]:
    if len(sample_shape) != 3:
        raise BadValue(
            "a convolutional body needs images, not samples of shape {shape}; take the dense body", shape=sample_shape
        )
    channels, height, width = sample_shape
    return channels, height, width


def _sizes(sample_shape: tuple[int, ...], layers: int) -> list[tuple[int, int]]:
    """Height and width before the first and after each layer of stride 2.

    Raises:
        BadValue: the image has become one pixel before the last layer.
    """
    _, height, width = _image_shape(sample_shape)
    sizes = [(height, width)]
    for layer in range(layers):
        if sizes[-1] == (1, 1):
            raise BadValue(
                "body.channels: {layers} layers are too many for images of {height} x {width}: "
                "after {layer} halvings a single pixel is left; use at most {layer} layers",
                layers=layers, height=height, width=width, layer=layer,
            )  # fmt: skip
        sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
    return sizes


Body = Annotated[DenseConfig | ConvConfig, Field(discriminator="name")]
BODIES: dict[str, type[Dense] | type[Conv]] = {body.name: body for body in (Dense, Conv)}
