"""The variational autoencoder: the code of an image is a distribution, kept close to N(0, 1)."""

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from aeviz.config import LIVE
from aeviz.models.base import Autoencoder, Batch, ModelConfig
from aeviz.models.posterior import Gaussian


class VariationalConfig(ModelConfig):
    """Settings of all variational autoencoders against posterior collapse."""

    annealing: float = Field(
        0.0,
        ge=0.0,
        le=1000.0,
        description="Epochs in which the KL weight warms up from 0, so that codes become informative first.",
        json_schema_extra=LIVE,
    )
    free_bits: float = Field(
        0.0,
        ge=0.0,
        le=10.0,
        description="Nats per dimension without penalty: its KL is not pushed below this.",
        json_schema_extra=LIVE,
    )


class VAEConfig(VariationalConfig):
    """Settings of the VAE."""

    variant: Literal["vae"] = "vae"


class VAE(Autoencoder):
    """Maximises the evidence lower bound (Kingma & Welling, ICLR 2014, https://arxiv.org/abs/1312.6114)."""

    name = "vae"
    label = "VAE"
    summary = "Codes are small Gaussians packed around the origin: a smooth latent space to sample from."
    usual_loss = "bernoulli"  # in nats like the KL term; squared errors are too small against it and codes collapse
    Config: ClassVar[type[ModelConfig]] = VAEConfig
    config: VariationalConfig

    def encoder_features(self) -> int:
        """Outputs of the encoder: mean and log-variance, 2 D."""
        return 2 * self.config.latent_dim

    def encode(self, x: Tensor, labels: Tensor | None = None) -> Gaussian:
        """The posterior over z given x (B, ...)."""
        return gaussian(self.encoder(x))

    def advance(self, epochs: float) -> None:
        """Warm up the KL weight by the epochs done (KL annealing, Bowman et al. 2016, 1511.06349)."""
        rise = self.config.annealing
        self.live.set_warmup(min(1.0, epochs / rise) if rise else 1.0)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Reconstruction from a sampled code (outside training: the mean) and KL to N(0, 1), in nats."""
        posterior = self.encode(batch.x)
        return self.bound(self.reconstruction(self.draw(posterior, batch), batch.target), posterior)

    def draw(self, posterior: Gaussian, batch: Batch) -> Tensor:
        """Sample a code (B, D) from the posterior; outside training, return its mean."""
        return posterior.sample(batch.normal_like(posterior.mu)) if self.training else posterior.mode

    def bound(self, reconstruction: Tensor, posterior: Gaussian) -> dict[str, Tensor]:
        """The terms of the negative ELBO: `kl` is unweighted, `total` includes it with weight and free bits.

        Free bits are a floor for each dimension's mean over the batch (Kingma et al. 2016, 1606.04934); in
        distributed training, over each process's shard.
        """
        by_dimension = posterior.kl().mean(0)  # (B, D) -> (D,)
        floored = torch.maximum(by_dimension, self.live["free_bits"]).sum()
        return {
            "reconstruction": reconstruction,
            "kl": by_dimension.sum(),
            "total": reconstruction + self.kl_weight() * floored,
        }

    def kl_weight(self) -> Tensor | float:
        """Weight of the KL term; warms up in training only, so that validation losses are comparable."""
        return self.live["warmup"] if self.training else 1.0


def gaussian(features: Tensor) -> Gaussian:
    """The posterior parameterised by an encoder's output (B, 2D), in float32."""
    mu, log_var = features.float().chunk(2, dim=1)  # (B, 2D) -> (B, D), (B, D)
    return Gaussian(mu, log_var.clamp(-30.0, 20.0))
