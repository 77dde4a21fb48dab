"""The registry of data sets: one interface to built-in sets and your own."""

from pathlib import Path
from typing import Any

from aeviz.data.dataset import DataInfo, Dataset, Report, Source, report_nothing
from aeviz.data.importing import imports
from aeviz.data.importing.imports import ImportReport, ImportSettings
from aeviz.data.own_labels import with_own_labels
from aeviz.data.sources import own
from aeviz.data.sources.carried import Digits, PhotoPatches
from aeviz.data.sources.public import CIFAR10, KMNIST, MNIST, SVHN, FashionMNIST
from aeviz.data.sources.shapes import Shapes
from aeviz.errors import BadValue, UnknownName

DATASETS: dict[str, Source] = {
    source.name: source
    for source in (Digits(), Shapes(), PhotoPatches(), MNIST(), FashionMNIST(), KMNIST(), CIFAR10(), SVHN())
}


def list_data() -> list[DataInfo]:
    """All registered sets in display order, then your own sets by name; reads no images."""
    return [source.info() for source in DATASETS.values()] + own.list_own()


def info(name: str) -> DataInfo | None:
    """What is known of one set, or None if there is no set of this name; does not look at the others."""
    return DATASETS[name].info() if name in DATASETS else own.own_info(name)


def set_label(name: str) -> str:
    """A data set's display name; your own sets are shown by their name."""
    return DATASETS[name].label if name in DATASETS else name


def load(name: str, params: dict[str, Any] | None = None) -> Dataset:
    """Load a data set by name, with its settings, and add the labels the user gave to its images.

    Raises:
        UnknownName: there is no set of this name.
        BadValue: a setting is not allowed.
        MissingData: the set has not been downloaded.
        BadFile: its files are damaged.
    """
    if name in DATASETS:
        source = DATASETS[name]
        return with_own_labels(source.load(source.Params.parse(params or {})))
    if name not in own.own_folders():
        raise _unknown(name)
    if params:
        raise BadValue("your own data set {name} has no settings, but {params} were given", name=name, params=params)
    return with_own_labels(own.load_own(name))


def download(name: str, report: Report = report_nothing) -> None:
    """Download a public set; do nothing if it is present.

    Raises:
        UnknownName: there is no set of this name.
        MissingData: the download failed; nothing is left behind.
        Stopped: the user stopped it.
    """
    if name in DATASETS:
        DATASETS[name].download(report)
    elif name not in own.own_folders():
        raise _unknown(name)


def import_data(sources: list[Path], settings: ImportSettings, report: Report = report_nothing) -> ImportReport:
    """Make a data set of the user's own zips, folders, image files or arrays.

    Raises:
        BadValue: the name is not allowed or taken.
        BadFile: a source, or everything in it, is unreadable; nothing is kept.
        BadArchive: a zip is refused as a whole.
        Stopped: the user stopped it; nothing is kept.
    """
    return imports.import_data(sources, settings, taken=tuple(DATASETS), report=report)


def delete(name: str) -> None:
    """Delete one of your own sets.

    Raises:
        UnknownName: there is no set of this name.
        BadValue: the set is built in, or cannot be removed.
    """
    if name in DATASETS:
        raise BadValue("{name} is built in; only your own data sets can be deleted", name=name)
    if name not in own.own_folders():
        raise _unknown(name)
    own.delete_own(name)


def _unknown(name: str) -> UnknownName:
    known = ", ".join([*DATASETS, *own.own_folders()])
    return UnknownName("no data set is called {name!r}; there are: {known}", name=name, known=known)
