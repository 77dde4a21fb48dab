"""The denoising autoencoder: rebuilds the clean image from a noisy one."""

from dataclasses import replace
from typing import Literal

from pydantic import Field
from torch import Tensor

from aeviz.config import LIVE
from aeviz.models.base import Autoencoder, Batch, ModelConfig


class DenoisingConfig(ModelConfig):
    """How much noise is put on the input."""

    variant: Literal["denoising"] = "denoising"
    noise: float = Field(
        0.3,
        ge=0.0,
        le=2.0,
        multiple_of=0.05,
        description="Standard deviation of the noise added to pixels in [0, 1].",
        json_schema_extra=LIVE,
    )


class DenoisingAutoencoder(Autoencoder):
    """Sees a corrupted image and must rebuild the clean one (Vincent et al., JMLR 2010)."""

    name = "denoising"
    label = "Denoising"
    summary = "Sees the image under noise and must rebuild the clean one, so the code keeps what is robust."
    Config = DenoisingConfig
    config: DenoisingConfig

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Adds the noise while training only, so that validation compares like with like."""
        if not self.training:
            return super().losses(batch)
        noisy = (batch.x + self.dials["noise"] * batch.normal_like(batch.x)).clamp(0.0, 1.0)
        return super().losses(replace(batch, x=noisy))
