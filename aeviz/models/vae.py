"""The variational autoencoder: the code of an image is a distribution, held near one everybody can sample from."""

from typing import ClassVar, Literal

from torch import Tensor

from aeviz.models.base import Autoencoder, Batch, ModelConfig
from aeviz.models.posterior import Gaussian


class VAEConfig(ModelConfig):
    """No settings of its own."""

    variant: Literal["vae"] = "vae"


class VAE(Autoencoder):
    """Maximises the evidence lower bound (Kingma & Welling, ICLR 2014, https://arxiv.org/abs/1312.6114)."""

    name = "vae"
    label = "VAE"
    summary = "Codes are little clouds packed around the origin: a smooth space one can sample from."
    usual_loss = "bernoulli"  # in nats like the KL term; squared errors are small against it, and codes collapse
    Config: ClassVar[type[ModelConfig]] = VAEConfig

    def encoder_features(self) -> int:
        return 2 * self.config.latent_dim

    def encode(self, x: Tensor) -> Gaussian:
        mu, log_var = self.encoder(x).chunk(2, dim=1)  # (B, 2D) -> (B, D), (B, D)
        return Gaussian(mu, log_var.clamp(-30.0, 20.0))

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Reconstruction of a sampled code and KL to N(0, 1), in nats; the mean code stands in outside training."""
        posterior = self.encode(batch.x)
        z = posterior.sample(batch.normal_like(posterior.mu)) if self.training else posterior.mode
        reconstruction = self.reconstruction(z, batch.target)
        kl = posterior.kl().sum(1).mean()
        return {"reconstruction": reconstruction, "kl": kl, "total": reconstruction + kl}
