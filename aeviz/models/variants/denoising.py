"""The denoising autoencoder: reconstructs the clean image from a corrupted one."""

from dataclasses import replace
from typing import Literal

from pydantic import Field
from torch import Tensor

from aeviz.config import LIVE
from aeviz.models.base import Autoencoder, Batch, ModelConfig
from aeviz.models.variants import noise


class DenoisingConfig(ModelConfig):
    """Settings of the denoising autoencoder."""

    variant: Literal["denoising"] = "denoising"
    kind: Literal["gaussian", "salt_pepper", "masking", "blur"] = Field(
        "gaussian",
        description="Gaussian noise, pixels set to black or white, blackened square blocks, or a Gaussian blur.",
    )
    noise: float = Field(
        0.3,
        ge=0.0,
        le=2.0,
        multiple_of=0.05,
        description=(
            "Gaussian: standard deviation for pixels in [0, 1]. Salt and pepper, masking: share of the image "
            "affected. Blur: its sigma in eighths of the image's side."
        ),
        json_schema_extra=LIVE,
    )


class DenoisingAutoencoder(Autoencoder):
    """Reconstructs the clean image from a corrupted one (Vincent et al., JMLR 2010)."""

    name = "denoising"
    label = "Denoising"
    summary = "Reconstructs the clean image from a noisy one, so the code learns robust features."
    Config = DenoisingConfig
    config: DenoisingConfig

    def __init__(self, config: DenoisingConfig, loss: str = "mse") -> None:
        noise.check(config.sample_shape, config.kind)
        super().__init__(config, loss)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Corrupts the input in training only, so that validation losses are comparable."""
        if not self.training:
            return super().losses(batch)
        return super().losses(replace(batch, x=corrupt(self.config, batch, self.live["noise"])))


def corrupt(config: DenoisingConfig, batch: Batch, strength: Tensor | float) -> Tensor:
    """The corrupted input x (B, ...) in [0, 1] of a batch, by the configured kind of noise.

    Raises:
        BadValue: a blur of samples that are not images.
    """
    return noise.NOISES[config.kind](batch, strength)
