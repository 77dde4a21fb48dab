"""Posterior distributions over codes: mode, samples and KL divergence."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Gaussian:
    """A Gaussian with diagonal covariance over codes: mu (B, D) and log_var (B, D)."""

    mu: Tensor
    log_var: Tensor

    @property
    def mode(self) -> Tensor:
        """The code of an image: the mean (B, D)."""
        return self.mu

    def sample(self, noise: Tensor) -> Tensor:
        """A reparameterised sample (B, D) from noise (B, D) ~ N(0, 1) (Kingma & Welling 2014, 1312.6114)."""
        return self.mu + noise * torch.exp(0.5 * self.log_var)

    def kl(self) -> Tensor:
        """KL divergence to N(0, 1) in nats, per dimension (B, D)."""
        return 0.5 * (self.mu.square() + self.log_var.exp() - 1.0 - self.log_var)
