"""A mixture of Gaussians over codes: fitted by expectation-maximisation, kept as arrays, drawn from with a temperature."""

import warnings
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np

from aeviz.errors import BadValue

MAX_CODES, MAX_WIDE_CODES = 20_000, 5_000  # a mixture is fitted to, of up to 64 numbers each, or of 256 and more


@dataclass(frozen=True)
class Mixture:
    """Weights (K,), means (K, D) and the Cholesky factors (K, D, D) of the covariances of K Gaussians."""

    weights: np.ndarray
    means: np.ndarray
    factors: np.ndarray

    @classmethod
    def fit(cls, codes: np.ndarray, components: int, seed: int = 0) -> Self:
        """So many Gaussians with full covariances.

        Of more than 20,000 codes (N, D), fewer beyond 64 numbers each, to as many of them drawn with the seed.

        Raises:
            BadValue: fewer than 2 codes, fewer than components, codes that are not finite, or all the same.
        """
        most = max(MAX_WIDE_CODES, min(MAX_CODES, MAX_CODES * 64 // codes.shape[1]))
        x = np.asarray(codes, dtype=np.float64)[np.random.default_rng(seed).permutation(len(codes))[:most]]
        scale = _checked_scale(x, components)
        weights, means, covariances = _fitted(x / scale, components, seed)
        factors = scale * np.linalg.cholesky(covariances)
        return cls(*(part.astype(np.float32) for part in (weights, scale * means, factors)))

    def state(self) -> dict[str, np.ndarray]:
        """Its arrays, which make it again."""
        return asdict(self)

    def draw(self, count: int, temperature: float, seed: int) -> np.ndarray:
        """Codes (n, D) float32, each from one of the Gaussians, its deviations times the temperature."""
        generator = np.random.default_rng(seed)
        weights = self.weights.astype(np.float64)
        chosen = generator.choice(len(weights), count, p=weights / weights.sum())
        noise = temperature * generator.normal(size=(count, self.means.shape[1]))
        return (self.means[chosen] + np.einsum("nij,nj->ni", self.factors[chosen], noise)).astype(np.float32)


def _fitted(x: np.ndarray, components: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights (K,), means (K, D) and covariances (K, D, D) of the mixture fitted to x (N, D)."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    mixture = GaussianMixture(components, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # one not quite settled draws as well
        try:
            mixture.fit(x)
        except ValueError:  # its covariances cannot be inverted
            raise BadValue(
                "{components} Gaussians cannot be fitted to these codes: too many of them are the same; take fewer",
                components=components,
            ) from None
    return mixture.weights_, mixture.means_, mixture.covariances_


def _checked_scale(codes: np.ndarray, components: int) -> float:
    """How far codes (N, D) spread, once a mixture can be fitted to them."""
    if len(codes) < max(2, components):
        raise BadValue(
            "{components} Gaussians cannot be fitted to {count} codes; it takes {least} or more",
            components=components, count=len(codes), least=max(2, components),
        )  # fmt: skip
    if not np.isfinite(codes).all():
        raise BadValue("no Gaussian can be fitted to codes that are not finite; the run has diverged, train it anew")
    scale = float(codes.std(axis=0).max())
    if scale < 1e-12:
        raise BadValue("no Gaussian can be fitted to {count} codes that are all the same", count=len(codes))
    return scale
