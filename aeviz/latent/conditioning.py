"""What a conditional network is told besides images and codes: classes, or shares of them where they are mixed."""

from typing import Any, NamedTuple

import numpy as np

from aeviz.latent.encode import decode, encode

AT_ONCE = 4096  # pairs of an image and a class that are tried together


def class_labels(model: Any, images: Any, rows: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray | None:
    """The classes (n,) to tell with the given rows of images (N, C, H, W); None for networks that are told none.

    An image's own, where labels (n,) know it; else the one under which the network rebuilds the image best.
    """
    if not model.n_classes:
        return None
    rows = np.asarray(rows, dtype=np.int64)
    condition = np.full(len(rows), -1) if labels is None else np.array(labels, np.int64)
    unknown = np.flatnonzero((condition < 0) | (condition >= model.n_classes))
    step = max(1, AT_ONCE // model.n_classes)
    for start in range(0, len(unknown), step):
        places = unknown[start : start + step]
        condition[places] = _best_labels(model, images, rows[places])
    return condition


def _best_labels(model: Any, images: Any, rows: np.ndarray) -> np.ndarray:
    """The class (n,) of least squared error, all being tried on each of the rows."""
    classes = np.tile(np.arange(model.n_classes), len(rows))
    repeated = rows.repeat(model.n_classes)
    x_hat = decode(model, encode(model, images, repeated, labels=classes), labels=classes)
    x = np.asarray(images[rows]).astype(np.float32) / 255
    off = x_hat.reshape(len(rows), model.n_classes, -1) - x.reshape(len(rows), 1, -1)  # (n, K, F)
    return np.square(off).mean(axis=2).argmin(axis=1)


class ConditionShift(NamedTuple):
    """What is told at the start of a direction, shares (K + 1,), and what is added to it along with the code."""

    start: np.ndarray
    change: np.ndarray

    def at(self, amounts: np.ndarray) -> np.ndarray:
        """Shares (S, K + 1) after so much of the direction, (S,)."""
        return (self.start + np.asarray(amounts)[:, None] * self.change).astype(np.float32)


def condition_shift(condition: np.ndarray | None, n_classes: int) -> ConditionShift | None:
    """The turn of an image of class (1,), which stays, or of the third of (3,), which changes as the first to the second."""
    found = one_hot(condition, n_classes)
    if found is None:
        return None
    return ConditionShift(found[-1], found[1] - found[0] if len(found) > 1 else np.zeros_like(found[0]))


def mean_one_hot(condition: np.ndarray | None, n_classes: int) -> np.ndarray | None:
    """What the mean code of images of these classes (n,) is decoded with, (1, K + 1)."""
    found = one_hot(condition, n_classes)
    return None if found is None else found.mean(axis=0, keepdims=True)


def one_hot(condition: np.ndarray | None, n_classes: int) -> np.ndarray | None:
    """Classes (n,) as shares (n, K + 1), which can be averaged and walked between; the last is "unknown"."""
    if condition is None:
        return None
    return (np.where(condition >= 0, condition, n_classes)[:, None] == np.arange(n_classes + 1)).astype(np.float32)
