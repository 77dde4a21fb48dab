"""The beta-VAE: a VAE with an adjustable weight of the KL term."""

from typing import Literal

from pydantic import Field
from torch import Tensor

from aeviz.config import LIVE
from aeviz.models.variants.vae import VAE, VariationalConfig


class BetaVAEConfig(VariationalConfig):
    """Settings of the beta-VAE."""

    variant: Literal["beta_vae"] = "beta_vae"
    beta: float = Field(
        4.0,
        ge=0.0,
        le=1000.0,
        description="Weight of the KL term: above 1 more disentangled codes, below 1 sharper reconstructions.",
        json_schema_extra=LIVE,
    )


class BetaVAE(VAE):
    """A VAE whose KL term is weighted by beta (Higgins et al., ICLR 2017)."""

    name = "beta_vae"
    label = "beta-VAE"
    summary = "A VAE with adjustable KL weight: higher beta gives more disentangled dimensions and blurrier images."
    Config = BetaVAEConfig
    config: BetaVAEConfig

    def kl_weight(self) -> Tensor | float:
        """Beta, times the share of the warm-up that is over (Higgins et al., ICLR 2017)."""
        return self.live["beta"] * super().kl_weight()
