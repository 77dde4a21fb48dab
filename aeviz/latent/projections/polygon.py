"""Points of a map inside a lasso outline."""

import numpy as np


def within(points: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """Row numbers (M,) of the points (N, 2) inside a polygon of corners (C, 2), by the even-odd rule.

    The server-side counterpart of `static/map/base.js`, for maps whose points are not sent to the browser.
    """
    points, outline = np.asarray(points, dtype=np.float64), np.asarray(outline, dtype=np.float64)
    low, high = outline.min(axis=0), outline.max(axis=0)
    rows = np.flatnonzero(((points >= low) & (points <= high)).all(axis=1))
    x, y = points[rows].T
    inside = np.zeros(len(rows), bool)
    for (x0, y0), (x1, y1) in zip(outline, np.roll(outline, 1, axis=0), strict=True):
        if y0 != y1:
            inside ^= ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return rows[inside]
