"""Gaussian mixture over codes: fitted by EM, stored as arrays, sampled with a temperature."""

import warnings
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np

from aeviz.errors import BadValue

MAX_CODES, MAX_WIDE_CODES = 20_000, 5_000  # codes a mixture is fitted to, at up to 64 dimensions, and at 256 and more


@dataclass(frozen=True)
class Mixture:
    """K Gaussians: weights (K,), means (K, D) and Cholesky factors of the covariances (K, D, D)."""

    weights: np.ndarray
    means: np.ndarray
    factors: np.ndarray

    @classmethod
    def fit(cls, codes: np.ndarray, components: int, seed: int = 0) -> Self:
        """Fit Gaussians with full covariances to codes (N, D).

        Above 20,000 codes (fewer above 64 dimensions), codes are subsampled with the seed.

        Raises:
            BadValue: fewer than 2 codes, fewer codes than components, non-finite codes, or all codes equal.
        """
        most = max(MAX_WIDE_CODES, min(MAX_CODES, MAX_CODES * 64 // codes.shape[1]))
        x = np.asarray(codes, dtype=np.float64)[np.random.default_rng(seed).permutation(len(codes))[:most]]
        scale = _checked_scale(x, components)
        weights, means, covariances = _fitted(x / scale, components, seed)
        factors = scale * np.linalg.cholesky(covariances)
        return cls(*(part.astype(np.float32) for part in (weights, scale * means, factors)))

    def state(self) -> dict[str, np.ndarray]:
        """The arrays that restore the mixture."""
        return asdict(self)

    def draw(self, count: int, temperature: float, seed: int) -> np.ndarray:
        """Draw codes (n, D) float32; deviations from the means are scaled by the temperature."""
        generator = np.random.default_rng(seed)
        weights = self.weights.astype(np.float64)
        chosen = generator.choice(len(weights), count, p=weights / weights.sum())
        noise = temperature * generator.normal(size=(count, self.means.shape[1]))
        return (self.means[chosen] + np.einsum("nij,nj->ni", self.factors[chosen], noise)).astype(np.float32)


def _fitted(x: np.ndarray, components: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fit a mixture to x (N, D) and return weights (K,), means (K, D) and covariances (K, D, D)."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    mixture = GaussianMixture(components, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # near convergence is good enough for sampling
        try:
            mixture.fit(x)
        except ValueError:  # a singular covariance
            raise BadValue(
                "{components} Gaussians cannot be fitted to these codes: too many are equal; use fewer",
                components=components,
            ) from None
    return mixture.weights_, mixture.means_, mixture.covariances_


def _checked_scale(codes: np.ndarray, components: int) -> float:
    """Check that a mixture can be fitted to codes (N, D), and return their largest deviation."""
    if len(codes) < max(2, components):
        raise BadValue(
            "{components} Gaussians cannot be fitted to {count} codes; use {least} codes or more",
            components=components, count=len(codes), least=max(2, components),
        )  # fmt: skip
    if not np.isfinite(codes).all():
        raise BadValue("no Gaussian can be fitted to codes that are not finite; the run has diverged, train it again")
    scale = float(codes.std(axis=0).max())
    if scale < 1e-12:
        raise BadValue("no Gaussian can be fitted to {count} codes that are all equal", count=len(codes))
    return scale
