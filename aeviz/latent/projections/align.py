"""Align the maps of successive frames of a training run, so that visible motion is real."""

import numpy as np

WIDE = 128  # above, only the leading two eigenvectors are computed
FITTING = 0.99  # share of a frame's points inside the circle of `radius`


class Aligner:
    """2-D maps of successive frames, each aligned with the previous one.

    A frame's map is its projection on two principal axes, centred and in code units, so distances within a frame and
    growth between frames are preserved. It is rotated (and mirrored if needed) by the orthogonal matrix that best
    matches the previous frame (orthogonal Procrustes; Schönemann, Psychometrika 1966,
    https://doi.org/10.1007/BF02289451). A circle of `radius` around 0 holds 99 % of the points of every frame so far.
    """

    def __init__(self) -> None:
        self.radius = 0.0
        self._before: np.ndarray | None = None

    def add(self, codes: np.ndarray) -> np.ndarray:
        """Points (P, 2) float32 of the next frame's codes (P, D).

        For one-dimensional codes the second axis is zero, unless an earlier frame was wider. Non-finite codes map to 0.
        A frame of equal codes maps to 0 and is not used for alignment.
        """
        points = _flattened(np.asarray(codes, dtype=np.float32))
        reach = float(np.quantile(np.hypot(*points.T), FITTING)) if len(points) else 0.0
        if not points.any():
            return points.astype(np.float32)
        if self._before is not None and self._before.shape == points.shape:
            points = points @ _rotation(points, self._before)
        self.radius = max(self.radius, reach)
        self._before = points
        return points.astype(np.float32)


def align(codes: list[np.ndarray]) -> np.ndarray:
    """Aligned points (S, P, 2) float32 of S frames of codes (P, D); D may differ between frames.

    All frames share one scale: 99 % of the widest frame's points lie within the unit circle.
    """
    aligner = Aligner()
    points = [aligner.add(frame) for frame in codes]
    if not points:
        return np.zeros((0, 0, 2), np.float32)
    return np.stack(points) / np.float32(aligner.radius or 1.0)


def _flattened(codes: np.ndarray) -> np.ndarray:
    """Project centred codes (P, D) on two principal axes (P, 2), the largest entry of each axis positive."""
    points = np.zeros((len(codes), 2))
    finite = np.isfinite(codes).all(axis=1)
    known = codes[finite]
    if len(known) < 2 or not np.ptp(known, axis=0).any():
        return points
    centred = known - known.mean(axis=0, dtype=np.float64).astype(np.float32)
    axes = _axes((centred.T @ centred).astype(np.float64))  # (D, 1 or 2)
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    points[finite, : axes.shape[1]] = centred @ (axes * signs)
    return points


def _axes(scatter: np.ndarray) -> np.ndarray:
    """The first two eigenvectors (D, 2) of a scatter matrix (D, D), largest first; only one for D = 1."""
    size = len(scatter)
    if size <= WIDE:
        return np.linalg.eigh(scatter)[1][:, ::-1][:, :2]
    from scipy.linalg import eigh

    return eigh(scatter, subset_by_index=[size - 2, size - 1])[1][:, ::-1]


def _rotation(points: np.ndarray, onto: np.ndarray) -> np.ndarray:
    from scipy.linalg import orthogonal_procrustes

    rotation: np.ndarray = orthogonal_procrustes(points, onto)[0]
    return rotation
