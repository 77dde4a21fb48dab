"""How good samples are, as a set: do they look like real images, and do they cover them all?"""

from typing import NamedTuple

import numpy as np
import torch

from aeviz.latent.neighbours import own_nearest, squared_distances


def frechet(a: np.ndarray, b: np.ndarray) -> float | None:
    """The squared Fréchet distance of the Gaussians with the moments of features a (N, F) and b (M, F).

    |mean difference|² + tr(A + B - 2 (A^½ B A^½)^½) (Dowson & Landau 1982; as a score of samples: Heusel et al.,
    NeurIPS 2017, https://arxiv.org/abs/1706.08500). It depends on the features and shrinks as sets grow: compare at
    the same features and sizes only. None with fewer than 2 rows on a side, or numbers that are not finite.
    """
    if not _is_valid(a, b):
        return None
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    covariance_a, covariance_b = (np.atleast_2d(np.cov(x, rowvar=False)) for x in (a, b))
    root = _root(covariance_a)
    shared = np.sqrt(np.linalg.eigvalsh(root @ covariance_b @ root).clip(min=0)).sum()
    distance = np.square(a.mean(axis=0) - b.mean(axis=0)).sum() + np.trace(covariance_a + covariance_b) - 2 * shared
    return max(float(distance), 0.0)


class PrecisionRecall(NamedTuple):
    """Which share of fakes lies among the real ones, and which share of the real ones among the fakes."""

    precision: float | None
    recall: float | None


def precision_recall(real: np.ndarray, fake: np.ndarray, k: int = 3) -> PrecisionRecall:
    """Improved precision and recall (Kynkäänniemi et al., NeurIPS 2019, https://arxiv.org/abs/1904.06991).

    A feature lies among others if it is within one of their balls, which reach to their k-th nearest of their own
    kind. Both are None with fewer than 2 rows on a side, or numbers that are not finite.

    Args:
        real: features (N, F).
        fake: features (M, F).
        k: how far the balls reach.
    """
    if not _is_valid(real, fake):
        return PrecisionRecall(None, None)
    return PrecisionRecall(_share_within(real, fake, k), _share_within(fake, real, k))


def _share_within(centres: np.ndarray, features: np.ndarray, k: int) -> float:
    """Which share of features (M, F) lies within the balls around centres (N, F)."""
    radii = torch.from_numpy(own_nearest(centres, k)[0][:, -1]).square()
    rounding = 1e-6 * radii.mean()  # the distances are quick ones, and a set must lie within itself
    within = [
        (squared <= radii + rounding).any(1)
        for _, squared in squared_distances(np.asarray(centres), np.asarray(features))
    ]
    return float(torch.cat(within).double().mean())


def _root(covariance: np.ndarray) -> np.ndarray:
    """The symmetric square root of a covariance (F, F)."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(values.clip(min=0)) @ vectors.T


def _is_valid(a: np.ndarray, b: np.ndarray) -> bool:
    return min(len(a), len(b)) >= 2 and bool(np.isfinite(a).all() and np.isfinite(b).all())
