"""How well a map (or code) preserves neighbourhoods and classes."""

from typing import NamedTuple

import numpy as np

from aeviz.latent.neighbours import nearest, own_nearest, squared_distances

MAX_ROWS = 10_000


class Quality(NamedTuple):
    """A score in [0, 1], None below 3 rows, with the number of rows used and the neighbourhood size."""

    value: float | None
    n: int
    k: int


def trustworthiness(high: np.ndarray, low: np.ndarray, k: int = 15, seed: int = 0) -> Quality:
    """Trustworthiness: how few false neighbours are among a point's k nearest (Venna & Kaski, ICANN 2001).

    https://doi.org/10.1007/3-540-44668-0_68. Above 10,000 rows, a subsample drawn with the seed is used; `n` is the
    number of rows used. k is capped below n / 2, where the measure is defined. Ties take the best rank in `high` and a
    random order in `low`, so a collapsed map scores at chance, near 0.5.

    Args:
        high: (N, F), the original space: pixels for codes, codes for a map.
        low: (N, D), the embedding.
        k: number of neighbours.
        seed: seed of the subsample and the order of ties.
    """
    rows = np.random.default_rng(seed).permutation(len(high))[:MAX_ROWS]
    high, low, n = _flat(high, rows), _flat(low, rows), len(rows)
    k = min(k, (n - 1) // 2)
    if k < 1 or not (np.isfinite(high).all() and np.isfinite(low).all()):
        return Quality(None, n, max(k, 0))
    _, neighbours = own_nearest(low, k)
    return Quality(1 - 2 * _penalty(high, neighbours) / (n * k * (2 * n - 3 * k - 1)), n, k)


def continuity(high: np.ndarray, low: np.ndarray, k: int = 15, seed: int = 0) -> Quality:
    """Continuity: how few of a point's k nearest the map loses (Venna & Kaski 2001); swaps `high` and `low`."""
    return trustworthiness(low, high, k, seed)


def knn_accuracy(x: np.ndarray, labels: np.ndarray, k: int = 10, folds: int = 5, seed: int = 0) -> float | None:
    """Cross-validated accuracy of a k-nearest-neighbour classifier of labels (N,) on x (N, D).

    Unlabelled rows (-1) are left out. None with fewer than two classes, or if no class has two rows.
    """
    known = np.asarray(labels) >= 0
    x = np.asarray(x, dtype=np.float64)[known]
    _, labels, counts = np.unique(np.asarray(labels)[known], return_inverse=True, return_counts=True)
    folds = min(folds, len(labels))
    if len(counts) < 2 or counts.max() < 2 or not np.isfinite(x).all():
        return None
    fold = _stratified(labels, folds, seed)
    hits = sum(_hits(x[fold != f], labels[fold != f], x[fold == f], labels[fold == f], k) for f in range(folds))
    return hits / len(labels)


def _flat(x: np.ndarray, rows: np.ndarray) -> np.ndarray:
    x = np.asarray(x)[rows]
    x = x.reshape(len(rows), int(np.prod(x.shape[1:])))  # -1 is ambiguous without rows
    return x.astype(np.float32) if x.shape[1] > 256 else x.astype(np.float64)


def _penalty(high: np.ndarray, neighbours: np.ndarray) -> float:
    """Sum over all neighbours (N, k) of how far their distance rank in `high` (N, F) exceeds k."""
    k, total = neighbours.shape[1], 0.0
    rounding = 1e-9 if high.shape[1] <= 256 else 1e-6
    for part, squared in squared_distances(high, high):
        tie = rounding * float(squared.mean())
        for distances, row_neighbours in zip(squared.numpy(), neighbours[part], strict=True):
            # The row itself comes first, at distance 0, so the number of entries before a neighbour is its rank.
            ranks = np.searchsorted(np.sort(distances), distances[row_neighbours] - tie)
            total += float(np.maximum(ranks - k, 0).sum())
    return total


def _stratified(labels: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Assign rows to folds (N,), with every class spread as evenly as possible."""
    order = np.random.default_rng(seed).permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    fold = np.empty(len(labels), dtype=np.int64)
    fold[order] = np.arange(len(labels)) % folds
    return fold


def _hits(train_x: np.ndarray, train_labels: np.ndarray, x: np.ndarray, labels: np.ndarray, k: int) -> int:
    _, rows = nearest(train_x, x, k)
    votes = np.zeros((len(x), int(train_labels.max()) + 1), dtype=np.int64)  # (M, K)
    np.add.at(votes, (np.arange(len(x))[:, None], train_labels[rows]), 1)
    return int((votes.argmax(axis=1) == labels).sum())
