"""A small image classifier, trained in seconds, as feature extractor for sample scores."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aeviz.models.eager_optimizers import eager

OnStep = Callable[[int, int], None]
FEATURES = 64
MAX_IMAGES, EPOCHS, BATCH = 10_000, 4, 128
LEARNING_RATE = 2e-3


class Classifier(nn.Module):
    """Two convolutions and two dense layers from images (B, C, H, W) to K classes."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, 16, 3, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(),
            nn.AdaptiveAvgPool2d(4), nn.Flatten(),
            nn.Linear(32 * 4 * 4, FEATURES), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(FEATURES, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K) of images in [0, 1]."""
        return self.head(self.body(x))

    @torch.inference_mode()
    def features(self, images: np.ndarray) -> np.ndarray:
        """Penultimate activations (N, 64) of images (N, C, H, W), uint8 or floats in [0, 1]."""
        parts = [self.body(_floats(images[start : start + 1024])) for start in range(0, len(images), 1024)]
        return torch.cat(parts).numpy() if parts else np.empty((0, FEATURES), np.float32)


def train_classifier(
    images: Any, labels: np.ndarray, rows: np.ndarray, classes: int, seed: int = 0, on_step: OnStep | None = None
) -> Classifier:
    """Train a classifier on labelled rows of images (N, C, H, W) uint8, labels (N,) below K; returns it in eval mode.

    4 epochs of Adam on up to 10,000 rows drawn with the seed. `on_step(done, total)` may raise to cancel.
    """
    rows = np.sort(np.random.default_rng(seed).permutation(rows[labels[rows] >= 0])[:MAX_IMAGES])
    x, y = np.asarray(images[rows]), torch.from_numpy(labels[rows].astype(np.int64))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        classifier = Classifier(x.shape[1], classes)
        optimizer = eager(torch.optim.Adam)(classifier.parameters(), LEARNING_RATE)
        batches = [batch for _ in range(EPOCHS) for batch in torch.randperm(len(y)).split(BATCH)]
        for step, batch in enumerate(batches):
            optimizer.zero_grad()
            F.cross_entropy(classifier(_floats(x[batch.numpy()])), y[batch]).backward()
            optimizer.step()
            if on_step:
                on_step(step + 1, len(batches))
    return classifier.eval()


def _floats(images: np.ndarray) -> Tensor:
    """Images as floats in [0, 1] on the CPU."""
    pixels = torch.from_numpy(np.array(images))
    return pixels.float() / 255 if pixels.dtype == torch.uint8 else pixels
