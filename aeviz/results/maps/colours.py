"""Colours of a map's points: registry, availability per run, and cached values."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from aeviz.config import Settings
from aeviz.data import Dataset
from aeviz.data.splits import Split
from aeviz.errors import BadValue, MissingData, UnknownName
from aeviz.jobs import Job
from aeviz.results.codes import dataset_of
from aeviz.results.maps import colouring
from aeviz.results.maps.colouring import ColourRequest, ColourValues, Kind
from aeviz.results.maps.maps import MapRequest
from aeviz.results.store import Report, as_bytes, name_of, path_of, quiet, read_arrays, write_arrays
from aeviz.runs import Run

CODE_UNITS = "code units"


@dataclass(frozen=True)
class Colour:
    """Registry entry of a colour.

    `needs` is what must be available, `kept` whether values are cached on disk, `of_map` whether they depend on the
    map.
    """

    name: str
    label: str
    help: str
    of: Callable[[ColourRequest], ColourValues]
    kind: Kind = "scale"
    unit: str = ""
    needs: Literal["classes", "columns", "images", "training", "codes"] = "codes"
    slow: bool = False
    kept: bool = True
    of_map: bool = False
    Settings: type[Settings] = colouring.NoSettings
    defaults: Callable[[Run], dict[str, Any]] = lambda run: {}  # defaults derived from the run


COLOURS: dict[str, Colour] = {
    colour.name: colour
    for colour in (
        Colour(
            "label", "Label", "The class label of each image.", colouring.label,
            kind="class", needs="classes", kept=False,
        ),
        Colour(
            "factor", "Known factor", "A column of the data set; the network never saw it.", colouring.factor,
            needs="columns", kept=False, Settings=colouring.FactorSettings,
        ),
        Colour(
            "error", "Reconstruction error", "Mean squared error of each image's reconstruction.",
            colouring.error, unit="MSE per pixel", needs="images", kept=False,
        ),
        Colour(
            "dimension", "Latent dimension", "One dimension of the code.", colouring.dimension,
            kind="sign", unit=CODE_UNITS, kept=False, Settings=colouring.DimensionSettings,
        ),
        Colour(
            "kmeans", "Clusters (k-means)", "A given number of compact clusters, largest first.",
            colouring.k_means, kind="class", Settings=colouring.KMeansSettings, defaults=colouring.default_clusters,
        ),
        Colour(
            "hdbscan", "Clusters (HDBSCAN)", "Dense clusters of any shape; other codes are noise.",
            colouring.density, kind="class", slow=True, Settings=colouring.DensitySettings,
        ),
        Colour(
            "distance", "Distance to training", "Distance of each code to the nearest other training code.",
            colouring.distance, unit=CODE_UNITS, needs="training", slow=True,
        ),
        Colour(
            "preservation", "Neighbours kept", "Share of the 15 nearest codes that are also nearest on the map; where it "
            "is low, do not trust the map.", colouring.preservation, unit="share", slow=True, of_map=True,
        ),
        Colour(
            "stretch", "Decoder stretch", "How much the decoded image changes for a small step of the code, over all "
            "directions.", colouring.stretch, unit="brightness per code unit", slow=True,
        ),
        Colour(
            "round_trip", "Round-trip error", "Distance between a code and the code of its decoded image.",
            colouring.round_trip, unit=CODE_UNITS,
        ),
    )
}  # fmt: skip


@dataclass(frozen=True)
class ColourInfo:
    """A colour available for a run, for display; `settings` are the defaults, `Settings` their class."""

    name: str
    label: str
    help: str
    unit: str
    kind: Kind
    slow: bool
    of_map: bool
    settings: dict[str, Any]
    Settings: type[Settings]


@dataclass(frozen=True)
class Coloured:
    """Values (N,) of a split's images in index order: class numbers (-1 for none) or float32 numbers (NaN if unknown).

    `names` are class names, `n_known` is the number of known values, `note` is a sentence for display.
    """

    values: np.ndarray
    kind: Kind
    names: tuple[str, ...] | None
    label: str
    unit: str
    n_known: int
    note: str

    def summary(self) -> dict[str, Any]:
        """Number of known values and, for numbers, their mean, minimum and maximum."""
        known = self.values[np.isfinite(self.values)] if self.kind != "class" else self.values[:0]
        numbers = (float(known.mean()), float(known.min()), float(known.max())) if len(known) else (None, None, None)
        return {"n": self.n_known} | dict(zip(("mean", "min", "max"), numbers, strict=True))


def colour_of_name(name: str) -> Colour:
    """Look up a colour by name.

    Raises:
        UnknownName: no such colour.
    """
    if name not in COLOURS:
        raise UnknownName("no colour is called {name!r}; there are: {known}", name=name, known=", ".join(COLOURS))
    return COLOURS[name]


def colours_of(run: Run, split: Split = "test", dataset: Dataset | None = None) -> list[ColourInfo]:
    """The colours available for a split, in display order, one per data set column included.

    Args:
        run: the run.
        split: the split shown.
        dataset: the run's images, if already loaded.
    """
    dataset = dataset or _images_if_here(run)
    has_codes = dataset is not None or path_of(run, "codes", {"split": split}, "npz").exists()
    available = {
        "classes": has_codes and bool(run.config().data.classes),
        "columns": dataset is not None and bool(dataset.columns),
        "images": dataset is not None,
        "training": dataset is not None and len(dataset.rows("train")) > 0,
        "codes": has_codes,
    }
    return [info for colour in COLOURS.values() if available[colour.needs] for info in _offers(colour, run, dataset)]


def _images_if_here(run: Run) -> Dataset | None:
    try:
        return dataset_of(run)
    except MissingData:
        return None


def _offers(colour: Colour, run: Run, dataset: Dataset | None) -> list[ColourInfo]:
    shared: dict[str, Any] = {
        name: getattr(colour, name) for name in ("name", "help", "unit", "slow", "of_map", "Settings")
    }
    if colour.needs == "columns" and dataset is not None:
        return [
            ColourInfo(label=name, kind=colouring.kind_of_column(values), settings={"column": name}, **shared)
            for name, values in dataset.columns.items()
        ]
    settings = _written_out(colour, run, {}).to_json()
    return [ColourInfo(label=colour.label, kind=colour.kind, settings=settings, **shared)]


def colour(
    run: Run,
    split: Split,
    name: str,
    settings: dict[str, Any] | None = None,
    map_request: MapRequest | None = None,
    report: Report = quiet,
) -> Coloured:
    """The values of a colour for every image of a split, cached if slow to compute.

    Args:
        run: the run.
        split: the split.
        name: name of the colour in `COLOURS`.
        settings: settings of the colour; missing ones take their defaults.
        map_request: the map shown; used only by colours that depend on the map.
        report: called with `(done, total, message)`; may raise to cancel.

    Raises:
        UnknownName: no such colour or column.
        BadValue: invalid settings, or a map of another split.
        MissingData: the images are not available.
    """
    chosen = colour_of_name(name)
    request = _request(chosen, run, split, settings, map_request, report)
    if not chosen.kept:
        return _coloured(chosen, chosen.of(request))
    path = _path(chosen, request)
    kept = _read(path)
    if kept is None:
        kept = _coloured(chosen, chosen.of(request))
        facts = {key: getattr(kept, key) for key in ("kind", "names", "label", "unit", "n_known", "note")}
        write_arrays(path, {"values": kept.values, "facts": as_bytes(facts)})
    return kept


def kept_colour(
    run: Run,
    split: Split,
    name: str,
    settings: dict[str, Any] | None = None,
    map_request: MapRequest | None = None,
) -> Coloured | None:
    """The cached values of a colour; None if not computed yet."""
    chosen = colour_of_name(name)
    return _read(_path(chosen, _request(chosen, run, split, settings, map_request)))


def colour_job(
    run: Run,
    split: Split,
    name: str,
    settings: dict[str, Any] | None = None,
    map_request: MapRequest | None = None,
) -> Job:
    """The background job that computes a colour; it may not exist yet."""
    request = _request(colour_of_name(name), run, split, settings, map_request)
    return Job(run.results / "jobs" / name_of(run, "colour", _parameters(COLOURS[name], request)))


def _request(
    chosen: Colour,
    run: Run,
    split: Split,
    settings: dict[str, Any] | None,
    map_request: MapRequest | None,
    report: Report = quiet,
) -> ColourRequest:
    """Build a request with all settings, and with the map only if the colour depends on it."""
    written = _written_out(chosen, run, settings or {})
    if not chosen.of_map:
        return ColourRequest(run, split, written, None, report)
    if map_request is None or map_request.split != split:
        given = f"a map of the {map_request.split} images" if map_request else "no map"
        raise BadValue(
            "the colour {name} needs a map of the {split} images, and was given {given}",
            name=chosen.name, split=split, given=given,
        )  # fmt: skip
    return ColourRequest(run, split, written, map_request.written_out(), report)


def _written_out(chosen: Colour, run: Run, settings: dict[str, Any]) -> Settings:
    return chosen.Settings.parse(chosen.defaults(run) | settings)


def _parameters(chosen: Colour, request: ColourRequest) -> dict[str, Any]:
    shown = request.map_request.to_json() if request.map_request else None
    return {"name": chosen.name, "split": request.split, "settings": request.settings.to_json(), "map": shown}


def _path(chosen: Colour, request: ColourRequest) -> Path:
    return path_of(request.run, "colour", _parameters(chosen, request), "npz")


def _coloured(chosen: Colour, found: ColourValues) -> Coloured:
    kind = found.kind or chosen.kind
    values: np.ndarray = found.values.astype(np.int64 if kind == "class" else np.float32)
    n_known = int((values >= 0).sum() if kind == "class" else np.isfinite(values).sum())
    return Coloured(values, kind, found.names, found.label or chosen.label, chosen.unit, n_known, found.note)


def _read(path: Path) -> Coloured | None:
    arrays = read_arrays(path)
    if arrays is None:
        return None
    facts = json.loads(arrays["facts"].tobytes())
    return Coloured(arrays["values"], **facts | {"names": facts["names"] and tuple(facts["names"])})
