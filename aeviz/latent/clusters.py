"""Codes in clusters that no label names: k-means and HDBSCAN, the largest cluster first."""

import numpy as np

from aeviz.errors import BadValue
from aeviz.latent.neighbours import OnStep, nearest
from aeviz.latent.projections.base import checked_codes

STARTS = 3  # of k-means, the best of which is kept
MAX_FITTED = 20_000  # codes that HDBSCAN looks at; its time grows with their square


def k_means(codes: np.ndarray, k: int, seed: int = 0) -> np.ndarray:
    """The cluster (N,) of each code (N, D) by k-means++ and Lloyd's iterations (Arthur & Vassilvitskii, SODA 2007).

    Where fewer than k codes differ, as they may in a VQ-VAE, there are no more clusters than these.

    Raises:
        BadValue: fewer codes than clusters, or codes that are not finite.
    """
    from sklearn.cluster import KMeans

    codes = checked_codes(codes)
    if len(codes) < k:
        raise BadValue("k = {k} clusters cannot be made of {n} codes; use {n} or fewer", k=k, n=len(codes))
    k = min(k, len(np.unique(codes, axis=0)))
    return _largest_first(KMeans(k, n_init=STARTS, random_state=seed).fit_predict(codes))


def hdbscan(
    codes: np.ndarray, min_cluster_size: int, seed: int = 0, on_step: OnStep | None = None
) -> tuple[np.ndarray, int]:
    """The cluster (N,) of each code by density, -1 for those in none, and how many codes it was made of.

    HDBSCAN (Campello, Moulavi & Sander, PAKDD 2013, https://doi.org/10.1007/978-3-642-37456-2_14). Beyond 20,000 codes
    a sample drawn with the seed is clustered, and each other code goes with the nearest of the sample, also into none.

    Args:
        codes: (N, D).
        min_cluster_size: fewer codes than this are no cluster.
        seed: draws the sample.
        on_step: told `(done, total)` in codes; may raise to cancel.

    Raises:
        BadValue: fewer codes than a cluster needs, or codes that are not finite.
    """
    from sklearn.cluster import HDBSCAN

    codes = checked_codes(codes)
    n, step = len(codes), on_step or (lambda done, total: None)
    if n < min_cluster_size:
        raise BadValue(
            "min_cluster_size = {size} is more than the {n} codes there are; use fewer", size=min_cluster_size, n=n
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
    """Clusters (N,) numbered anew by size, equal ones by their first member; what is in none (-1) stays so."""
    numbers, first, counts = np.unique(clusters, return_index=True, return_counts=True)
    order = np.lexsort((first, -counts))
    order = order[numbers[order] >= 0]
    renamed = np.full(int(clusters.max(initial=-1)) + 2, -1, dtype=np.int64)  # its last place is that of -1
    renamed[numbers[order]] = np.arange(len(order))
    return renamed[clusters]
