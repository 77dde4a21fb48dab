"""The Wasserstein autoencoder: deterministic codes whose distribution matches N(0, 1)."""

from typing import Literal

from pydantic import Field
from torch import Tensor

from aeviz.config import LIVE
from aeviz.models.base import Autoencoder, Batch, ModelConfig
from aeviz.models.precision import in_float32

SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)  # of the kernel's width, as in the authors' code
MOST = 2048  # codes compared with as many samples of the prior


class WAEConfig(ModelConfig):
    """Settings of the WAE-MMD."""

    variant: Literal["wae_mmd"] = "wae_mmd"
    mmd: float = Field(
        10.0,
        ge=0.0,
        le=100_000.0,
        description="Weight of the distance (MMD) between codes and samples from N(0, 1).",
        json_schema_extra=LIVE,
    )


class WassersteinAutoencoder(Autoencoder):
    """Penalises the distance of the aggregate posterior to N(0, 1) (Tolstikhin et al., ICLR 2018, 1711.01558).

    The distance is the maximum mean discrepancy; in distributed training, of each process's shard.
    """

    name = "wae_mmd"
    label = "WAE-MMD"
    summary = "The codes match a normal distribution to sample from, with sharper reconstructions than a VAE."
    Config = WAEConfig
    config: WAEConfig

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Reconstruction and the MMD between codes and the prior (Tolstikhin et al., ICLR 2018)."""
        z = self.code(batch.x).float()
        reconstruction = self.reconstruction(z, batch.target)
        distance = mmd(z[:MOST], batch.normal_like(z)[:MOST])
        return {
            "reconstruction": reconstruction,
            "mmd": distance,
            "total": reconstruction + self.live["mmd"] * distance,
        }


def mmd(x: Tensor, y: Tensor) -> Tensor:
    """Unbiased squared maximum mean discrepancy of samples x, y (B, D); may be slightly negative.

    The kernel is the inverse multiquadratic C / (C + |x - y|^2), summed over widths C around 2 D, the mean squared
    distance of two draws from N(0, 1). Its tails are heavier than a Gaussian's, so that distant codes get gradients.
    """
    with in_float32(x):
        pairs = len(x) * max(len(x) - 1, 1)
        within = [(kernel.sum() - kernel.diagonal().sum()) / pairs for kernel in (_kernel(x, x), _kernel(y, y))]
        return within[0] + within[1] - 2 * _kernel(x, y).mean()


def _kernel(x: Tensor, y: Tensor) -> Tensor:
    """The kernel matrix (B, B) of x and y (B, D)."""
    squared = x.square().sum(1)[:, None] + y.square().sum(1) - 2 * x @ y.T
    squared = squared.clamp(min=0.0)
    kernel = squared.new_zeros(squared.shape)
    for scale in SCALES:
        width = 2.0 * x.shape[1] * scale
        kernel = kernel + width / (width + squared)
    return kernel
