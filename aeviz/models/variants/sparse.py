"""The sparse autoencoder: a wide code with few active units per image."""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from aeviz.config import LIVE
from aeviz.models.base import Autoencoder, Batch, ModelConfig


class SparseConfig(ModelConfig):
    """Settings of the sparse autoencoder."""

    variant: Literal["sparse"] = "sparse"
    penalty: Literal["l1", "kl"] = Field(
        "l1", description="l1: the sum of absolute codes. kl: keeps each unit's mean activation near a target."
    )
    sparsity: float = Field(
        0.05, ge=0.0, le=100.0, description="Weight of the penalty in the total loss.", json_schema_extra=LIVE
    )
    target: float = Field(
        0.05, gt=0.0, lt=1.0, description="Target mean activation (kl only): .05 is active for one image in twenty."
    )


class SparseAutoencoder(Autoencoder):
    """Penalises the code's activity: L1, or KL to a target activation (Ng, CS294A lecture notes, 2011).

    With the KL penalty the code passes through a sigmoid, since a mean activation has to be in (0, 1).
    """

    name = "sparse"
    label = "Sparse"
    summary = "A wide code in which only a few units are active for each image."
    Config = SparseConfig
    config: SparseConfig

    def encode(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """Codes z (B, D) in (0, 1): a sigmoid follows the encoder."""
        z = self.encoder(x)
        return z.sigmoid() if self.config.penalty == "kl" else z

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Reconstruction and the KL divergence of mean activities from the target sparsity (Ng, CS294A, 2011)."""
        z = self.encode(batch.x)
        reconstruction = self.reconstruction(z, batch.target)
        sparsity = self._kl(z) if self.config.penalty == "kl" else z.float().abs().sum(1).mean()
        return {
            "reconstruction": reconstruction,
            "sparsity": sparsity,
            "total": reconstruction + self.live["sparsity"] * sparsity,
        }

    def _kl(self, z: Tensor) -> Tensor:
        """KL between Bernoulli distributions of target and mean activation, summed over units (nats)."""
        target = torch.full((), self.config.target, device=z.device)
        mean = z.float().mean(0).clamp(1e-6, 1 - 1e-6)  # (B, D) -> (D,)
        off = (1 - target) * ((1 - target) / (1 - mean)).log()
        return (target * (target / mean).log() + off).sum()
