"""The undercomplete autoencoder: a small code is its only constraint."""

from typing import Literal

from aeviz.models.base import Autoencoder, ModelConfig


class PlainConfig(ModelConfig):
    """Settings of the plain autoencoder."""

    variant: Literal["autoencoder"] = "autoencoder"


class PlainAutoencoder(Autoencoder):
    """Reconstructs images from a small code (Hinton & Salakhutdinov, Science 2006)."""

    name = "autoencoder"
    label = "Autoencoder"
    summary = "Compresses the image into a small code and reconstructs it. A good one to start with."
    Config = PlainConfig
