"""Semantic directions between two groups of codes, and how specific they are."""

from collections.abc import Callable
from typing import NamedTuple, Self

import numpy as np

from aeviz.errors import BadValue

MAX_NUMBERS = 8_000_000  # rows x dimensions used to fit a classifier
WEIGHT_PENALTY = 0.3  # L2 penalty relative to the mean loss; 0.1 to 1 makes little difference
RIDGE = 1.0  # stabilises the attribute regression when dimensions are collinear
NEAR_ZERO = 1e-12


def mean_difference(a: np.ndarray, b: np.ndarray, seed: int = 0) -> np.ndarray:
    """The direction (D,) from the mean of codes a (N, D) to that of codes b (M, D).

    Raises:
        BadValue: a group is empty.
    """
    a, b = _groups(a, b)
    return (b.mean(axis=0) - a.mean(axis=0)).astype(np.float32)


def classifier_normal(a: np.ndarray, b: np.ndarray, seed: int = 0) -> np.ndarray:
    """The normal (D,) of the decision boundary between codes a (N, D) and codes b (M, D).

    From a class-balanced logistic regression; its length is the distance between both means projected onto it. Codes
    are scaled by a single number, so the normal is orthogonal to the boundary in the original space. The L2 penalty
    matters: without it the boundary relies on dimensions that hardly vary, and crossing it changes no image (weights
    show what separates, not what differs; Haufe et al., NeuroImage 2014). Above 8 million numbers, codes are subsampled
    with the seed.

    Raises:
        BadValue: a group is empty, or both have the same mean.
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
        raise BadValue("both groups have the same mean, so there is no direction between them; choose other groups")
    return (length * normal).astype(np.float32)


METHODS: dict[str, tuple[str, Callable[[np.ndarray, np.ndarray, int], np.ndarray]]] = {
    "mean_difference": ("Difference of means", mean_difference),
    "classifier_normal": ("Normal of a classifier", classifier_normal),
}


def shift(codes: np.ndarray, vector: np.ndarray, amount: float) -> np.ndarray:
    """Move codes (N, D) along a direction (D,); an amount of 1 goes from group A to group B, -1 back."""
    return (np.asarray(codes, dtype=np.float64) + amount * np.asarray(vector, dtype=np.float64)).astype(np.float32)


def analogy(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Solve the analogy a : b = c : ? for codes (D,), as c + b - a (Mikolov et al., NAACL 2013)."""
    return shift(np.asarray(c), np.asarray(b, dtype=np.float64) - np.asarray(a, dtype=np.float64), 1.0)


class Specificity(NamedTuple):
    """Share of a direction's effect on the wanted attributes, 0 to 1, and each attribute's change in deviations."""

    value: float | None
    changes: dict[str, float]


def specificity(
    vector: np.ndarray, codes: np.ndarray, attributes: dict[str, np.ndarray], wanted: list[str]
) -> Specificity:
    """Specificity of a direction (D,): the share of its squared attribute changes that falls on the wanted attributes.

    A change is how far an attribute moves, in its own standard deviations, when a code moves by the whole direction.
    It is predicted from codes (N, D) by ridge regression on the attribute's values (N,), NaN if unknown. Constant
    attributes are left out; the value is None if nothing changes.
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
    """Ridge regression on standardised codes x (N, D) with deviations (D,) and regularised Gram matrix (D, D)."""

    x: np.ndarray
    spread: np.ndarray
    products: np.ndarray

    @classmethod
    def of(cls, codes: np.ndarray) -> Self:
        """Prepare the regression on codes (N, D)."""
        x, spread = _standardised(np.asarray(codes, dtype=np.float64))
        return cls(x, spread, x.T @ x + RIDGE * np.eye(x.shape[1]))

    def change(self, vector: np.ndarray, values: np.ndarray) -> float:
        """Predicted change of values (N,) along a direction (D,)."""
        weights = np.linalg.solve(self.products, self.x.T @ values)
        return float(weights @ (np.asarray(vector, dtype=np.float64) / self.spread))


def _by_known_rows(attributes: dict[str, np.ndarray]) -> list[tuple[np.ndarray, list[str]]]:
    """Group attribute names by the mask (N,) of rows where they are known."""
    found: dict[bytes, tuple[np.ndarray, list[str]]] = {}
    for name, values in attributes.items():
        known = np.isfinite(values)
        found.setdefault(known.tobytes(), (known, []))[1].append(name)
    return list(found.values())


def _standardised(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standardise rows (N, D); also return their original deviations (D,), 1 for constant columns."""
    if len(x) == 0:
        return x, np.ones(x.shape[1])
    spread = x.std(axis=0)
    spread[spread < NEAR_ZERO] = 1.0
    return (x - x.mean(axis=0)) / spread, spread


def _groups(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both groups as float64; raises BadValue if one is empty."""
    for name, group in (("first", a), ("second", b)):
        if len(group) == 0:
            raise BadValue("the {name} group is empty; a direction needs at least one image in each group", name=name)
    return np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
