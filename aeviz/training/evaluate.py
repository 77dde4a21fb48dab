"""What validation says: the loss by term, and how far the pictures are off."""

import torch

from aeviz.models import Autoencoder
from aeviz.training.feed import Feed

BATCH = 1024


@torch.no_grad()
def evaluate(model: Autoencoder, feed: Feed) -> dict[str, float]:
    """Named terms (per image) and `mse` (per pixel) over a split; leaves the model in eval mode."""
    model.eval()
    sums: dict[str, torch.Tensor] = {}
    for positions in torch.arange(len(feed), device=feed.device).split(BATCH):
        batch = feed.batch(positions)
        terms = model.losses(batch)
        squared = (model.decode(model.code(batch.x)) - batch.target).square().flatten(1)
        terms = terms | {"mse": squared.mean()}
        for name, value in terms.items():
            sums[name] = sums.get(name, torch.zeros((), device=feed.device)) + value.detach() * len(positions)
    return {name: float(value) / len(feed) for name, value in sums.items()}
