"""The conditional VAE: conditioned on the class, its code describes everything else."""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from aeviz.config import FROM_DATA
from aeviz.models.base import Batch
from aeviz.models.posterior import Gaussian
from aeviz.models.variants.vae import VAE, VariationalConfig, gaussian

SHARE_UNKNOWN = 0.1  # of the labels dropped while training


class CVAEConfig(VariationalConfig):
    """Settings of the conditional VAE."""

    variant: Literal["cvae"] = "cvae"
    n_classes: int = Field(
        0, ge=0, le=10_000, description="Number of classes, K; taken from the data set.", json_schema_extra=FROM_DATA
    )


class ConditionalVAE(VAE):
    """A VAE whose encoder and decoder are conditioned on the class (Sohn et al., NeurIPS 2015).

    Both take the one-hot label: the decoder next to the code, the encoder at its last layer, where a linear layer on
    features and label amounts to a shift by class. An extra class stands for "unknown"; one label in ten is dropped in
    training, so that images without a label can be encoded and decoded.
    """

    name = "cvae"
    label = "Conditional VAE"
    summary = "Conditioned on the class, so the code describes the style: render any class in any image's style."
    Config = CVAEConfig
    config: CVAEConfig

    def __init__(self, config: CVAEConfig, loss: str = "mse") -> None:
        super().__init__(config, loss)
        self.shift = nn.Linear(config.n_classes + 1, self.encoder_features(), bias=False)

    @property
    def n_classes(self) -> int:
        """Number of classes K that encoder and decoder are conditioned on."""
        return self.config.n_classes

    def decoder_features(self) -> int:
        """Inputs of the decoder: the code and the classes, D + K + 1."""
        return self.config.latent_dim + self.config.n_classes + 1

    def encode(self, x: Tensor, labels: Tensor | None = None) -> Gaussian:
        """The posterior of x (B, ...), given its labels if known."""
        features = self.encoder(x)
        return gaussian(features + self.shift(self._shares(labels, features)))

    def decoder_input(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Codes (B, D) concatenated with class weights, (B, D + K + 1)."""
        return torch.cat([z, self._shares(labels, z)], dim=1)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """The VAE's losses given the labels, some of them hidden while training."""
        labels = self._some_unknown(batch)
        posterior = self.encode(batch.x, labels)
        fed = self.decoder_input(self.draw(posterior, batch), labels)
        return self.bound(self.reconstruction(fed, batch.target), posterior)

    def _some_unknown(self, batch: Batch) -> Tensor | None:
        """The batch's labels, with one in ten dropped in training."""
        if batch.labels is None or not self.training:
            return batch.labels
        dropped = batch.uniform_like(batch.labels.float()) < SHARE_UNKNOWN
        return batch.labels.masked_fill(dropped, -1)

    def _shares(self, labels: Tensor | None, like: Tensor) -> Tensor:
        """Labels as one-hot (B, K + 1), invalid ones as the last class, "unknown"; class weights stay unchanged."""
        unknown = self.config.n_classes
        if labels is None:
            labels = torch.full(like.shape[:1], unknown, device=like.device)
        if labels.ndim == 2:
            return labels.to(like.dtype)
        known = (labels >= 0) & (labels < unknown)
        index = torch.where(known, labels, unknown)
        return (index[:, None] == torch.arange(unknown + 1, device=like.device)).to(like.dtype)
