"""Reconstruction losses on logits: summed over an image's values, averaged over the batch."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Loss:
    """A reconstruction loss as it is registered: `of(logits (B, ...), target (B, ...)) -> scalar`."""

    name: str
    label: str
    unit: str
    summary: str
    of: Callable[[Tensor, Tensor], Tensor]


def squared_error(logits: Tensor, target: Tensor) -> Tensor:
    """Squared error; up to a constant the nats of a Gaussian with variance 1/2 around the reconstruction."""
    return (torch.sigmoid(logits) - target).square().flatten(1).sum(1).mean()


def bernoulli(logits: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy in nats, the pixel read as a probability (Kingma & Welling 2014, appendix C.1)."""
    return F.binary_cross_entropy_with_logits(logits, target, reduction="none").flatten(1).sum(1).mean()


LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        Loss(
            "mse",
            "Squared error",
            "squared error per image",
            "Squared difference of every pixel, summed over the image.",
            squared_error,
        ),
        Loss(
            "bernoulli",
            "Cross-entropy",
            "nats per image",
            "Binary cross-entropy: each pixel read as a probability of white.",
            bernoulli,
        ),
    )
}
