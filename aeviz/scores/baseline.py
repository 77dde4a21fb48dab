"""Baseline of every autoencoder: PCA of equal size in pixel space."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

OnStep = Callable[[int, int], None]
CHUNK = 4096
EXACT_FEATURES = 1024  # up to here the full covariance over all rows is accumulated
MAX_SAMPLE_NUMBERS = 50_000_000  # pixels (200 MB as float32) sampled for larger images


@dataclass(frozen=True)
class PCABaseline:
    """PCA of images with an autoencoder's `code` and `decode`, on arrays."""

    mean: np.ndarray  # (F,) float32
    components: np.ndarray  # (D, F) float32
    sample_shape: tuple[int, ...]  # (C, H, W)
    fitted_on: int  # number of rows the axes were computed from

    @classmethod
    def fit(cls, images: Any, rows: np.ndarray, components: int, seed: int = 0, on_step: OnStep | None = None) -> Self:
        """Fit the first components (at most one per pixel and per row) to rows of images (N, C, H, W) uint8.

        Exact up to 1,024 pixels, from the covariance of all rows. Above, randomized SVD on rows totalling 50 million
        pixels, drawn with the seed (16,276 of 32x32x3, 4,069 of 64x64x3); `fitted_on` is their number.
        """
        rows = np.asarray(rows, dtype=np.int64)
        shape = tuple(images.shape[1:])
        features = int(np.prod(shape))
        components = min(components, features, len(rows))
        if features > EXACT_FEATURES:
            most = max(components, MAX_SAMPLE_NUMBERS // features)
            rows = np.sort(np.random.default_rng(seed).permutation(rows)[:most])
            mean, axes = _sampled_axes(images, rows, components, seed)
        else:
            mean, axes = _exact_axes(images, rows, components, on_step)
        return cls(mean.astype(np.float32), axes.astype(np.float32), shape, len(rows))

    def code(self, x: np.ndarray) -> np.ndarray:
        """Encode images (B, C, H, W), floats in [0, 1], to codes (B, D)."""
        return (np.asarray(x, dtype=np.float32).reshape(len(x), -1) - self.mean) @ self.components.T

    def decode(self, z: np.ndarray) -> np.ndarray:
        """Decode codes (B, D) to images (B, C, H, W), clipped to [0, 1]."""
        flat = np.asarray(z, dtype=np.float32) @ self.components + self.mean
        return flat.clip(0, 1).reshape(len(flat), *self.sample_shape)

    def encode(self, images: Any, rows: np.ndarray, on_step: OnStep | None = None) -> np.ndarray:
        """Encode rows of images (N, C, H, W) uint8 to codes (n, D), in chunks."""
        codes = [self.code(flat) for flat in _pixel_chunks(images, rows, on_step)]
        return np.concatenate(codes) if codes else np.empty((0, len(self.components)), dtype=np.float32)


def _pixel_chunks(images: Any, rows: np.ndarray, on_step: OnStep | None) -> Iterator[np.ndarray]:
    """Pixels (B, F) float32 in [0, 1] of the rows, in order."""
    size = max(1, min(CHUNK, MAX_SAMPLE_NUMBERS // max(1, int(np.prod(images.shape[1:])) * 4)))
    for start in range(0, len(rows), size):
        chunk = np.asarray(images[rows[start : start + size]])
        yield chunk.reshape(len(chunk), -1).astype(np.float32) / np.float32(255)
        if on_step:
            on_step(min(start + size, len(rows)), len(rows))


def _exact_axes(
    images: Any, rows: np.ndarray, components: int, on_step: OnStep | None
) -> tuple[np.ndarray, np.ndarray]:
    from scipy.linalg import eigh

    features = int(np.prod(images.shape[1:]))
    total, products = np.zeros(features), np.zeros((features, features))
    for flat in _pixel_chunks(images, rows, on_step):
        pixels = flat.astype(np.float64)
        total += pixels.sum(axis=0)
        products += pixels.T @ pixels
    mean = total / max(len(rows), 1)
    covariance = products / max(len(rows), 1) - np.outer(mean, mean)
    if components == 0:
        return mean, np.zeros((0, features))
    _, vectors = eigh(covariance, subset_by_index=(features - components, features - 1))
    return mean, vectors.T[::-1]


def _sampled_axes(images: Any, rows: np.ndarray, components: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.utils.extmath import randomized_svd

    chunks = list(_pixel_chunks(images, rows, None))
    flat = np.concatenate(chunks) if chunks else np.zeros((0, int(np.prod(images.shape[1:]))), dtype=np.float32)
    mean = flat.mean(axis=0, dtype=np.float64) if len(flat) else np.zeros(flat.shape[1])
    if components == 0:
        return mean, np.zeros((0, flat.shape[1]))
    flat -= mean.astype(np.float32)
    return mean, randomized_svd(flat, components, n_iter=4, random_state=seed)[2]
