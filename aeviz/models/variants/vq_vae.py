"""The vector-quantised autoencoder: a code is made of entries of a learned codebook."""

from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from aeviz.config import LIVE
from aeviz.models.base import Autoencoder, Batch, ModelConfig
from aeviz.models.precision import in_float32

ATTRACTION = 0.1  # weight of the term that pulls unused entries towards codes
SPREAD = 0.3  # standard deviation of initial entries, about that of an untrained network's codes


class VQVAEConfig(ModelConfig):
    """Settings of the VQ-VAE."""

    variant: Literal["vq_vae"] = "vq_vae"
    codebook: int = Field(256, ge=2, le=8192, description="Number of codebook entries.")
    code_size: int = Field(
        2, ge=1, le=512, description="Dimensions per codebook entry; the code is split into groups of this size."
    )
    commitment: float = Field(
        0.25,
        ge=0.0,
        le=100.0,
        description="Weight of the commitment loss, which keeps the encoder close to the chosen entries.",
        json_schema_extra=LIVE,
    )


class VectorQuantisedAutoencoder(Autoencoder):
    """Quantises groups of the code to the nearest codebook entry (van den Oord et al., NeurIPS 2017, 1711.00937).

    The D dimensions are G groups of S (the last may be shorter), flattened for the map; `decode` quantises its input.
    Gradients pass straight through the quantisation. A codebook loss moves entries towards the codes assigned to them,
    and each entry is also pulled a little towards its nearest code, so that none stays unused.
    """

    name = "vq_vae"
    label = "VQ-VAE"
    summary = "A code is a few entries of a learned codebook: discrete, with a size in bits."
    Config = VQVAEConfig
    config: VQVAEConfig

    def __init__(self, config: VQVAEConfig, loss: str = "mse") -> None:
        super().__init__(config, loss)
        self.codebook = nn.Embedding(config.codebook, min(config.code_size, config.latent_dim))
        nn.init.normal_(self.codebook.weight, std=SPREAD)

    def encode(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """The quantised code (B, D) of x."""
        return self.quantise(self.encoder(x))

    def decoder_input(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """The codebook vectors (B, D) nearest to z (B, D)."""
        return self.quantise(z)

    def quantise(self, z: Tensor) -> Tensor:
        """Replace every group of codes (B, D) by its nearest entry; idempotent."""
        return self._words(self._distances(self._groups(z)).argmin(2), z)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Also reports `perplexity`, the effective number of entries in use, which is not part of the total."""
        z = self.encoder(batch.x).float()
        distances = self._distances(self._groups(z.detach()))  # (B, G, K)
        chosen = distances.argmin(2)
        quantised = self._words(chosen, z)
        reconstruction = self.reconstruction(z + (quantised - z).detach(), batch.target)
        codebook = (quantised - z.detach()).square().sum(1).mean() + ATTRACTION * distances.amin((0, 1)).mean()
        commitment = (z - quantised.detach()).square().sum(1).mean()
        return {
            "reconstruction": reconstruction,
            "codebook": codebook,
            "commitment": commitment,
            "perplexity": perplexity(chosen, self.config.codebook),
            "total": reconstruction + codebook + self.live["commitment"] * commitment,
        }

    def _groups(self, z: Tensor) -> Tensor:
        """Codes (B, D) as groups (B, G, S), the last one zero-padded."""
        size = self.codebook.embedding_dim
        return F.pad(z.float(), (0, -z.shape[1] % size)).unflatten(1, (-1, size))

    def _words(self, chosen: Tensor, z: Tensor) -> Tensor:
        """The chosen entries (B, G) as codes of the shape of z (B, D)."""
        return self.codebook(chosen).flatten(1)[:, : z.shape[1]]

    def _distances(self, groups: Tensor) -> Tensor:
        """Squared distances (B, G, K) of groups (B, G, S) to all entries, without the padding."""
        entries = self.codebook.weight.float()  # (K, S)
        size, numbers = entries.shape[1], torch.arange(groups[0].numel(), device=groups.device)
        there = (numbers < self.config.latent_dim).float().unflatten(0, (-1, size))  # (G, S)
        with in_float32(groups):
            of_entries = there @ entries.square().T  # (G, K)
            return groups.square().sum(2, keepdim=True) - 2 * groups @ entries.T + of_entries


def perplexity(chosen: Tensor, entries: int) -> Tensor:
    """Effective number of entries in use: the exponential of the entropy of their usage."""
    flat = chosen.flatten()
    counts = torch.zeros(entries, device=chosen.device).scatter_add_(
        0, flat, torch.ones_like(flat, dtype=torch.float32)
    )
    share = counts / flat.numel()
    return torch.special.entr(share).sum().exp()
