"""Directions that mean something: from one group of codes to another, applied to any code, and how much else they do."""

from collections.abc import Callable
from typing import NamedTuple, Self

import numpy as np

from aeviz.errors import BadValue

MAX_NUMBERS = 8_000_000  # rows x dimensions a classifier is fitted to
WEIGHT_PENALTY = 0.3  # penalty on a classifier's squared weights, beside its mean loss; from 0.1 to 1 it hardly matters
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

    The normal of a logistic regression, both groups weighing the same; as long as the way along it from the height of
    a's mean to that of b's. The codes are shrunk by one number only, so that it stands upright on the border in the
    space itself, and the weights are held small: a border left free leans on dimensions that hardly vary, and crossing
    it changes no picture (weights say what separates, not what differs; Haufe et al., NeuroImage 2014). Of more than 8
    million numbers, as many codes are drawn with the seed.

    Raises:
        BadValue: one of the groups is empty, or both have the same mean.
    """
    from sklearn.linear_model import LogisticRegression

    a, b = _groups(a, b)
    most = MAX_NUMBERS // (2 * a.shape[1])
    a, b = (group[np.random.default_rng(seed).permutation(len(group))[:most]] for group in (a, b))
    x = np.concatenate([a, b])
    x -= x.mean(axis=0)
    classifier = LogisticRegression(C=1 / (WEIGHT_PENALTY * len(x)), max_iter=1000, class_weight="balanced")
    normal = classifier.fit(x / max(float(x.std()), NEAR_ZERO), np.repeat([0, 1], [len(a), len(b)])).coef_[0]
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
    changes: dict[str, float] = {}
    for known, names in _by_known_rows(attributes):
        reader = _Reader.of(codes[known])
        for name in names:
            values = np.asarray(attributes[name], dtype=np.float64)[known]
            if len(values) > 1 and values.std() > NEAR_ZERO:
                changes[name] = reader.change(vector, (values - values.mean()) / values.std())
    total = sum(change**2 for change in changes.values())
    if total < NEAR_ZERO:
        return Specificity(None, changes)
    return Specificity(sum(changes[name] ** 2 for name in wanted if name in changes) / total, changes)


class _Reader(NamedTuple):
    """Standardised codes x (N, D), by how much they were shrunk (D,), and what a ridge regression multiplies (D, D)."""

    x: np.ndarray
    spread: np.ndarray
    products: np.ndarray

    @classmethod
    def of(cls, codes: np.ndarray) -> Self:
        x, spread = _standardised(np.asarray(codes, dtype=np.float64))
        return cls(x, spread, x.T @ x + RIDGE * np.eye(x.shape[1]))

    def change(self, vector: np.ndarray, values: np.ndarray) -> float:
        """By how much values (N,) read off the codes change along a direction (D,)."""
        weights = np.linalg.solve(self.products, self.x.T @ values)
        return float(weights @ (np.asarray(vector, dtype=np.float64) / self.spread))


def _by_known_rows(attributes: dict[str, np.ndarray]) -> list[tuple[np.ndarray, list[str]]]:
    """The rows (N,) at which attributes are known, with the names of those known just there."""
    found: dict[bytes, tuple[np.ndarray, list[str]]] = {}
    for name, values in attributes.items():
        known = np.isfinite(values)
        found.setdefault(known.tobytes(), (known, []))[1].append(name)
    return list(found.values())


def _standardised(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows (N, D) with mean 0 and deviation 1, and the deviations (D,) they had, 1 for what never varies."""
    if len(x) == 0:
        return x, np.ones(x.shape[1])
    spread = x.std(axis=0)
    spread[spread < NEAR_ZERO] = 1.0
    return (x - x.mean(axis=0)) / spread, spread


def _groups(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both groups as float64, once there is something in each."""
    for name, group in (("first", a), ("second", b)):
        if len(group) == 0:
            raise BadValue("the {name} group is empty; a direction needs at least one image on each side", name=name)
    return np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
