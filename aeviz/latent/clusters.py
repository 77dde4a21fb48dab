"""Clusters of codes by k-means and HDBSCAN, largest first."""

import numpy as np

from aeviz.errors import BadValue
from aeviz.latent.neighbours import OnStep, nearest
from aeviz.latent.projections.base import checked_codes

STARTS = 3  # k-means restarts; the best one is kept
MAX_FITTED = 20_000  # codes HDBSCAN clusters; its run time is quadratic


def k_means(codes: np.ndarray, k: int, seed: int = 0) -> np.ndarray:
    """Cluster codes (N, D) into k clusters (N,) with k-means++ (Arthur & Vassilvitskii, SODA 2007).

    If fewer than k codes are distinct (possible in a VQ-VAE), there is one cluster per distinct code.

    Raises:
        BadValue: fewer codes than clusters, or non-finite codes.
    """
    from sklearn.cluster import KMeans

    codes = checked_codes(codes)
    if len(codes) < k:
        raise BadValue("k = {k} clusters need more than the {n} codes available; use {n} or fewer", k=k, n=len(codes))
    k = min(k, len(np.unique(codes, axis=0)))
    return _largest_first(KMeans(k, n_init=STARTS, random_state=seed).fit_predict(codes))


def hdbscan(
    codes: np.ndarray, min_cluster_size: int, seed: int = 0, on_step: OnStep | None = None
) -> tuple[np.ndarray, int]:
    """Cluster codes by density into clusters (N,), -1 for noise; also return the number of codes clustered.

    HDBSCAN (Campello, Moulavi & Sander, PAKDD 2013, https://doi.org/10.1007/978-3-642-37456-2_14). Above 20,000 codes,
    a random sample is clustered and every other code takes the cluster of its nearest sampled code, noise included.

    Args:
        codes: (N, D).
        min_cluster_size: smallest group that counts as a cluster.
        seed: seed of the sample.
        on_step: called with `(done, total)` codes; may raise to cancel.

    Raises:
        BadValue: fewer codes than `min_cluster_size`, or non-finite codes.
    """
    from sklearn.cluster import HDBSCAN

    codes = checked_codes(codes)
    n, step = len(codes), on_step or (lambda done, total: None)
    if n < min_cluster_size:
        raise BadValue(
            "min_cluster_size = {size} exceeds the {n} codes available; use {n} or less", size=min_cluster_size, n=n
        )
    sample = np.sort(np.random.default_rng(seed).permutation(n)[:MAX_FITTED])
    step(0, n)
    found = _largest_first(HDBSCAN(min_cluster_size, copy=True).fit_predict(codes[sample]))
    others = np.setdiff1d(np.arange(n), sample)
    clusters = np.empty(n, dtype=np.int64)
    clusters[sample] = found
    _, rows = nearest(codes[sample], codes[others], 1, on_step=lambda done, _: step(len(sample) + done, n))
    clusters[others] = found[rows[:, 0]]
    step(n, n)
    return clusters, len(sample)


def _largest_first(clusters: np.ndarray) -> np.ndarray:
    """Renumber clusters (N,) by decreasing size, ties by first member; noise stays -1."""
    numbers, first, counts = np.unique(clusters, return_index=True, return_counts=True)
    order = np.lexsort((first, -counts))
    order = order[numbers[order] >= 0]
    renamed = np.full(int(clusters.max(initial=-1)) + 2, -1, dtype=np.int64)  # the last entry maps -1
    renamed[numbers[order]] = np.arange(len(order))
    return renamed[clusters]
