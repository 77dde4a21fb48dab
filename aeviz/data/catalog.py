"""The register of data sets, and one door to all of them: registered or people's own."""

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
    """All registered sets in screen order, then own sets by name; no image is read."""
    return [source.info() for source in DATASETS.values()] + own.list_own()


def info(name: str) -> DataInfo | None:
    """What is known of one set, without a look at the others; None where none is called so."""
    return DATASETS[name].info() if name in DATASETS else own.own_info(name)


def set_label(name: str) -> str:
    """What a data set is called; an own set is called by its name."""
    return DATASETS[name].label if name in DATASETS else name


def load(name: str, params: dict[str, Any] | None = None) -> Dataset:
    """A data set by name, with its settings where it has any, and with the labels a person has given to its images.

    Raises:
        UnknownName: no set is called so.
        BadValue: settings that are not allowed.
        MissingData: the set is not at hand.
        BadFile: its files are damaged.
    """
    if name in DATASETS:
        source = DATASETS[name]
        return with_own_labels(source.load(source.Params.parse(params or {})))
    if name not in own.own_folders():
        raise _unknown(name)
    if params:
        raise BadValue("the own data set {name} has no settings, but {params} were given", name=name, params=params)
    return with_own_labels(own.load_own(name))


def download(name: str, report: Report = report_nothing) -> None:
    """Fetch a public set; nothing happens where it is at hand already.

    Raises:
        UnknownName: no set is called so.
        MissingData: it could not be fetched; nothing is left behind.
        Stopped: the report asked for an end.
    """
    if name in DATASETS:
        DATASETS[name].download(report)
    elif name not in own.own_folders():
        raise _unknown(name)


def import_data(sources: list[Path], settings: ImportSettings, report: Report = report_nothing) -> ImportReport:
    """Make a data set of people's own zips, folders, image files or arrays.

    Raises:
        BadValue: the name is not allowed or taken.
        BadFile: a source cannot be read, or nothing in it; nothing is kept.
        BadArchive: a zip that is refused whole.
        Stopped: the report asked for an end; nothing is kept.
    """
    return imports.import_data(sources, settings, taken=tuple(DATASETS), report=report)


def delete(name: str) -> None:
    """Remove an own set.

    Raises:
        UnknownName: no set is called so.
        BadValue: it is a registered one, or cannot be removed.
    """
    if name in DATASETS:
        raise BadValue("{name} belongs to aeviz; only own data sets can be deleted", name=name)
    if name not in own.own_folders():
        raise _unknown(name)
    own.delete_own(name)


def _unknown(name: str) -> UnknownName:
    known = ", ".join([*DATASETS, *own.own_folders()])
    return UnknownName("no data set is called {name!r}; there are: {known}", name=name, known=known)
