"""Autoencoders: base class, bodies, one file per variant, and cost estimates."""

from typing import Any

from aeviz.errors import BadValue, UnknownName
from aeviz.models.base import Autoencoder, Batch, ModelConfig
from aeviz.models.bodies.build import BODIES
from aeviz.models.bodies.settings import CustomConfig, LayerConfig
from aeviz.models.bodies.shapes import BadLayer
from aeviz.models.losses import LOSSES
from aeviz.models.posterior import Gaussian
from aeviz.models.variants.autoencoder import PlainAutoencoder
from aeviz.models.variants.beta_tc_vae import BetaTCVAE
from aeviz.models.variants.beta_vae import BetaVAE
from aeviz.models.variants.contractive import ContractiveAutoencoder
from aeviz.models.variants.cvae import ConditionalVAE
from aeviz.models.variants.denoising import DenoisingAutoencoder, corrupt
from aeviz.models.variants.rae import RegularisedAutoencoder
from aeviz.models.variants.sparse import SparseAutoencoder
from aeviz.models.variants.vae import VAE
from aeviz.models.variants.vq_vae import VectorQuantisedAutoencoder
from aeviz.models.variants.wae_mmd import WassersteinAutoencoder

__all__ = [
    "BODIES",
    "LOSSES",
    "VARIANTS",
    "Autoencoder",
    "BadLayer",
    "Batch",
    "CustomConfig",
    "Gaussian",
    "LayerConfig",
    "ModelConfig",
    "build",
    "corrupt",
    "fitted_to",
    "model_config",
    "variant",
]

VARIANTS: dict[str, type[Autoencoder]] = {
    cls.name: cls
    for cls in (
        PlainAutoencoder,
        DenoisingAutoencoder,
        SparseAutoencoder,
        ContractiveAutoencoder,
        RegularisedAutoencoder,
        VAE,
        BetaVAE,
        BetaTCVAE,
        ConditionalVAE,
        WassersteinAutoencoder,
        VectorQuantisedAutoencoder,
    )
}


def variant(name: str) -> type[Autoencoder]:
    """The variant class of this name.

    Raises:
        UnknownName: no such variant.
    """
    if name not in VARIANTS:
        raise UnknownName(
            "no autoencoder variant is called {name!r}; there are: {known}", name=name, known=", ".join(VARIANTS)
        )
    return VARIANTS[name]


def model_config(values: dict[str, Any]) -> ModelConfig:
    """Parse the settings of the variant named in `values` (default: the plain autoencoder).

    Raises:
        UnknownName: no such variant.
        BadValue: a setting is not allowed.
    """
    return variant(str(values.get("variant", PlainAutoencoder.name))).Config.parse(values)


def fitted_to(model: dict[str, Any], sample_shape: tuple[int, ...], classes: int | None = None) -> ModelConfig:
    """Model settings for samples of this shape and, for conditional variants, this many classes.

    Raises:
        BadValue: a setting is not allowed.
    """
    config = model_config({**model, "sample_shape": sample_shape})
    if classes is None or "n_classes" not in type(config).model_fields:
        return config
    asked = model.get("n_classes", classes)
    if asked != classes:
        raise BadValue(
            "model.n_classes = {asked} cannot be set; it is that of the images, {classes}", asked=asked, classes=classes
        )
    return model_config({**config.to_json(), "n_classes": classes})


def build(config: ModelConfig, loss: str = "mse") -> Autoencoder:
    """Build a network, initialised with torch's global generator."""
    return variant(config.variant)(config, loss)
