"""Maps of one training laid over each other, so that what one sees move has moved."""

import numpy as np

WIDE = 128  # beyond, only the two axes that are wanted are solved for
FITTING = 0.99  # the share of a frame's points that the common scale fits into the circle


class Aligner:
    """Flat maps of frames that come one by one, each turned onto the one before it.

    A frame's map is its two principal axes, centred, in the codes' own units: distances within a frame and the growth
    from frame to frame are true. It is turned (and mirrored, if need be) by the orthogonal matrix that brings it
    nearest to the frame before (orthogonal Procrustes; Schönemann, Psychometrika 1966,
    https://doi.org/10.1007/BF02289451). `radius` is that of a circle around 0 which holds 99 % of every frame so far.
    """

    def __init__(self) -> None:
        self.radius = 0.0
        self._before: np.ndarray | None = None

    def add(self, codes: np.ndarray) -> np.ndarray:
        """Points (P, 2) float32 of the next frame's codes (P, D).

        Codes of one dimension leave the second axis at zero, unless a wider frame came before. Codes that are not
        finite lie at 0, as does a frame of equal codes, which the next one is not turned onto.
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
    """Points (S, P, 2) float32 of all frames, S times codes (P, D); D may change from frame to frame.

    One scale for all of them: 99 % of the widest frame's points lie in the circle of radius 1.
    """
    aligner = Aligner()
    points = [aligner.add(frame) for frame in codes]
    if not points:
        return np.zeros((0, 0, 2), np.float32)
    return np.stack(points) / np.float32(aligner.radius or 1.0)


def _flattened(codes: np.ndarray) -> np.ndarray:
    """Centred codes (P, D) on their two principal axes (P, 2), each axis with its largest entry positive."""
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
    """The first two eigenvectors (D, 2) of a scatter matrix (D, D), largest first; all there is for D = 1."""
    size = len(scatter)
    if size <= WIDE:
        return np.linalg.eigh(scatter)[1][:, ::-1][:, :2]
    from scipy.linalg import eigh

    return eigh(scatter, subset_by_index=[size - 2, size - 1])[1][:, ::-1]


def _rotation(points: np.ndarray, onto: np.ndarray) -> np.ndarray:
    from scipy.linalg import orthogonal_procrustes

    rotation: np.ndarray = orthogonal_procrustes(points, onto)[0]
    return rotation
