"""Directions between groups of a run's images: from rows to rows, or from class to class."""

import numpy as np

from aeviz.data import Dataset
from aeviz.data.splits import Split
from aeviz.errors import BadValue, MissingData, UnknownName
from aeviz.latent.directions import METHODS, specificity
from aeviz.results.codes import Codes, codes, dataset_of
from aeviz.results.store import Report, quiet
from aeviz.runs import Run
from aeviz.runs.directions import Direction

MAX_CHANGES, MAX_SOURCE = 20, 200
MAX_CLASSES = 100
GROUPS = "the groups themselves"


def direction(
    run: Run,
    name: str,
    split: Split,
    a: np.ndarray,
    b: np.ndarray,
    method: str = "mean_difference",
    source: str = "",
    report: Report = quiet,
) -> Direction:
    """The direction from rows a of the set to rows b, both in a split, with its specificity; not saved.

    The wanted change is from group A to group B and, if their majority classes differ, from one class to the other.
    Any other change, of the 100 most frequent classes or the set's columns, lowers the specificity.

    Raises:
        BadValue: a group is empty, or both have the same mean.
        UnknownName: no such method.
        MissingData: the images are not available.
    """
    if method not in METHODS:
        raise UnknownName(
            "no direction method is called {name!r}; there are: {known}", name=method, known=", ".join(METHODS)
        )
    known = codes(run, split, report)
    in_a, in_b = np.isin(known.index, a), np.isin(known.index, b)
    vector = METHODS[method][1](known.z[in_a], known.z[in_b], 0)
    attributes = _attributes(run, known) | {GROUPS: _groups(in_a, in_b)}
    wanted = [GROUPS, *_swapped_classes(run, known.labels[in_a], known.labels[in_b])]
    found = specificity(vector, known.z, attributes, wanted)
    most = sorted(found.changes, key=lambda attribute: -abs(found.changes[attribute]))[:MAX_CHANGES]
    return Direction.parse(
        {
            "name": name,
            "vector": [float(number) for number in vector],
            "method": method,
            "source": source or f"{in_a.sum():,} images to {in_b.sum():,} ({split})",
            "weights": run.weights_id(),
            "specificity": found.value,
            "changes": {attribute: found.changes[attribute] for attribute in most},
        }
    )


def class_direction(
    run: Run, name: str, a: int, b: int, method: str = "mean_difference", split: Split = "train", report: Report = quiet
) -> Direction:
    """The direction from class number a to class number b.

    Raises:
        BadValue: no such class, twice the same class, or a class without images.
    """
    classes = run.config().data.classes
    for number in (a, b):
        if not 0 <= number < len(classes):
            raise BadValue(
                "there is no class number {number}; there are {count}, starting at 0", number=number, count=len(classes)
            )
    if a == b:
        raise BadValue("a direction needs two different classes; {name} was chosen twice", name=classes[a])
    known = codes(run, split, report)
    rows_a, rows_b = (known.index[known.labels == number] for number in (a, b))
    source = f"{classes[a]} to {classes[b]} ({split})"[:MAX_SOURCE]
    return direction(run, name, split, rows_a, rows_b, method, source, report)


def _attributes(run: Run, known: Codes) -> dict[str, np.ndarray]:
    """Attributes of the images: indicators of the 100 most frequent classes, and the set's numeric columns."""
    labelled, names = known.labels >= 0, run.config().data.classes
    numbers, counts = np.unique(known.labels[labelled], return_counts=True)
    common = numbers[np.argsort(-counts, kind="stable")[:MAX_CLASSES]]
    found = {names[number]: np.where(labelled, known.labels == number, np.nan) for number in common}
    try:
        dataset: Dataset = dataset_of(run)
    except MissingData:
        return found
    columns = {name: np.asarray(values) for name, values in dataset.columns.items()}
    return found | {name: values[known.index] for name, values in columns.items() if values.dtype.kind in "biuf"}


def _groups(in_a: np.ndarray, in_b: np.ndarray) -> np.ndarray:
    """0 for members of group A, 1 for group B, NaN for neither or both."""
    values = np.full(len(in_a), np.nan)
    values[in_a & ~in_b], values[in_b & ~in_a] = 0.0, 1.0
    return values


def _swapped_classes(run: Run, labels_a: np.ndarray, labels_b: np.ndarray) -> list[str]:
    """The names of both groups' majority classes, if they differ."""
    most = [np.bincount(labels[labels >= 0]).argmax() for labels in (labels_a, labels_b) if (labels >= 0).any()]
    return [run.config().data.classes[number] for number in most] if len(set(most)) == 2 else []
