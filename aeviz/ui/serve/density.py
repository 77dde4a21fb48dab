"""Density of a map's points as counts per cell: a few hundred kB for any number of points."""

import struct
from typing import Any

import numpy as np

MOST_CELLS = 512  # along one side
STEPS = 255  # of brightness


def pack_points(points: np.ndarray) -> bytes:
    """Pack points (N, 2) for `density`."""
    return struct.pack("<I", len(points)) + np.ascontiguousarray(points, "<f4").tobytes()


def density(
    points: bytes, colour: bytes | None, *, x0: float, x1: float, y0: float, y1: float, width: float, height: float
) -> dict[str, Any]:
    """Count the points in each cell of a rectangle, on a logarithmic scale of 0 to 255, and find each cell's colour.

    Args:
        points: packed by `pack_points`.
        colour: a palette index of 0 to 254 for each point; None for a single colour.
        x0, x1, y0, y1: the rectangle in map coordinates.
        width, height: number of cells.
    """
    (n,) = struct.unpack_from("<I", points)
    places = np.frombuffer(points, "<f4", offset=4).reshape(n, 2)
    across, down = (int(np.clip(cells, 1, MOST_CELLS)) for cells in (width, height))
    x = (places[:, 0] - x0) * (across / (x1 - x0 or 1.0))
    y = (y1 - places[:, 1]) * (down / (y1 - y0 or 1.0))
    inside = (x >= 0) & (x < across) & (y >= 0) & (y < down)
    cells = y[inside].astype(np.int32) * across + x[inside].astype(np.int32)
    counts = np.bincount(cells, minlength=across * down)
    shades = np.log1p(counts) * (STEPS / np.log1p(max(counts.max(initial=0), 1)))
    numbers = np.zeros(len(counts), np.uint8)
    if colour is not None:
        numbers = _frequent(cells, np.frombuffer(colour, np.uint8)[inside], len(counts))
    shown = {"shades": np.ceil(shades).astype(np.uint8), "numbers": numbers}
    return shown | {"width": across, "height": down, "most": int(counts.max(initial=0)), "shown": len(cells)}


def _frequent(cells: np.ndarray, numbers: np.ndarray, size: int) -> np.ndarray:
    """The most frequent number of each cell (size,); the smallest on ties."""
    kinds, places = np.unique(numbers, return_inverse=True)
    best, most = np.zeros(size, np.uint8), np.zeros(size, np.int64)
    for place, kind in enumerate(kinds):
        counts = np.bincount(cells[places == place], minlength=size)
        more = counts > most
        best[more], most[more] = kind, counts[more]
    return best
