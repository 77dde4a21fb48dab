"""The regularised autoencoder: a smooth latent space without a VAE's noise."""

from typing import Literal

from pydantic import Field
from torch import Tensor

from aeviz.config import LIVE
from aeviz.models.base import Autoencoder, Batch, ModelConfig


class RAEConfig(ModelConfig):
    """Settings of the regularised autoencoder."""

    variant: Literal["rae"] = "rae"
    code_penalty: float = Field(
        0.01,
        ge=0.0,
        le=100.0,
        description="Weight of the codes' squared length: larger packs them closer around the origin.",
        json_schema_extra=LIVE,
    )
    decoder_penalty: float = Field(
        1e-4,
        ge=0.0,
        le=10.0,
        description="Weight of the decoder's squared weights: larger makes the space between codes smoother.",
        json_schema_extra=LIVE,
    )


class RegularisedAutoencoder(Autoencoder):
    """RAE-L2: squared codes and squared decoder weights (Ghosh et al., ICLR 2020, https://arxiv.org/abs/1903.12436)."""

    name = "rae"
    label = "Regularised (RAE)"
    summary = "Penalises code length and decoder weights: almost as smooth as a VAE's latent space, without noise."
    Config = RAEConfig
    config: RAEConfig

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Reconstruction, code norm and decoder weights (Ghosh et al., ICLR 2020)."""
        z = self.code(batch.x).float()
        reconstruction = self.reconstruction(z, batch.target)
        length = 0.5 * z.square().sum(1).mean()
        weights = self._decoder_weights(reconstruction)
        return {
            "reconstruction": reconstruction,
            "code_length": length,
            "decoder_weights": weights,
            "total": reconstruction + self.live["code_penalty"] * length + self.live["decoder_penalty"] * weights,
        }

    def _decoder_weights(self, like: Tensor) -> Tensor:
        """The sum of the decoder's squared weights, without biases and norm parameters."""
        total = like.new_zeros(())
        for parameter in self.decoder.parameters():
            if parameter.dim() > 1:
                total = total + parameter.square().sum()
        return total
