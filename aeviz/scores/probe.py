"""Probes: accuracy of simple classifiers on codes, fitted on train and tested on another split."""

import warnings
from typing import Any

import numpy as np

MAX_LINEAR_NUMBERS = 8_000_000  # rows x dimensions for the logistic regression; more are subsampled


def knn_probe(
    train_codes: np.ndarray, train_labels: np.ndarray, codes: np.ndarray, labels: np.ndarray, k: int = 5
) -> float | None:
    """Accuracy of a k-nearest-neighbour classifier, fitted on training codes, on codes (N, D) with labels (N,).

    Unlabelled rows (-1) are left out. None without test rows, with fewer than two training classes, or with non-finite
    codes.
    """
    from sklearn.neighbors import KNeighborsClassifier

    rows = _known(train_codes, train_labels, codes, labels)
    if rows is None:
        return None
    x, y, test_x, test_y = rows
    return float(KNeighborsClassifier(min(k, len(x))).fit(x, y).score(test_x, test_y))


def linear_probe(
    train_codes: np.ndarray, train_labels: np.ndarray, codes: np.ndarray, labels: np.ndarray, seed: int = 0
) -> float | None:
    """Accuracy of a logistic regression on standardised codes (N, D), labels (N,); None as in `knn_probe`.

    L-BFGS, at most 1,000 iterations, C = 1. Above 8 million numbers (rows x D: 250,000 rows of 32 dimensions, 125,000
    of 64), training codes are subsampled with the seed.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows = _known(train_codes, train_labels, codes, labels)
    if rows is None:
        return None
    x, y, test_x, test_y = rows
    most = max(1000, MAX_LINEAR_NUMBERS // x.shape[1])
    if len(x) > most:
        drawn = np.random.default_rng(seed).permutation(len(x))[:most]
        x, y = x[drawn], y[drawn]
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    with warnings.catch_warnings():
        # Separable codes never converge, but their accuracy stops changing long before.
        warnings.simplefilter("ignore", ConvergenceWarning)
        probe.fit(x, y)
    return float(probe.score(test_x, test_y))


def _known(train_codes: Any, train_labels: Any, codes: Any, labels: Any) -> tuple[np.ndarray, ...] | None:
    """Labelled rows of train and test; None if there is nothing to fit or to test."""
    train, test = np.asarray(train_labels) >= 0, np.asarray(labels) >= 0
    x, test_x = (np.asarray(c, dtype=np.float64)[kept] for c, kept in ((train_codes, train), (codes, test)))
    y, test_y = np.asarray(train_labels)[train], np.asarray(labels)[test]
    if len(np.unique(y)) < 2 or len(test_y) == 0 or not (np.isfinite(x).all() and np.isfinite(test_x).all()):
        return None
    return x, y, test_x, test_y
