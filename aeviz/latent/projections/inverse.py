"""The way back from a map to codes: what code belongs to a place, and how far from data the place is."""

from typing import NamedTuple

import numpy as np

from aeviz.latent.projections.base import Projection

INVERSE_NEIGHBOURS = 8
REACH = 3.0  # standard deviations of the Gaussian from a place to its furthest neighbour
MAX_DOTS = 200_000  # that are looked at one by one
MAX_SPACED = 10_000  # dots whose median distance to the next is taken for that of all
MARGIN = 0.05  # of the map's sides, around it


class Inverse(NamedTuple):
    """Codes (size, size, D) float32 on a grid over a flat map, rows from y0 to y1, columns from x0 to x1.

    `distance` (size, size) float32 is that of each grid point to the nearest dot, in units of the median distance
    between a dot and its nearest neighbour: up to about 1 a place is among data.
    """

    x0: float
    x1: float
    y0: float
    y1: float
    codes: np.ndarray
    distance: np.ndarray


def grid(projection: Projection, points: np.ndarray, codes: np.ndarray, size: int = 96) -> Inverse:
    """The inverse of a flat map of codes (N, D) at points (N, 2), sampled on a grid a little wider than the map."""
    low, high = points.min(axis=0).astype(np.float64), points.max(axis=0).astype(np.float64)
    margin = MARGIN * np.where(high > low, high - low, 1.0)
    (x0, y0), (x1, y1) = low - margin, high + margin
    places = _places(x0, x1, y0, y1, size)
    found = projection.invert(places).reshape(size, size, codes.shape[1])
    distance = distance_to_data(points, places).reshape(size, size)
    return Inverse(float(x0), float(x1), float(y0), float(y1), found, distance)


def _places(x0: float, x1: float, y0: float, y1: float, size: int) -> np.ndarray:
    """The places (size², 2) of a grid."""
    x, y = np.meshgrid(np.linspace(x0, x1, size), np.linspace(y0, y1, size))
    return np.stack([x.ravel(), y.ravel()], axis=1)


def classes_at(found: Inverse, points: np.ndarray, condition: np.ndarray) -> np.ndarray:
    """The class (size²,) at each place of a grid: that of the nearest of points (N, 2) with classes (N,)."""
    from scipy.spatial import cKDTree

    places = _places(found.x0, found.x1, found.y0, found.y1, len(found.distance))
    return condition[cKDTree(points).query(places)[1]]


def distance_to_data(points: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Distances (M,) float32 of places (M, dims) to the nearest of points (N, dims), in units of the dots' own.

    Of very many dots an even sample stands for all, its own spacing being the unit.
    """
    from scipy.spatial import cKDTree

    dots = points[:: -(-len(points) // MAX_DOTS)]
    tree = cKDTree(dots)
    spacing = tree.query(dots[:: -(-len(dots) // MAX_SPACED)], k=[2])[0].ravel()
    apart = spacing[np.isfinite(spacing) & (spacing > 0)]
    unit = float(np.median(apart)) if len(apart) else 1.0
    return (tree.query(places)[0] / unit).astype(np.float32)


def invert_by_neighbours(points: np.ndarray, codes: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Codes (M, D) at places (M, dims) of a map whose codes (N, D) have points (N, dims).

    The mean of the codes of the 8 nearest dots, with Gaussian weights as wide as a third of the way to the furthest
    of them, so that it hardly jumps where another dot takes its place.
    """
    from scipy.spatial import cKDTree

    count = min(INVERSE_NEIGHBOURS, len(points))
    distances, rows = cKDTree(points).query(places, k=range(1, count + 1))  # (M, k)
    furthest = distances[:, -1:]
    nearness = REACH * distances / np.where(furthest > 0, furthest, 1.0)
    weights = np.exp(-np.square(nearness) / 2)
    weights /= weights.sum(axis=1, keepdims=True)
    found = np.zeros((len(places), codes.shape[1]))
    for neighbour in range(count):  # one at a time: wide codes of all of them at once would be gigabytes
        found += weights[:, neighbour, None] * codes[rows[:, neighbour]]
    return found.astype(np.float32)
