"""Positions of class labels on a map."""

import numpy as np

BINS = 32
SMOOTHING = 1.5  # in bins


def label_positions(points: np.ndarray, labels: np.ndarray) -> dict[int, tuple[float, float]]:
    """The point (x, y) of each class nearest to the mode of its points, by class number; unknown (-1) is skipped.

    The mode, since the mean of a split class lies between its parts: the fullest bin of a smoothed histogram over the
    class's extent between the 1st and 99th percentiles.

    Args:
        points: (N, 2).
        labels: (N,).
    """
    points, labels = np.asarray(points, dtype=np.float64), np.asarray(labels)
    return {int(label): _densest(points[labels == label]) for label in np.unique(labels) if label >= 0}


def _densest(points: np.ndarray) -> tuple[float, float]:
    """The point of (n, 2) nearest to the mode."""
    from scipy.ndimage import gaussian_filter

    low = np.percentile(points, 1, axis=0, method="lower")
    high = np.percentile(points, 99, axis=0, method="higher")
    counts, *edges = np.histogram2d(points[:, 0], points[:, 1], BINS, range=np.stack([low, high], axis=1))
    peak = np.unravel_index(gaussian_filter(counts, SMOOTHING, mode="constant").argmax(), counts.shape)
    mode = [(edge[place] + edge[place + 1]) / 2 for edge, place in zip(edges, peak, strict=True)]
    away = (points - mode) / np.where(high > low, high - low, 1.0)
    x, y = points[np.square(away).sum(axis=1).argmin()]
    return float(x), float(y)
