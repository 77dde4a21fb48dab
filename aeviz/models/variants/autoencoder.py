"""The undercomplete autoencoder: nothing but a narrow code."""

from typing import Literal

from aeviz.models.base import Autoencoder, ModelConfig


class PlainConfig(ModelConfig):
    """No settings of its own."""

    variant: Literal["autoencoder"] = "autoencoder"


class PlainAutoencoder(Autoencoder):
    """Squeezes images through a narrow code (Hinton & Salakhutdinov, Science 2006)."""

    name = "autoencoder"
    label = "Autoencoder"
    summary = "Squeezes the image through a narrow code and rebuilds it. The plain one to begin with."
    Config = PlainConfig
