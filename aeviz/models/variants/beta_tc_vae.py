"""The beta-TC-VAE: penalises only the total correlation between the dimensions of a code."""

import math
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from aeviz.config import LIVE
from aeviz.models.base import Batch
from aeviz.models.posterior import Gaussian
from aeviz.models.variants.vae import VAE, VariationalConfig

MOST_DENSITIES = 2**24  # elements of the pairwise log-density tensor: 64 MB


class BetaTCVAEConfig(VariationalConfig):
    """Settings of the beta-TC-VAE."""

    variant: Literal["beta_tc_vae"] = "beta_tc_vae"
    beta: float = Field(
        6.0,
        ge=0.0,
        le=1000.0,
        description="Weight of the total correlation: above 1 dimensions become independent, below 1 they may not.",
        json_schema_extra=LIVE,
    )


class BetaTCVAE(VAE):
    """Weighs the total correlation of the codes by beta (Chen et al., NeurIPS 2018, https://arxiv.org/abs/1802.04942).

    The KL term is the sum of the mutual information of image and code (mi), the total correlation of the dimensions
    (tc), and each dimension's KL to N(0, 1) (dimension_kl). So the loss is that of a VAE plus (beta - 1) tc, with the
    KL in closed form.
    """

    name = "beta_tc_vae"
    label = "beta-TC-VAE"
    summary = "Penalises only dependence between dimensions: as disentangled as a beta-VAE, but less blurred."
    Config = BetaTCVAEConfig
    config: BetaTCVAEConfig

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Reconstruction, mutual information, total correlation and dimension-wise KL (Chen et al., NeurIPS 2018)."""
        posterior = self.encode(batch.x)
        z = posterior.sample(batch.normal_like(posterior.mu))
        terms = self.bound(self.reconstruction(z if self.training else posterior.mode, batch.target), posterior)
        mi, tc, dimension_kl = decompose(posterior, z)
        total = terms["total"] + (self.live["beta"] - 1.0) * self.kl_weight() * tc
        return terms | {"mi": mi, "tc": tc, "dimension_kl": dimension_kl, "total": total}


def decompose(posterior: Gaussian, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mutual information, total correlation and dimension-wise KL, in nats, from samples z (B, D) of the posterior.

    The aggregate posterior is taken as the mixture of the batch's posteriors: minibatch-weighted sampling with the
    batch in place of the data set. The data set's size would only add constants, without effect on the gradient; in
    this form mi is at most log B. Large batches are truncated (to 724 images at 32 dimensions), and in distributed
    training each process uses its own shard.
    """
    most = max(2, math.isqrt(MOST_DENSITIES // z.shape[1]))
    mu, log_var, z = posterior.mu[:most], posterior.log_var[:most], z[:most]
    each = _log_density(z[:, None], mu, log_var)  # (B, 1, D), (B, D) -> (B, B, D)
    together = each.sum(2).logsumexp(1) - math.log(len(z))  # (B,)
    apart = (each.logsumexp(1) - math.log(len(z))).sum(1)  # (B,)
    own = _log_density(z, mu, log_var).sum(1)
    prior = _log_density(z, torch.zeros_like(z), torch.zeros_like(z)).sum(1)
    return (own - together).mean(), (together - apart).mean(), (apart - prior).mean()


def _log_density(z: Tensor, mu: Tensor, log_var: Tensor) -> Tensor:
    """Log density of diagonal Gaussians, per dimension."""
    return -0.5 * ((z - mu).square() * torch.exp(-log_var) + log_var + math.log(2 * math.pi))
