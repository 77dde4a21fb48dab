"""The contractive autoencoder: a code that is robust to small changes of the image."""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from aeviz.config import LIVE
from aeviz.models.base import Autoencoder, Batch, ModelConfig, mode


class ContractiveConfig(ModelConfig):
    """Settings of the contractive autoencoder."""

    variant: Literal["contractive"] = "contractive"
    contraction: float = Field(
        0.1, ge=0.0, le=100.0, description="Weight of the encoder's squared Jacobian.", json_schema_extra=LIVE
    )


class ContractiveAutoencoder(Autoencoder):
    """Penalises the squared Frobenius norm of the encoder's Jacobian (Rifai et al., ICML 2011).

    One random projection per image gives an unbiased estimate, E |v^T J|^2 = |J|_F^2 for v ~ N(0, 1) (Hutchinson
    1990), which works for any body and needs a single backward pass.
    """

    name = "contractive"
    label = "Contractive"
    summary = "Makes the code robust to small changes of the image, so that similar images get similar codes."
    Config = ContractiveConfig
    config: ContractiveConfig

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Reconstruction and the squared norm of the encoder's Jacobian (Rifai et al., ICML 2011)."""
        with torch.enable_grad():
            x = batch.x.detach().requires_grad_()
            z = mode(self.encode(x))
            (pulled,) = torch.autograd.grad(z, x, batch.normal_like(z), create_graph=self.training)
        reconstruction = self.reconstruction(z, batch.target)
        jacobian = pulled.flatten(1).square().sum(1).mean()
        return {
            "reconstruction": reconstruction,
            "jacobian": jacobian,
            "total": reconstruction + self.live["contraction"] * jacobian,
        }
