"""The vector-quantised autoencoder: a code is a few words of a small vocabulary."""

from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from aeviz.config import LIVE
from aeviz.models.base import Autoencoder, Batch, ModelConfig
from aeviz.models.precision import in_float32

ATTRACTION = 0.1  # weight of what draws idle entries near
SPREAD = 0.3  # of fresh entries, about that of the codes of a network that has just begun


class VQVAEConfig(ModelConfig):
    """How large the vocabulary is."""

    variant: Literal["vq_vae"] = "vq_vae"
    codebook: int = Field(256, ge=2, le=8192, description="Entries of the codebook: words a code can be made of.")
    code_size: int = Field(
        2, ge=1, le=512, description="Numbers per word; the code's numbers are split into so many at a time."
    )
    commitment: float = Field(
        0.25,
        ge=0.0,
        le=100.0,
        description="Weight of what holds the encoder to the words it chose.",
        json_schema_extra=LIVE,
    )


class VectorQuantisedAutoencoder(Autoencoder):
    """Snaps groups of the code to the nearest codebook entry (van den Oord et al., NeurIPS 2017, 1711.00937).

    The D numbers are G groups of S (the last may be shorter), flattened for the map; `decode` snaps what it is given.
    Gradients pass the snapping straight through. Entries follow the codes that chose them, by a loss; and each is
    drawn a little to the code nearest to it, so that none lies idle far from all.
    """

    name = "vq_vae"
    label = "VQ-VAE"
    summary = "A code is a few words of a learned vocabulary: discrete, and easy to count in bits."
    Config = VQVAEConfig
    config: VQVAEConfig

    def __init__(self, config: VQVAEConfig, loss: str = "mse") -> None:
        super().__init__(config, loss)
        self.codebook = nn.Embedding(config.codebook, min(config.code_size, config.latent_dim))
        nn.init.normal_(self.codebook.weight, std=SPREAD)

    def encode(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """The code (B, D) of x, snapped."""
        return self.snap(self.encoder(x))

    def decoder_input(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.snap(z)

    def snap(self, z: Tensor) -> Tensor:
        """Codes (B, D) with every group replaced by the nearest entry; what is snapped stays as it is."""
        return self._words(self._distances(self._groups(z)).argmin(2), z)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Also `perplexity`, how many entries are in use: of no weight in the total."""
        z = self.encoder(batch.x).float()
        distances = self._distances(self._groups(z.detach()))  # (B, G, K)
        chosen = distances.argmin(2)
        snapped = self._words(chosen, z)
        reconstruction = self.reconstruction(z + (snapped - z).detach(), batch.target)
        codebook = (snapped - z.detach()).square().sum(1).mean() + ATTRACTION * distances.amin((0, 1)).mean()
        commitment = (z - snapped.detach()).square().sum(1).mean()
        return {
            "reconstruction": reconstruction,
            "codebook": codebook,
            "commitment": commitment,
            "perplexity": perplexity(chosen, self.config.codebook),
            "total": reconstruction + codebook + self.live["commitment"] * commitment,
        }

    def _groups(self, z: Tensor) -> Tensor:
        """Codes (B, D) as groups (B, G, S), the last filled up with zeros."""
        size = self.codebook.embedding_dim
        return F.pad(z.float(), (0, -z.shape[1] % size)).unflatten(1, (-1, size))

    def _words(self, chosen: Tensor, z: Tensor) -> Tensor:
        """The entries chosen (B, G), as codes like z (B, D)."""
        return self.codebook(chosen).flatten(1)[:, : z.shape[1]]

    def _distances(self, groups: Tensor) -> Tensor:
        """Squared distances (B, G, K) of groups (B, G, S) to all entries, over the numbers that a group has."""
        entries = self.codebook.weight.float()  # (K, S)
        size, numbers = entries.shape[1], torch.arange(groups[0].numel(), device=groups.device)
        there = (numbers < self.config.latent_dim).float().unflatten(0, (-1, size))  # (G, S)
        with in_float32(groups):
            of_entries = there @ entries.square().T  # (G, K)
            return groups.square().sum(2, keepdim=True) - 2 * groups @ entries.T + of_entries


def perplexity(chosen: Tensor, entries: int) -> Tensor:
    """How many of so many entries are in use, as 2 to the entropy in bits of how often they are chosen."""
    flat = chosen.flatten()
    counts = torch.zeros(entries, device=chosen.device).scatter_add_(
        0, flat, torch.ones_like(flat, dtype=torch.float32)
    )
    share = counts / flat.numel()
    return torch.special.entr(share).sum().exp()
