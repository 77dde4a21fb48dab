"""Inverse transform from map positions to codes, and the distance of a position to the data."""

from typing import NamedTuple

import numpy as np

from aeviz.latent.projections.base import Projection

INVERSE_NEIGHBOURS = 8
REACH = 3.0  # standard deviations of the Gaussian at the furthest neighbour
MAX_DOTS = 200_000  # above, an even sample is used
MAX_SPACED = 10_000  # points that the median spacing is estimated from
MARGIN = 0.05  # around the map, relative to its sides


class Inverse(NamedTuple):
    """Codes (size, size, D) float32 on a grid over a flat map, rows from y0 to y1, columns from x0 to x1.

    `distance` (size, size) float32 is the distance from each grid point to the nearest map point, in units of the
    median nearest-neighbour distance; up to about 1 means among the data.
    """

    x0: float
    x1: float
    y0: float
    y1: float
    codes: np.ndarray
    distance: np.ndarray


def grid(projection: Projection, points: np.ndarray, codes: np.ndarray, size: int = 96) -> Inverse:
    """Sample the inverse of a 2-D map of codes (N, D) at points (N, 2) on a grid slightly wider than the map."""
    low, high = points.min(axis=0).astype(np.float64), points.max(axis=0).astype(np.float64)
    margin = MARGIN * np.where(high > low, high - low, 1.0)
    (x0, y0), (x1, y1) = low - margin, high + margin
    places = _places(x0, x1, y0, y1, size)
    found = projection.invert(places).reshape(size, size, codes.shape[1])
    distance = distance_to_data(points, places).reshape(size, size)
    return Inverse(float(x0), float(x1), float(y0), float(y1), found, distance)


def _places(x0: float, x1: float, y0: float, y1: float, size: int) -> np.ndarray:
    """Grid positions (size², 2)."""
    x, y = np.meshgrid(np.linspace(x0, x1, size), np.linspace(y0, y1, size))
    return np.stack([x.ravel(), y.ravel()], axis=1)


def classes_at(found: Inverse, points: np.ndarray, condition: np.ndarray) -> np.ndarray:
    """Class (size²,) at each grid position: that of the nearest of points (N, 2) with classes (N,)."""
    from scipy.spatial import cKDTree

    places = _places(found.x0, found.x1, found.y0, found.y1, len(found.distance))
    return condition[cKDTree(points).query(places)[1]]


def distance_to_data(points: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Distances (M,) float32 of places (M, dims) to the nearest of points (N, dims), in units of their median spacing.

    Above 200,000 points, an even sample replaces them, and its spacing is the unit.
    """
    from scipy.spatial import cKDTree

    dots = points[:: -(-len(points) // MAX_DOTS)]
    tree = cKDTree(dots)
    spacing = tree.query(dots[:: -(-len(dots) // MAX_SPACED)], k=[2])[0].ravel()
    apart = spacing[np.isfinite(spacing) & (spacing > 0)]
    unit = float(np.median(apart)) if len(apart) else 1.0
    return (tree.query(places)[0] / unit).astype(np.float32)


def invert_by_neighbours(points: np.ndarray, codes: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Codes (M, D) at places (M, dims) of a map with codes (N, D) at points (N, dims).

    Gaussian-weighted mean of the codes of the 8 nearest points, with a standard deviation of a third of the distance to
    the furthest, so that the result hardly jumps when the set of neighbours changes.
    """
    from scipy.spatial import cKDTree

    count = min(INVERSE_NEIGHBOURS, len(points))
    distances, rows = cKDTree(points).query(places, k=range(1, count + 1))  # (M, k)
    furthest = distances[:, -1:]
    nearness = REACH * distances / np.where(furthest > 0, furthest, 1.0)
    weights = np.exp(-np.square(nearness) / 2)
    weights /= weights.sum(axis=1, keepdims=True)
    found = np.zeros((len(places), codes.shape[1]))
    for neighbour in range(count):  # one at a time: all at once would take gigabytes for wide codes
        found += weights[:, neighbour, None] * codes[rows[:, neighbour]]
    return found.astype(np.float32)
