"""A loaded data set, and the interface of every source of data sets."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np

from aeviz.config import Settings
from aeviz.data.splits import Split
from aeviz.errors import BadValue

Shape = tuple[int, int, int]
Report = Callable[..., None]
HASHED_ROWS = 4096


def report_nothing(done: float, total: float, message: str = "") -> None:
    """A progress callback that does nothing."""


class ArrayLike(Protocol):
    """Images (N, C, H, W) whose rows are read, as uint8, by a slice or an index array."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape (N, C, H, W)."""

    @property
    def dtype(self) -> Any:
        """The data type, uint8."""

    def __len__(self) -> int: ...
    def __getitem__(self, key: Any) -> Any: ...


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images (N, C, H, W) with labels, extra columns and splits; train rows come first, then test rows."""

    name: str
    label: str
    params: dict[str, Any]
    images: ArrayLike
    labels: np.ndarray
    classes: tuple[str, ...]
    columns: dict[str, np.ndarray]
    splits: dict[str, np.ndarray]
    hash: str
    files: tuple[str, ...] | None = None
    own: bool = False
    kept: bool = False  # holds only the test images stored with a run, not the whole set

    @property
    def shape(self) -> Shape:
        """The shape (C, H, W) of one image."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    def __len__(self) -> int:
        return len(self.images)

    def rows(self, split: Split) -> np.ndarray:
        """Sorted row numbers of a split; train excludes val.

        Raises:
            BadValue: there is no such split.
        """
        if split not in self.splits:
            raise BadValue("there is no split {split!r}; there are train, val and test", split=split)
        return self.splits[split]


@dataclass(frozen=True)
class DataInfo:
    """What is known of a data set, at its default settings, without loading it."""

    name: str
    label: str
    n: int | None
    shape: Shape | None
    classes: tuple[str, ...]
    own: bool
    ready: bool
    description: str = ""
    origin: str = ""
    created: float | None = None
    params: dict[str, Any] = field(default_factory=dict)


class NoParams(Settings):
    """The settings of a set that has none."""


class Source:
    """A registered data set; subclasses set these attributes and implement `load`."""

    name: ClassVar[str]
    label: ClassVar[str]
    description: ClassVar[str]
    origin: ClassVar[str]
    n: ClassVar[int]
    image_shape: ClassVar[Shape]
    classes: ClassVar[tuple[str, ...]]
    Params: ClassVar[type[Settings]] = NoParams

    def is_ready(self) -> bool:
        """Whether the set can be loaded without a network."""
        return True

    def load(self, params: Any) -> Dataset:
        """Load the data set with settings of class `Params`.

        Raises:
            MissingData: the set has not been downloaded.
        """
        raise NotImplementedError

    def download(self, report: Report = report_nothing) -> None:
        """Download the set; does nothing for sets that ship with a package.

        Raises:
            MissingData: the download failed.
            Stopped: the user stopped it.
        """

    def info(self) -> DataInfo:
        """What is known of the set without loading it."""
        return DataInfo(
            name=self.name,
            label=self.label,
            n=self.n,
            shape=self.image_shape,
            classes=self.classes,
            own=False,
            ready=self.is_ready(),
            description=self.description,
            origin=self.origin,
            params=self.Params().to_json(),
        )

    def dataset(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        splits: dict[str, np.ndarray],
        columns: dict[str, np.ndarray] | None = None,
    ) -> Dataset:
        """Make the data set from images (N, C, H, W) uint8 and labels (N,), for a source without settings."""
        return Dataset(
            name=self.name,
            label=self.label,
            params={},
            images=images,
            labels=labels,
            classes=self.classes,
            columns=columns or {},
            splits=splits,
            hash=content_hash(images, labels),
        )


def content_hash(images: ArrayLike, labels: np.ndarray) -> str:
    """The SHA-256 (hex) of images (N, C, H, W) and labels (N,), in order."""
    digest = hashlib.sha256(repr(tuple(images.shape)).encode())
    for start in range(0, len(images), HASHED_ROWS):
        digest.update(np.ascontiguousarray(images[start : start + HASHED_ROWS]).data)
    digest.update(np.ascontiguousarray(labels, dtype="<i8").data)
    return digest.hexdigest()
