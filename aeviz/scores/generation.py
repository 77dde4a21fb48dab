"""Set-level sample quality: fidelity and coverage."""

from typing import NamedTuple

import numpy as np
import torch

from aeviz.latent.neighbours import own_nearest, squared_distances


def frechet(a: np.ndarray, b: np.ndarray) -> float | None:
    """Squared Fréchet distance between Gaussians fitted to features a (N, F) and b (M, F).

    |mean difference|² + tr(A + B - 2 (A^½ B A^½)^½) (Dowson & Landau 1982; as a score of samples: Heusel et al.,
    NeurIPS 2017, https://arxiv.org/abs/1706.08500). It depends on the features and shrinks with set size: compare only
    at equal features and sizes. None with fewer than 2 rows in either set, or non-finite numbers.
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
    """Share of fakes within the real manifold (precision), and of real images within the fake one (recall)."""

    precision: float | None
    recall: float | None


def precision_recall(real: np.ndarray, fake: np.ndarray, k: int = 3) -> PrecisionRecall:
    """Improved precision and recall (Kynkäänniemi et al., NeurIPS 2019, https://arxiv.org/abs/1904.06991).

    A feature is within a set's manifold if it is inside a ball around a member with the radius of that member's k-th
    nearest neighbour in the set. Both are None with fewer than 2 rows in either set, or non-finite numbers.

    Args:
        real: features (N, F).
        fake: features (M, F).
        k: the neighbour that sets the radius of a ball.
    """
    if not _is_valid(real, fake):
        return PrecisionRecall(None, None)
    return PrecisionRecall(_share_within(real, fake, k), _share_within(fake, real, k))


def _share_within(centres: np.ndarray, features: np.ndarray, k: int) -> float:
    """Share of features (M, F) inside the balls around centres (N, F)."""
    radii = torch.from_numpy(own_nearest(centres, k)[0][:, -1]).square()
    rounding = 1e-6 * radii.mean()  # fast distances are inexact, and a set must be within itself
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
