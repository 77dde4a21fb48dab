"""Linear maps: points are coordinates of codes along a few directions; the inverse transform is exact."""

from abc import abstractmethod
from typing import Any, ClassVar, Self

import numpy as np

from aeviz.latent.principal_axes import principal_axes
from aeviz.latent.projections.base import OnStep, Projection, Step, checked_codes, ignore_step

CHUNK_NUMBERS = 8_000_000  # numbers centred at once: 64 MB


class Linear(Projection):
    """`points = (codes - mean) @ components.T`; a subclass chooses the directions.

    A direction the method cannot provide is zero, and so are its coordinates.
    """

    linear: ClassVar[bool] = True

    mean: np.ndarray  # (D,)
    components: np.ndarray  # (dims, D)

    @abstractmethod
    def _measure(self, codes: np.ndarray, labels: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """The mean (D,) and components (dims, D) for codes (N, D), finite and non-empty."""

    def fit(self, codes: np.ndarray, on_step: OnStep = ignore_step, labels: np.ndarray | None = None) -> np.ndarray:
        """Project codes (N, D) to points (N, 2 or 3)."""
        self.check_installed()
        codes = checked_codes(codes)
        self.mean, self.components = self._measure(codes, labels)
        points = self.place(codes)
        on_step(Step(1, 1, points))
        return points

    def place(self, codes: np.ndarray) -> np.ndarray:
        """Project new codes (M, D) onto the same axes: points (M, 2 or 3)."""
        codes = np.asarray(codes)
        points = np.empty((len(codes), len(self.components)), dtype=np.float32)
        chunk = max(1, CHUNK_NUMBERS // max(codes.shape[1], 1))
        for start in range(0, len(codes), chunk):
            centred = codes[start : start + chunk].astype(np.float64) - self.mean
            for axis, component in enumerate(self.components):
                # Not a matrix product, whose rounding depends on the number of rows.
                points[start : start + chunk, axis] = (centred * component).sum(axis=1)
        return points

    def invert(self, points: np.ndarray) -> np.ndarray:
        """Codes (M, D) at points (M, dims) that are nearest to the mean."""
        back = np.linalg.pinv(self.components.T)  # (dims, D)
        return (np.asarray(points, dtype=np.float64) @ back + self.mean).astype(np.float32)

    def state(self) -> dict[str, np.ndarray]:
        """The fitted axes and centre as named arrays."""
        return {"mean": self.mean, "components": self.components}

    @classmethod
    def from_state(cls, settings: Any, arrays: dict[str, np.ndarray]) -> Self:
        """Restore a fitted projection from its named arrays."""
        linear = cls(settings)
        linear.mean, linear.components = arrays["mean"], arrays["components"]
        return linear


def completed(components: np.ndarray, codes: np.ndarray, dims: int) -> np.ndarray:
    """Extend components (k, D) to (dims, D) with principal axes of the residual variance of codes (N, D)."""
    missing = dims - len(components)
    if missing <= 0:
        return components[:dims]
    centred = codes - codes.mean(axis=0)
    beyond = centred - centred @ np.linalg.pinv(components) @ components
    if np.square(beyond).sum() <= 1e-12 * np.square(centred).sum():
        return np.vstack([components, np.zeros((missing, codes.shape[1]))])
    return np.vstack([components, principal_axes(beyond, missing)[0]])
