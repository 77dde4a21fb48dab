"""Directions that mean something: from one group of codes to another, applied to any code, and how much else they do."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from aeviz.errors import BadValue

RIDGE = 1.0  # keeps the reading of attributes steady where dimensions say the same
NEAR_ZERO = 1e-12


def mean_difference(a: np.ndarray, b: np.ndarray, seed: int = 0) -> np.ndarray:
    """The direction (D,) from the mean of codes a (N, D) to that of codes b (M, D).

    Raises:
        BadValue: one of the groups is empty.
    """
    a, b = _groups(a, b)
    return (b.mean(axis=0) - a.mean(axis=0)).astype(np.float32)


def classifier_normal(a: np.ndarray, b: np.ndarray, seed: int = 0) -> np.ndarray:
    """The direction (D,) across the border between codes a (N, D) and codes b (M, D).

    The normal of a logistic regression on standardised codes, both groups weighing the same; as long as the way along
    it from the height of a's mean to that of b's. The shortest way over the border, which tells groups apart best but
    may change much else (Haufe et al., NeuroImage 2014): see `specificity`.

    Raises:
        BadValue: one of the groups is empty, or both have the same mean.
    """
    from sklearn.linear_model import LogisticRegression

    a, b = _groups(a, b)
    x = np.concatenate([a, b])
    spread = x.std(axis=0)
    spread[spread < NEAR_ZERO] = 1.0
    classifier = LogisticRegression(max_iter=1000, class_weight="balanced", random_state=seed)
    fitted = classifier.fit((x - x.mean(axis=0)) / spread, np.repeat([0, 1], [len(a), len(b)]))
    normal = fitted.coef_[0] / spread
    normal /= max(float(np.linalg.norm(normal)), NEAR_ZERO)
    length = float((b.mean(axis=0) - a.mean(axis=0)) @ normal)
    if abs(length) < NEAR_ZERO:
        raise BadValue("both groups have the same mean, so nothing leads from one to the other; choose others")
    return (length * normal).astype(np.float32)


METHODS: dict[str, tuple[str, Callable[[np.ndarray, np.ndarray, int], np.ndarray]]] = {
    "mean_difference": ("Difference of means", mean_difference),
    "classifier_normal": ("Normal of a classifier", classifier_normal),
}


def shift(codes: np.ndarray, vector: np.ndarray, amount: float) -> np.ndarray:
    """Codes (N, D) moved along a direction (D,); an amount of 1 leads from group A to group B, -1 back."""
    return (np.asarray(codes, dtype=np.float64) + amount * np.asarray(vector, dtype=np.float64)).astype(np.float32)


def analogy(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """What is to code c (D,) as code b (D,) is to code a (D,): c + b - a (Mikolov et al., NAACL 2013)."""
    return shift(np.asarray(c), np.asarray(b, dtype=np.float64) - np.asarray(a, dtype=np.float64), 1.0)


class Specificity(NamedTuple):
    """How much of what a direction does is what it is for, 0 to 1, and all it does, in deviations by attribute."""

    value: float | None
    changes: dict[str, float]


def specificity(
    vector: np.ndarray, codes: np.ndarray, attributes: dict[str, np.ndarray], wanted: list[str]
) -> Specificity:
    """How specific a direction (D,) is: the share of its squared changes that falls on the wanted attributes.

    A change is how far an attribute moves, in standard deviations of its own, when a code moves by the whole
    direction: read off codes (N, D) by a ridge regression on the attribute's values (N,), NaN unknown. Attributes
    that do not vary are left out; None where nothing changes.
    """
    changes = {
        name: change for name, values in attributes.items() if (change := _change(vector, codes, values)) is not None
    }
    total = sum(change**2 for change in changes.values())
    if total < NEAR_ZERO:
        return Specificity(None, changes)
    return Specificity(sum(changes[name] ** 2 for name in wanted if name in changes) / total, changes)


def _change(vector: np.ndarray, codes: np.ndarray, values: np.ndarray) -> float | None:
    values = np.asarray(values, dtype=np.float64)
    known = np.isfinite(values)
    x, y = np.asarray(codes, dtype=np.float64)[known], values[known]
    if len(y) < 2 or y.std() < NEAR_ZERO:
        return None
    spread = x.std(axis=0)
    spread[spread < NEAR_ZERO] = 1.0
    x, y = (x - x.mean(axis=0)) / spread, (y - y.mean()) / y.std()
    weights = np.linalg.solve(x.T @ x + RIDGE * np.eye(x.shape[1]), x.T @ y)  # (D,)
    return float(weights @ (np.asarray(vector, dtype=np.float64) / spread))


def _groups(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both groups as float64, once there is something in each."""
    for name, group in (("first", a), ("second", b)):
        if len(group) == 0:
            raise BadValue("the {name} group is empty; a direction needs at least one image on each side", name=name)
    return np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
