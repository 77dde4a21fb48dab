"""Where on a map a class is at home: the place for its name."""

import numpy as np

BINS = 32
SMOOTHING = 1.5  # in bins


def label_positions(points: np.ndarray, labels: np.ndarray) -> dict[int, tuple[float, float]]:
    """A dot (x, y) of each class where its dots lie most densely, by class number; unknown ones (-1) have none.

    The mode, not the mean, which lies between the parts of a torn class: the fullest bin of a smoothed histogram over
    the class's own extent, less its outermost hundredths.

    Args:
        points: (N, 2).
        labels: (N,).
    """
    points, labels = np.asarray(points, dtype=np.float64), np.asarray(labels)
    return {int(label): _densest(points[labels == label]) for label in np.unique(labels) if label >= 0}


def _densest(points: np.ndarray) -> tuple[float, float]:
    """The dot of (n, 2) that is nearest to the mode."""
    from scipy.ndimage import gaussian_filter

    low = np.percentile(points, 1, axis=0, method="lower")
    high = np.percentile(points, 99, axis=0, method="higher")
    counts, *edges = np.histogram2d(points[:, 0], points[:, 1], BINS, range=np.stack([low, high], axis=1))
    peak = np.unravel_index(gaussian_filter(counts, SMOOTHING, mode="constant").argmax(), counts.shape)
    mode = [(edge[place] + edge[place + 1]) / 2 for edge, place in zip(edges, peak, strict=True)]
    away = (points - mode) / np.where(high > low, high - low, 1.0)
    x, y = points[np.square(away).sum(axis=1).argmin()]
    return float(x), float(y)
