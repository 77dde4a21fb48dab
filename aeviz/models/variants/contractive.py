"""The contractive autoencoder: a code that hardly moves when the image changes a little."""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from aeviz.config import LIVE
from aeviz.models.base import Autoencoder, Batch, ModelConfig, mode


class ContractiveConfig(ModelConfig):
    """How hard the encoder is held still."""

    variant: Literal["contractive"] = "contractive"
    contraction: float = Field(
        0.1, ge=0.0, le=100.0, description="Weight of the encoder's squared Jacobian.", json_schema_extra=LIVE
    )


class ContractiveAutoencoder(Autoencoder):
    """Penalises the squared Frobenius norm of the encoder's Jacobian (Rifai et al., ICML 2011).

    The norm is estimated without bias by one random projection per image, E |v^T J|^2 = |J|_F^2 for
    v ~ N(0, 1) (Hutchinson 1990), so that any body can be used and one backward pass is enough.
    """

    name = "contractive"
    label = "Contractive"
    summary = "Holds the code still against small changes of the image: neighbours in pixels stay neighbours in code."
    Config = ContractiveConfig
    config: ContractiveConfig

    def losses(self, batch: Batch) -> dict[str, Tensor]:
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
