"""What validation says: the loss by term, how far the pictures are off, and how alike they look."""

import torch
from torch import Tensor

from aeviz.models import Autoencoder
from aeviz.models.losses import ssim
from aeviz.training.batches.feed import Feed

BATCH = 1024
LOOKED_AT = 512  # images whose SSIM is taken: it costs more than the rest of the validation


@torch.no_grad()
def evaluate(model: Autoencoder, feed: Feed, most: int | None = None) -> dict[str, float]:
    """Named terms (per image), `mse` (per pixel) and, of images, `ssim` of the first 512; leaves eval mode on.

    Of the whole feed, or of its first `most` samples.
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
