"""Principal component analysis: the flat map that keeps as much variance as a flat map can."""

from typing import Any, Literal, Self

import numpy as np
from pydantic import Field

from aeviz import config
from aeviz.errors import BadValue
from aeviz.latent.projection import OnStep, Projection, checked_codes

EXACT_DIMENSIONS = 2048  # up to here the whole covariance is solved; wider codes take a randomized solver


class PCASettings(config.Settings):
    """How PCA draws its map."""

    dims: Literal[2, 3] = Field(2, description="Dimensions of the map.")


class PCA(Projection):
    """Linear projection on the directions of largest variance (Pearson 1901; Hotelling 1933)."""

    name = "pca"
    label = "PCA"
    Settings = PCASettings
    settings: PCASettings

    mean: np.ndarray  # (D,)
    components: np.ndarray  # (dims, D)
    ratio: np.ndarray  # (dims,) share of the variance

    def fit(self, codes: np.ndarray, on_step: OnStep | None = None) -> np.ndarray:
        """Points (N, dims); codes with fewer than `dims` directions of their own leave the rest at zero."""
        codes = checked_codes(codes)
        if len(codes) == 0:
            raise BadValue("there are no codes to map; choose at least one image")
        self.mean = codes.mean(axis=0)
        self.components, self.ratio = _axes(codes, self.settings.dims)
        points = self.place(codes)
        if on_step:
            on_step(1, 1, points)
        return points

    def place(self, codes: np.ndarray) -> np.ndarray:
        return ((np.asarray(codes, dtype=np.float64) - self.mean) @ self.components.T).astype(np.float32)

    def invert(self, points: np.ndarray) -> np.ndarray:
        """Codes (M, D) in the map's own plane, where `place` brings them back to the same points."""
        return (np.asarray(points, dtype=np.float64) @ self.components + self.mean).astype(np.float32)

    def state(self) -> dict[str, np.ndarray]:
        return {"mean": self.mean, "components": self.components, "ratio": self.ratio}

    @classmethod
    def from_state(cls, settings: Any, arrays: dict[str, np.ndarray]) -> Self:
        pca = cls(settings)
        pca.mean, pca.components, pca.ratio = arrays["mean"], arrays["components"], arrays["ratio"]
        return pca

    def notes(self) -> dict[str, Any]:
        return {"explained_variance_ratio": [float(share) for share in self.ratio]}


def variance_ratio(codes: np.ndarray) -> np.ndarray:
    """The share of variance (D,) along each principal axis of codes (N, D), largest first; zeros if they are all equal."""
    codes = checked_codes(codes)
    if len(codes) < 2:
        return np.zeros(codes.shape[1])
    values = np.linalg.eigvalsh(np.atleast_2d(np.cov(codes, rowvar=False)))[::-1].clip(min=0)
    return values / values.sum() if values.sum() > 0 else values


def _axes(codes: np.ndarray, dims: int) -> tuple[np.ndarray, np.ndarray]:
    """The first axes (dims, D), each with its largest entry positive, and their share of the variance (dims,)."""
    components, ratio = np.zeros((dims, codes.shape[1])), np.zeros(dims)
    count = min(dims, *codes.shape)
    if not np.ptp(codes, axis=0).any():
        return components, ratio
    from sklearn.decomposition import PCA as ScikitPCA

    solver = "covariance_eigh" if codes.shape[1] <= EXACT_DIMENSIONS else "randomized"
    fitted = ScikitPCA(count, svd_solver=solver, random_state=0).fit(codes)
    largest = np.abs(fitted.components_).argmax(axis=1)
    signs = np.where(fitted.components_[np.arange(count), largest] < 0, -1.0, 1.0)
    components[:count] = fitted.components_ * signs[:, None]
    ratio[:count] = fitted.explained_variance_ratio_
    return components, ratio
