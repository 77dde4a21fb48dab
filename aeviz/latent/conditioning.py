"""Conditions of a conditional network: class labels, or class shares where classes are mixed."""

from typing import Any, NamedTuple

import numpy as np

from aeviz.latent.encode import decode, encode

BATCH_PAIRS = 4096  # (image, class) pairs evaluated per batch


def class_labels(model: Any, images: Any, rows: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray | None:
    """Class labels (n,) that condition the network for rows of images (N, C, H, W); None for an unconditional network.

    Taken from labels (n,) where known; otherwise the class with the lowest reconstruction error.
    """
    if not model.n_classes:
        return None
    rows = np.asarray(rows, dtype=np.int64)
    condition = np.full(len(rows), -1) if labels is None else np.array(labels, np.int64)
    unknown = np.flatnonzero((condition < 0) | (condition >= model.n_classes))
    step = max(1, BATCH_PAIRS // model.n_classes)
    for start in range(0, len(unknown), step):
        places = unknown[start : start + step]
        condition[places] = _best_labels(model, images, rows[places])
    return condition


def _best_labels(model: Any, images: Any, rows: np.ndarray) -> np.ndarray:
    """The class (n,) with the lowest squared reconstruction error for each row."""
    classes = np.tile(np.arange(model.n_classes), len(rows))
    repeated = rows.repeat(model.n_classes)
    x_hat = decode(model, encode(model, images, repeated, labels=classes), labels=classes)
    x = np.asarray(images[rows]).astype(np.float32) / 255
    off = x_hat.reshape(len(rows), model.n_classes, -1) - x.reshape(len(rows), 1, -1)  # (n, K, F)
    return np.square(off).mean(axis=2).argmin(axis=1)


class ConditionShift(NamedTuple):
    """Class shares (K + 1,) at the start of a direction, and how they change along it."""

    start: np.ndarray
    change: np.ndarray

    def at(self, amounts: np.ndarray) -> np.ndarray:
        """Class shares (S, K + 1) at the given amounts (S,) of the direction."""
        return (self.start + np.asarray(amounts)[:, None] * self.change).astype(np.float32)


def condition_shift(labels: np.ndarray | None, n_classes: int) -> ConditionShift | None:
    """How the condition changes along a direction; None without labels.

    With one label (1,) it stays constant; with three (a, b, c) (3,) it starts at c and changes as a does to b.
    """
    found = one_hot(labels, n_classes)
    if found is None:
        return None
    return ConditionShift(found[-1], found[1] - found[0] if len(found) > 1 else np.zeros_like(found[0]))


def mean_one_hot(labels: np.ndarray | None, n_classes: int) -> np.ndarray | None:
    """Mean class shares (1, K + 1) of labels (n,), the condition for decoding a mean code."""
    found = one_hot(labels, n_classes)
    return None if found is None else found.mean(axis=0, keepdims=True)


def one_hot(labels: np.ndarray | None, n_classes: int) -> np.ndarray | None:
    """One-hot class shares (n, K + 1) of labels (n,); the last column is "unknown"."""
    if labels is None:
        return None
    return (np.where(labels >= 0, labels, n_classes)[:, None] == np.arange(n_classes + 1)).astype(np.float32)
