"""Principal axes: the directions of largest variance."""

import numpy as np

from aeviz.latent.projections.base import checked_codes

EXACT_DIMENSIONS = 2048  # up to here by a full eigendecomposition; above with a randomized solver


def variance_ratio(codes: np.ndarray) -> np.ndarray:
    """Explained variance ratio (D,) of the principal axes of codes (N, D), largest first; zeros if all are equal."""
    codes = checked_codes(codes)
    if len(codes) < 2:
        return np.zeros(codes.shape[1])
    values = np.linalg.eigvalsh(np.atleast_2d(np.cov(codes, rowvar=False)))[::-1].clip(min=0)
    return values / values.sum() if values.sum() > 0 else values


def principal_axes(codes: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The first principal axes (count, D), largest entry positive, and their explained variance ratio (count,).

    If codes (N, D) have fewer axes, the rest is zero.
    """
    components, ratio = np.zeros((count, codes.shape[1])), np.zeros(count)
    available = min(count, *codes.shape)
    if not np.ptp(codes, axis=0).any():
        return components, ratio
    axes, shares = (_exact if codes.shape[1] <= EXACT_DIMENSIONS else _randomized)(codes, available)
    largest = np.abs(axes).argmax(axis=1)
    signs = np.where(axes[np.arange(available), largest] < 0, -1.0, 1.0)
    components[:available], ratio[:available] = axes * signs[:, None], shares
    return components, ratio


def _exact(codes: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvectors (count, D) of the covariance and their share of its trace, largest first."""
    centred = codes - codes.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred)
    values = values.clip(min=0)
    return vectors.T[::-1][:count], values[::-1][:count] / values.sum()


def _randomized(codes: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.decomposition import PCA as ScikitPCA

    fitted = ScikitPCA(count, svd_solver="randomized", random_state=0).fit(codes)
    return fitted.components_, fitted.explained_variance_ratio_
