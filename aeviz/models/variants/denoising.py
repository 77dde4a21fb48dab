"""The denoising autoencoder: rebuilds the clean image from a spoiled one."""

from dataclasses import replace
from typing import Literal

from pydantic import Field
from torch import Tensor

from aeviz.config import LIVE
from aeviz.models.base import Autoencoder, Batch, ModelConfig
from aeviz.models.variants import noise


class DenoisingConfig(ModelConfig):
    """What is put on the input, and how much of it."""

    variant: Literal["denoising"] = "denoising"
    kind: Literal["gaussian", "salt_pepper", "masking", "blur"] = Field(
        "gaussian",
        description="Gaussian noise, pixels turned black or white, blackened square blocks, or a Gaussian blur.",
    )
    noise: float = Field(
        0.3,
        ge=0.0,
        le=2.0,
        multiple_of=0.05,
        description=(
            "Gaussian: deviation added to pixels in [0, 1]. Salt and pepper, masking: share of the image hit. "
            "Blur: its sigma in eighths of the image's side."
        ),
        json_schema_extra=LIVE,
    )


class DenoisingAutoencoder(Autoencoder):
    """Sees a corrupted image and must rebuild the clean one (Vincent et al., JMLR 2010)."""

    name = "denoising"
    label = "Denoising"
    summary = "Sees the image under noise and must rebuild the clean one, so the code keeps what is robust."
    Config = DenoisingConfig
    config: DenoisingConfig

    def __init__(self, config: DenoisingConfig, loss: str = "mse") -> None:
        noise.check(config.sample_shape, config.kind)
        super().__init__(config, loss)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Adds the noise while training only, so that validation compares like with like."""
        if not self.training:
            return super().losses(batch)
        return super().losses(replace(batch, x=corrupt(self.config, batch, self.live["noise"])))


def corrupt(config: DenoisingConfig, batch: Batch, strength: Tensor | float) -> Tensor:
    """What the network would be fed for a batch: x (B, ...) in [0, 1] under the settings' kind of noise.

    Raises:
        BadValue: a blur of what is no image.
    """
    return noise.NOISES[config.kind](batch, strength)
