"""Images that need no file: blobs, placed by their class and by chance, 28 x 28 as the customary sets have them."""

import numpy as np

from aeviz.data import Dataset

SIDE, CLASSES, BLOBS = 28, 10, 3
JITTER, NOISE = 2.5, 6.0


def blobs(count: int, seed: int = 0) -> Dataset:
    """`count` grey images for training and a sixth of that for validation and for test, in ten classes."""
    held = max(64, count // 12)
    sizes = {"train": count, "val": held, "test": held}
    total, rng = sum(sizes.values()), np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, total)
    homes = np.random.default_rng(1).uniform(5, SIDE - 5, (CLASSES, BLOBS, 2))
    places = homes[labels] + rng.normal(scale=JITTER, size=(total, BLOBS, 2))
    widths = rng.uniform(1.5, 3.5, (total, BLOBS))
    images = np.concatenate([_drawn(*part, rng) for part in zip(_parts(places), _parts(widths), strict=True)])
    ends = np.cumsum([0, *sizes.values()])
    splits = {name: np.arange(ends[at], ends[at + 1]) for at, name in enumerate(sizes)}
    names = tuple(str(label) for label in range(CLASSES))
    return Dataset("blobs", "Blobs", {}, images[:, None], labels, names, {}, splits, f"{seed:064d}")


def _parts(array: np.ndarray) -> list[np.ndarray]:
    return np.array_split(array, max(1, len(array) // 4096))


def _drawn(places: np.ndarray, widths: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blobs at places (n, 3, 2) of widths (n, 3): (n, H, W) uint8."""
    along = np.arange(SIDE, dtype=np.float32)
    near = np.exp(-0.5 * np.square((along - places[..., None]) / widths[..., None, None])).astype(np.float32)
    images = np.einsum("nbh,nbw->nhw", near[:, :, 0], near[:, :, 1])
    noisy = 255 * images + rng.normal(scale=NOISE, size=images.shape)
    return noisy.clip(0, 255).astype(np.uint8)
