"""The labels a user gives to images of a set: stored in the data folder and read as an extra column."""

import dataclasses
import io
import json
from pathlib import Path

import numpy as np

from aeviz import files
from aeviz.data.dataset import Dataset
from aeviz.data.folders import data_root, writable_root
from aeviz.errors import BadValue

COLUMN = "My labels"
FOLDER = ".labels"
LONGEST = 60  # characters
MOST_NAMES = 1000


def label_images(dataset: Dataset, rows: np.ndarray, name: str) -> None:
    """Label the images of rows (M,); an empty name removes their label. An image has at most one.

    Raises:
        BadValue: the name is too long, or the set has too many names.
    """
    name = " ".join(name.split())
    if len(name) > LONGEST:
        raise BadValue("a label may have at most {most} characters; {name!r} has {count}", most=LONGEST, name=name[:80], count=len(name))  # fmt: skip
    folder = writable_root() / FOLDER
    folder.mkdir(exist_ok=True)
    with files.lock(folder / "lock"):
        labels = own_labels(dataset)
        labels = np.full(len(dataset), "", object) if labels is None else labels
        labels[rows] = name
        names = sorted(set(labels) - {""})
        if len(names) > MOST_NAMES:
            raise BadValue("a set may have at most {most} different labels; reuse one of them", most=MOST_NAMES)
        numbers = {name: number for number, name in enumerate(names)} | {"": -1}
        _write(dataset, np.array([numbers[label] for label in labels], np.int32), names)


def own_labels(dataset: Dataset) -> np.ndarray | None:
    """The user's label of each image (N,), empty for none; None if there are no labels at all."""
    try:
        with np.load(_path(dataset), allow_pickle=False) as kept:
            numbers, names = kept["numbers"], json.loads(kept["names"].tobytes())
    except (OSError, ValueError, KeyError, EOFError):
        return None
    if len(numbers) != len(dataset) or not names:
        return None
    return np.array([*names, ""], object)[numbers]


def with_own_labels(dataset: Dataset) -> Dataset:
    """The set with the user's labels as an extra column, if there are any."""
    labels = own_labels(dataset)
    return dataset if labels is None else dataclasses.replace(dataset, columns=dataset.columns | {COLUMN: labels})


def last_labelled() -> float:
    """When any set was last labelled, for caches of loaded sets."""
    try:
        return _folder().stat().st_mtime
    except OSError:
        return 0.0


def _write(dataset: Dataset, numbers: np.ndarray, names: list[str]) -> None:
    content = io.BytesIO()
    np.savez(content, numbers=numbers, names=np.frombuffer(json.dumps(names).encode(), np.uint8))
    files.write_bytes(_path(dataset), content.getvalue())


def _folder() -> Path:
    return data_root() / FOLDER


def _path(dataset: Dataset) -> Path:
    return _folder() / f"{dataset.hash[:40]}.npz"
