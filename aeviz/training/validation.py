"""Validation: the loss by term, MSE and SSIM."""

import torch
from torch import Tensor

from aeviz.models import Autoencoder
from aeviz.models.losses import ssim
from aeviz.training.batches.feed import Feed

BATCH = 1024
LOOKED_AT = 512  # images to compute SSIM of, which costs more than the rest of the validation


@torch.no_grad()
def evaluate(model: Autoencoder, feed: Feed, most: int | None = None) -> dict[str, float]:
    """Loss terms (per image), `mse` (per pixel) and, for images, `ssim` of the first 512; leaves eval mode on.

    Computed over the whole feed, or its first `most` samples.
    """
    count = len(feed) if most is None else min(most, len(feed))
    model.eval()
    sums: dict[str, Tensor] = {}
    alike: Tensor | None = None
    for positions in torch.arange(count, device=feed.device).split(BATCH):
        batch = feed.batch(positions)
        terms, x_hat = model.evaluate(batch)
        terms = terms | {"mse": (x_hat - batch.target).square().mean()}
        for name, value in terms.items():
            sums[name] = sums.get(name, torch.zeros((), device=feed.device)) + value.detach() * len(positions)
        if alike is None and batch.x.ndim == 4:
            alike = ssim(x_hat[:LOOKED_AT], batch.target[:LOOKED_AT]).mean()
    values = {name: float(value) / count for name, value in sums.items()}
    return values if alike is None else values | {"ssim": float(alike)}
