"""Computation and settings of each point colour."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import Field

from aeviz.config import FROM_DATA, Settings
from aeviz.data.splits import Split
from aeviz.errors import BadValue, UnknownName
from aeviz.latent import clusters
from aeviz.latent.neighbours import OnStep, nearest, own_nearest
from aeviz.latent.quality import pointwise
from aeviz.results.codes import codes, dataset_of, errors, model_of
from aeviz.results.maps.maps import MapRequest, project
from aeviz.results.store import Report
from aeviz.runs import Run

Kind = Literal["class", "scale", "sign"]
MIN_CLUSTERS, MAX_CLUSTERS = 2, 50
MAX_TEXTS = 20  # distinct texts shown; the rarest share "other"
NEIGHBOURS = 15
CLUSTERS_OF_FEW = 4  # that fewer codes than the minimum cluster size can still form


class NoSettings(Settings):
    """No settings."""


class DimensionSettings(Settings):
    """Settings of the latent dimension colour."""

    d: int = Field(1, ge=1, le=512, description="Latent dimension, counted from 1.")


class FactorSettings(Settings):
    """Settings of the known factor colour."""

    column: str = Field(description="A column that came with the images.", json_schema_extra=FROM_DATA)


class KMeansSettings(Settings):
    """Settings of k-means."""

    k: int = Field(
        10, ge=MIN_CLUSTERS, le=MAX_CLUSTERS, description="Number of clusters; by default the number of classes."
    )


class DensitySettings(Settings):
    """Settings of HDBSCAN."""

    min_cluster_size: int = Field(15, ge=2, le=10_000, description="Smallest number of codes that forms a cluster.")


@dataclass(frozen=True)
class ColourRequest:
    """A request for a colour: run, split, settings and, if the colour depends on it, the map."""

    run: Run
    split: Split
    settings: Any
    map_request: MapRequest | None
    report: Report

    def step(self, message: str) -> OnStep:
        """An `on_step(done, total)` that reports the progress of one stage."""
        return lambda done, total: self.report(done, total, message)


@dataclass(frozen=True)
class ColourValues:
    """Values (N,): class numbers (-1 for none) with names, or numbers (NaN if unknown).

    `kind` and `label` override those of the colour.
    """

    values: np.ndarray
    names: tuple[str, ...] | None = None
    kind: Kind | None = None
    label: str | None = None
    note: str = ""


def label(request: ColourRequest) -> ColourValues:
    """The class of every image."""
    return ColourValues(codes(request.run, request.split, request.report).labels, request.run.config().data.classes)


def error(request: ColourRequest) -> ColourValues:
    """The mean squared error of every image."""
    return ColourValues(errors(request.run, request.split, request.report))


def factor(request: ColourRequest) -> ColourValues:
    """A column of the data set: floats as they are, anything else as classes."""
    dataset, column = dataset_of(request.run), request.settings.column
    if column not in dataset.columns:
        raise UnknownName(
            "the images have no column {name!r}; there are: {known}",
            name=column, known=", ".join(dataset.columns) or "none",
        )  # fmt: skip
    values, rows = dataset.columns[column], dataset.rows(request.split)
    if kind_of_column(values) == "scale":
        return ColourValues(values[rows], kind="scale", label=column)
    numbers, names = _numbered(values)
    return ColourValues(numbers[rows], names, "class", column)


def kind_of_column(values: np.ndarray) -> Kind:
    """Whether a column (N,) is continuous or categorical."""
    return "scale" if values.dtype.kind == "f" else "class"


def _numbered(values: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Number texts (N,) by frequency over the whole set, so that numbers agree across splits; empty is -1."""
    texts, inverse, counts = np.unique(
        ["" if value is None else str(value) for value in values], return_inverse=True, return_counts=True
    )
    order = [place for place in np.argsort(-counts, kind="stable") if texts[place]]
    named = order if len(order) <= MAX_TEXTS else order[: MAX_TEXTS - 1]
    numbers = np.full(len(texts), len(named))
    numbers[named] = np.arange(len(named))
    numbers[texts == ""] = -1
    names = [str(texts[place]) for place in named] + (["other"] if len(named) < len(order) else [])
    return numbers[inverse], tuple(names)


def dimension(request: ColourRequest) -> ColourValues:
    """One dimension of every code."""
    z, d = codes(request.run, request.split, request.report).z, request.settings.d
    if d > z.shape[1]:
        raise BadValue("d = {d} is not a dimension of the codes; choose 1 to {n}", d=d, n=z.shape[1])
    values = z[:, d - 1]
    signed = len(values) > 0 and values.min() < 0 < values.max()
    return ColourValues(values, kind="sign" if signed else "scale", label=f"z{d}")


def k_means(request: ColourRequest) -> ColourValues:
    """The k-means cluster of every code."""
    z = codes(request.run, request.split, request.report).z
    request.report(0, 0, "Clustering")
    k = min(request.settings.k, len(z))
    found = clusters.k_means(z, k)
    lowered = f"Lowered from {request.settings.k} clusters: there are {len(z)} codes." if k < request.settings.k else ""
    return ColourValues(found, _cluster_names(found), note=lowered)


def density(request: ColourRequest) -> ColourValues:
    """The HDBSCAN cluster of every code."""
    z = codes(request.run, request.split, request.report).z
    requested = request.settings.min_cluster_size
    size = requested if len(z) >= requested else max(2, len(z) // CLUSTERS_OF_FEW)
    found, fitted = clusters.hdbscan(z, size, on_step=request.step("Clustering"))
    lowered = f" Minimum size lowered from {requested} to {size}: there are {len(z)} codes." if size < requested else ""
    alone = f"{(found < 0).mean():.0%} of the codes are in no cluster."
    sampled = f" Fitted to {fitted:,} of {len(z):,} codes; the others join their nearest fitted code."
    return ColourValues(found, _cluster_names(found), note=alone + lowered + (sampled if fitted < len(z) else ""))


def _cluster_names(found: np.ndarray) -> tuple[str, ...]:
    return tuple(f"Cluster {number + 1}" for number in range(found.max(initial=-1) + 1))


def default_clusters(run: Run) -> dict[str, Any]:
    """As many clusters as classes, within the allowed range."""
    classes = len(run.config().data.classes)
    return {"k": min(max(classes, MIN_CLUSTERS), MAX_CLUSTERS)} if classes else {}


def distance(request: ColourRequest) -> ColourValues:
    """Distance of every code to the nearest training code, itself excluded."""
    z, step = codes(request.run, request.split, request.report).z, request.step("Comparing with training codes")
    if request.split == "train":
        distances, _ = own_nearest(z, 1, on_step=step)
    else:
        distances, _ = nearest(codes(request.run, "train", request.report).z, z, 1, on_step=step)
    return ColourValues(distances[:, 0] if distances.size else np.full(len(z), np.nan))


def preservation(request: ColourRequest) -> ColourValues:
    """Share of every code's neighbours that are neighbours on the map; NaN for codes not on it."""
    assert request.map_request is not None
    coded = codes(request.run, request.split, request.report)
    drawn = project(request.run, request.map_request, request.report)
    places = np.searchsorted(coded.index, drawn.index)
    values = np.full(len(coded.z), np.nan)
    values[places] = pointwise.neighbour_preservation(
        coded.z[places], drawn.points, NEIGHBOURS, request.step("Comparing neighbours")
    )
    return ColourValues(values)


def stretch(request: ColourRequest) -> ColourValues:
    """Decoder stretch at every code."""
    coded, model = codes(request.run, request.split, request.report), model_of(request.run)
    step = request.step("Measuring the decoder's stretch")
    values = pointwise.decoder_stretch(model, coded.z, labels=coded.condition, on_step=step)
    estimated = f"Estimated from {pointwise.PROBES} of {model.latent_dim} directions."
    return ColourValues(values, note=estimated if model.latent_dim > pointwise.PROBES else "")


def round_trip(request: ColourRequest) -> ColourValues:
    """Round-trip error of every code."""
    coded, step = codes(request.run, request.split, request.report), request.step("Decoding and encoding again")
    return ColourValues(pointwise.round_trip(model_of(request.run), coded.z, labels=coded.condition, on_step=step))
