"""Group values for a scatter plot: named classes, or numbers on a scale."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from aeviz.plots.theme import UNKNOWN_LABEL

MAX_TEXTS = 10  # texts with their own colour; the rest share "other"
MAX_INTEGERS = 40  # distinct unnamed integers still treated as classes
OTHER = "other"


class Groups(NamedTuple):
    """A class number (N,) for each value, -1 unknown, and the class names."""

    numbers: np.ndarray
    names: list[str]

    def name(self, number: int) -> str:
        """The name of a class, or its number if unnamed."""
        if number < 0:
            return UNKNOWN_LABEL
        return self.names[number] if number < len(self.names) else str(number)


def grouped(values: np.ndarray, class_names: Sequence[str] | None) -> Groups | None:
    """Values (N,) as classes; None if they are numbers on a scale."""
    if values.dtype.kind in "OUS":
        return _of_texts(values)
    if values.dtype.kind == "b":
        return Groups(values.astype(np.int64), ["no", "yes"])
    if values.dtype.kind not in "iu":
        return None
    if class_names is None and len(np.unique(values)) > MAX_INTEGERS:
        return None
    return Groups(values.astype(np.int64), list(class_names or []))


def _of_texts(values: np.ndarray) -> Groups:
    """The most frequent texts as classes, the rest as one more class; empty texts and None are unknown."""
    texts = np.array(["" if value is None else str(value) for value in values])
    distinct, inverse, counts = np.unique(texts, return_inverse=True, return_counts=True)
    order = [place for place in np.argsort(-counts, kind="stable") if distinct[place] != ""]
    named = order[: MAX_TEXTS if len(order) > MAX_TEXTS else len(order)]
    numbers = np.full(len(distinct), len(named), dtype=np.int64)
    numbers[named] = np.arange(len(named))
    numbers[distinct == ""] = -1
    names = [str(distinct[place]) for place in named] + ([OTHER] if len(order) > len(named) else [])
    return Groups(numbers[inverse.reshape(-1)], names)
