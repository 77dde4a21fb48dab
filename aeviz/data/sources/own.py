"""Your own sets on disk: `own/NAME/` in one of the data folders, written once and memory-mapped."""

import os
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from aeviz import files
from aeviz.config import Settings
from aeviz.data.dataset import DataInfo, Dataset, Shape, content_hash
from aeviz.data.folders import data_roots
from aeviz.data.splits import hold_out, make_splits
from aeviz.errors import AevizError, BadFile, BadValue, UnknownName

COPIED_ROWS = 1024
DAMAGED = "the data set {name} is damaged ({reason}); delete it and import it again"


class OwnSplits(Settings):
    """Row counts: train rows come first, val rows are among them, test rows follow."""

    train: int
    val: list[int]
    test: int


class OwnMeta(Settings):
    """The content of `meta.json`: all that a list of data sets needs."""

    format: Literal[1] = 1
    name: str
    n: int
    shape: Shape
    classes: tuple[str, ...]
    hash: str
    splits: OwnSplits
    settings: dict[str, Any]
    created: float


@dataclass(frozen=True, eq=False)
class Rows:
    """What is known of each image besides its pixels, in the same order (N,)."""

    files: list[str]
    labels: np.ndarray
    columns: dict[str, np.ndarray]
    is_test: np.ndarray

    def reordered(self, order: np.ndarray) -> "Rows":
        """The same rows in another order."""
        return Rows(
            files=[self.files[row] for row in order],
            labels=self.labels[order],
            columns={name: values[order] for name, values in self.columns.items()},
            is_test=self.is_test[order],
        )


def own_folders() -> dict[str, Path]:
    """The folders of all own sets by name; the first data folder wins."""
    found: dict[str, Path] = {}
    for root in data_roots():
        for meta in sorted((root / "own").glob("*/meta.json")):
            found.setdefault(meta.parent.name, meta.parent)
    return {name: folder for name, folder in found.items() if not name.startswith(".")}


def write_own(
    folder: Path, name: str, classes: tuple[str, ...], settings: Settings, raw: np.ndarray, rows: Rows, tell: Callable
) -> OwnMeta:
    """Arrange images (N, C, H, W) train first, and write the whole set into a folder.

    Raises:
        BadFile: the folders' own split leaves too few training images.
    """
    train, test = _arrange(name, rows.is_test)
    order = np.concatenate([train, test])
    splits = make_splits(name, len(train), len(test))
    images = np.lib.format.open_memmap(folder / "images.npy", "w+", np.uint8, raw.shape)
    for start in range(0, len(order), COPIED_ROWS):
        images[start : start + COPIED_ROWS] = raw[order[start : start + COPIED_ROWS]]
        tell()
    images.flush()
    rows = rows.reordered(order)
    np.save(folder / "labels.npy", rows.labels)
    files.write_json(folder / "files.json", rows.files)
    files.write_json(folder / "columns.json", {key: _to_json(values) for key, values in rows.columns.items()})
    meta = OwnMeta(
        name=name,
        n=len(order),
        shape=raw.shape[1:],
        classes=classes,
        hash=content_hash(images, rows.labels),
        splits=OwnSplits(train=len(train), val=splits["val"].tolist(), test=len(test)),
        settings=settings.to_json(),
        created=time.time(),
    )
    files.write_json(folder / "meta.json", meta.to_json())
    return meta


def _arrange(name: str, is_test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Train and test rows: from the folders' split, or with a fifth held out."""
    if not is_test.any():
        return hold_out(name, len(is_test))
    train, test = np.flatnonzero(~is_test), np.flatnonzero(is_test)
    if len(train) < 2:
        raise BadFile("only {n} training image could be read; the train folder needs 2 or more", n=len(train))
    return train, test


def _to_json(values: np.ndarray) -> list[Any]:
    return [None if isinstance(value, float) and np.isnan(value) else value for value in values.tolist()]


def _from_json(values: list[Any]) -> np.ndarray:
    """A column (N,): text as objects, numbers as floats with NaN where missing."""
    if any(isinstance(value, str) for value in values):
        return np.array(values, dtype=object)
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


@files.cached_by_stat(most=256)
def _cached_meta(path: Path) -> OwnMeta:
    return OwnMeta.parse(files.read_json(path))


def _read_meta(folder: Path) -> OwnMeta:
    try:
        return _cached_meta(folder / "meta.json")
    except (AevizError, ValueError) as error:
        raise BadFile(DAMAGED, name=folder.name, reason=f"meta.json: {error}") from None


def skipped_files(name: str) -> list[dict[str, str]]:
    """The files that were skipped when a set was imported, each with its reason.

    Raises:
        UnknownName: there is no such set.
    """
    folder = own_folders().get(name)
    if folder is None:
        raise UnknownName("none of your own data sets is called {name!r}", name=name)
    return files.read_json(folder / "skipped.json") or []


def list_own() -> list[DataInfo]:
    """What is known of every own set whose files are intact."""
    found = (_info(name, folder) for name, folder in sorted(own_folders().items()))
    return [info for info in found if info]


def own_info(name: str) -> DataInfo | None:
    """What is known of one own set, or None if it is missing or damaged."""
    if not files.SAFE_NAME.fullmatch(name):
        return None  # an unsafe name, perhaps from the config of someone else's run
    folders = (root / "own" / name for root in data_roots())
    folder = next((folder for folder in folders if (folder / "meta.json").exists()), None)
    return None if folder is None else _info(name, folder)


def _info(name: str, folder: Path) -> DataInfo | None:
    try:
        meta = _read_meta(folder)
    except BadFile:
        return None
    return DataInfo(
        name=name,
        label=name,
        n=meta.n,
        shape=meta.shape,
        classes=meta.classes,
        own=True,
        ready=True,
        description="Your own images.",
        created=meta.created,
    )


def load_own(name: str) -> Dataset:
    """Load one of your own sets, its images memory-mapped.

    Raises:
        UnknownName: there is no such set.
        BadFile: the set is damaged.
    """
    folder = own_folders().get(name)
    if folder is None:
        raise UnknownName("none of your own data sets is called {name!r}", name=name)
    meta = _read_meta(folder)
    try:
        images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
        labels = np.load(folder / "labels.npy", allow_pickle=False)
        columns = {key: _from_json(values) for key, values in (files.read_json(folder / "columns.json") or {}).items()}
        names = tuple(files.read_json(folder / "files.json") or ())
    except (ValueError, OSError, EOFError, AttributeError, TypeError) as error:
        raise BadFile(DAMAGED, name=name, reason=str(error)) from None
    lengths = {len(labels), len(names), *(len(values) for values in columns.values())}
    if images.shape != (meta.n, *meta.shape) or images.dtype != np.uint8 or lengths != {meta.n}:
        raise BadFile(DAMAGED, name=name, reason="its files do not match")
    return Dataset(
        name=name,
        label=name,
        params={},
        images=images,
        labels=labels.astype(np.int64, copy=False),
        classes=meta.classes,
        columns=columns,
        splits=_splits(meta),
        hash=meta.hash,
        files=names,
        own=True,
    )


def _splits(meta: OwnMeta) -> dict[str, np.ndarray]:
    val = np.array(meta.splits.val, dtype=np.int64)
    train = np.setdiff1d(np.arange(meta.splits.train), val)
    return {"train": train, "val": val, "test": np.arange(meta.splits.train, meta.n)}


def delete_own(name: str) -> None:
    """Delete one of your own sets; it disappears from all lists at once.

    Raises:
        UnknownName: there is no such set.
        BadValue: its folder is not writable.
    """
    folder = own_folders().get(name)
    if folder is None:
        raise UnknownName("none of your own data sets is called {name!r}", name=name)
    doomed = folder.with_name(f".deleted-{name}-{secrets.token_hex(4)}")
    try:
        os.rename(folder, doomed)
    except OSError as error:
        raise BadValue(
            "{name} cannot be deleted: {reason}", name=name, reason=error.strerror or "its folder cannot be changed"
        ) from None
    shutil.rmtree(doomed, ignore_errors=True)
