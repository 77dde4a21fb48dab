"""The variational autoencoder: the code of an image is a distribution, held near one everybody can sample from."""

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from aeviz.config import LIVE
from aeviz.models.base import Autoencoder, Batch, ModelConfig
from aeviz.models.posterior import Gaussian


class VariationalConfig(ModelConfig):
    """What every variational autoencoder can choose against codes that fall silent."""

    annealing: float = Field(
        0.0,
        ge=0.0,
        le=1000.0,
        description="Epochs in which the weight of the KL term rises from 0 to its own, so that codes learn to speak first.",
        json_schema_extra=LIVE,
    )
    free_bits: float = Field(
        0.0,
        ge=0.0,
        le=10.0,
        description="Nats that each dimension may say for free: its KL is pressed no further down than this.",
        json_schema_extra=LIVE,
    )


class VAEConfig(VariationalConfig):
    """No settings of its own."""

    variant: Literal["vae"] = "vae"


class VAE(Autoencoder):
    """Maximises the evidence lower bound (Kingma & Welling, ICLR 2014, https://arxiv.org/abs/1312.6114)."""

    name = "vae"
    label = "VAE"
    summary = "Codes are little clouds packed around the origin: a smooth space one can sample from."
    usual_loss = "bernoulli"  # in nats like the KL term; squared errors are small against it, and codes collapse
    Config: ClassVar[type[ModelConfig]] = VAEConfig
    config: VariationalConfig

    def encoder_features(self) -> int:
        return 2 * self.config.latent_dim

    def encode(self, x: Tensor, labels: Tensor | None = None) -> Gaussian:
        return gaussian(self.encoder(x))

    def advance(self, epochs: float) -> None:
        """Let the KL term's weight rise with the epochs done (KL annealing, Bowman et al. 2016, 1511.06349)."""
        rise = self.config.annealing
        self.live.set_warmup(min(1.0, epochs / rise) if rise else 1.0)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Reconstruction of a sampled code and KL to N(0, 1), in nats; the mean code stands in outside training."""
        posterior = self.encode(batch.x)
        return self.bound(self.reconstruction(self.draw(posterior, batch), batch.target), posterior)

    def draw(self, posterior: Gaussian, batch: Batch) -> Tensor:
        """A code (B, D) of the posterior, its mean outside training."""
        return posterior.sample(batch.normal_like(posterior.mu)) if self.training else posterior.mode

    def bound(self, reconstruction: Tensor, posterior: Gaussian) -> dict[str, Tensor]:
        """The terms of the bound: `kl` is the true one, `total` has it weighed and above the free bits.

        Free bits floor each dimension's mean over the batch (Kingma et al. 2016, 1606.04934); where several
        processes share a batch, over each one's share.
        """
        by_dimension = posterior.kl().mean(0)  # (B, D) -> (D,)
        floored = torch.maximum(by_dimension, self.live["free_bits"]).sum()
        return {
            "reconstruction": reconstruction,
            "kl": by_dimension.sum(),
            "total": reconstruction + self.kl_weight() * floored,
        }

    def kl_weight(self) -> Tensor | float:
        """What the KL term weighs; it warms up while training only, so that validation compares like with like."""
        return self.live["warmup"] if self.training else 1.0


def gaussian(features: Tensor) -> Gaussian:
    """The posterior that an encoder's output (B, 2D) describes, in float32."""
    mu, log_var = features.float().chunk(2, dim=1)  # (B, 2D) -> (B, D), (B, D)
    return Gaussian(mu, log_var.clamp(-30.0, 20.0))
