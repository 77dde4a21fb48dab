"""Paths through a run's codes, and the distance of each step to the data."""

from dataclasses import dataclass, replace

import numpy as np

from aeviz import files
from aeviz.errors import MissingData, UnknownName
from aeviz.latent.conditioning import one_hot
from aeviz.latent.paths import paths
from aeviz.latent.paths.neighbour_graph import NeighbourGraph
from aeviz.latent.paths.paths import PATHS, CodePath, Context, ThroughData
from aeviz.models import Autoencoder
from aeviz.results.codes import known_codes, model_of
from aeviz.results.store import Report, path_of, quiet, read_arrays, read_json, write_arrays
from aeviz.runs import Run

MAX_CODES = 10_000  # of training images in the neighbour graph


@dataclass(frozen=True)
class Walk:
    """Codes z (S, D) on a path and their distance (S,) to the data, in units of the typical neighbour distance.

    `distance` is None if the images are unavailable. `condition` (S, K + 1) are the class shares at each step, for a
    conditional network.
    """

    z: np.ndarray
    distance: np.ndarray | None
    condition: np.ndarray | None = None


def paths_of(run: Run) -> list[CodePath]:
    """The paths available for a run, in display order.

    Raises:
        NotNow: the run has no weights yet.
    """
    model = model_of(run)
    return [path for path in PATHS.values() if path.available(model)]


def walk(
    run: Run,
    stops: np.ndarray,
    path: str = "straight",
    steps: int = 16,
    report: Report = quiet,
    condition: np.ndarray | None = None,
) -> Walk:
    """Walk a path through stops (M, D), using the codes of up to 10,000 training images, the first of a fixed shuffle.

    Distances are to the nearest code of all training images. `condition` (M,) are the class labels at the stops of a
    conditional network; they are interpolated along the path.

    Raises:
        UnknownName: no such path.
        BadValue: an invalid number of stops or steps.
        MissingData: the path needs images that are not available.
    """
    model = model_of(run)
    chosen = _named(model, path)
    class_shares = one_hot(condition, model.n_classes)
    extended = np.asarray(stops) if class_shares is None else np.hstack([stops, class_shares])
    try:
        known = known_codes(run, report)
    except MissingData:
        if chosen.needs_codes:
            raise
        return _walked(chosen.walk(extended, steps, Context(np.asarray(stops))), model.latent_dim)
    first = known.first(MAX_CODES)
    graph = _graph(run, first.z, report) if path == ThroughData.name else None
    context = Context(first.z, model, graph, None if class_shares is None else first.condition)
    walked = _walked(chosen.walk(extended, steps, context), model.latent_dim)
    return replace(walked, distance=distance_to_data(run, walked.z))


def _walked(extended: np.ndarray, dims: int) -> Walk:
    """Split codes (S, D) from the class shares that may follow them; the distance is not set yet."""
    return Walk(extended[:, :dims], None, extended[:, dims:] if extended.shape[1] > dims else None)


def distance_to_data(run: Run, z: np.ndarray) -> np.ndarray:
    """Distance (n,) of codes (n, D) to the nearest training code, in units of the typical neighbour distance."""
    known = known_codes(run).z
    path = path_of(run, "near", {}, "json")
    kept = read_json(path)
    if kept is None:
        kept = {"unit": paths.neighbour_distance(known)}
        files.write_json(path, kept)
    return paths.distance_to_data(z, known, kept["unit"])


def _named(model: Autoencoder, name: str) -> CodePath:
    known = {path.name: path for path in PATHS.values() if path.available(model)}
    if name not in known:
        raise UnknownName(
            "no path through this run is called {name!r}; there are: {known}", name=name, known=", ".join(known)
        )
    return known[name]


def _graph(run: Run, codes: np.ndarray, report: Report) -> NeighbourGraph:
    """The neighbour graph of codes (N, D), cached per weights."""
    path = path_of(run, "graph", {"most": MAX_CODES}, "npz")
    kept = read_arrays(path)
    if kept is not None:
        return NeighbourGraph(codes.astype(np.float64), kept["joints"], kept["lengths"])
    report(0, 0, "Joining neighbours")
    graph = NeighbourGraph.of(codes)
    write_arrays(path, {"joints": graph.edges, "lengths": graph.lengths})
    return graph
