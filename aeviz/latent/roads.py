"""Roads between two codes: straight, or along the sphere they lie on."""

from collections.abc import Callable

import numpy as np

Road = Callable[[np.ndarray, np.ndarray, int], np.ndarray]


def lerp(a: np.ndarray, b: np.ndarray, steps: int) -> np.ndarray:
    """Codes (S, D) on the straight line from a (D,) to b (D,), both ends exact."""
    t = np.linspace(0.0, 1.0, steps)[:, None]
    return _with_ends((1 - t) * np.asarray(a, dtype=np.float64) + t * np.asarray(b, dtype=np.float64), a, b)


def slerp(a: np.ndarray, b: np.ndarray, steps: int) -> np.ndarray:
    """Codes (S, D) along the great circle from a (D,) to b (D,), lengths included; both ends exact.

    Spherical linear interpolation (Shoemake, SIGGRAPH 1985, https://doi.org/10.1145/325165.325242): Gaussian
    codes lie near a sphere, and a straight line cuts through its empty middle. Parallel, opposite and zero codes
    have no great circle of their own and take the straight line.
    """
    start, end = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    lengths = float(np.linalg.norm(start) * np.linalg.norm(end))
    cosine = float(np.clip(start @ end / lengths, -1.0, 1.0)) if lengths > 0 else 1.0
    if abs(cosine) > 1 - 1e-9:
        return lerp(a, b, steps)
    angle = np.arccos(cosine)
    t = np.linspace(0.0, 1.0, steps)[:, None]
    return _with_ends((np.sin((1 - t) * angle) * start + np.sin(t * angle) * end) / np.sin(angle), a, b)


def _with_ends(road: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    road = road.astype(np.float32)
    if len(road):
        road[-1] = b
        road[0] = a
    return road


ROADS: dict[str, tuple[str, Road]] = {"lerp": ("Straight", lerp), "slerp": ("Spherical", slerp)}
