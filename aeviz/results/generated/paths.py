"""Roads through a run's codes, and how far from the data each step of them is."""

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

MAX_CODES = 10_000  # of training images that a road may lead over


@dataclass(frozen=True)
class Walk:
    """Codes z (S, D) of a road and the distance (S,) of each to the data, 1 being as far as neighbours are.

    There is no distance where the images are not at hand. `told` (S, K + 1) are the shares of the classes that a
    conditional network is told at each step.
    """

    z: np.ndarray
    distance: np.ndarray | None
    condition: np.ndarray | None = None


def paths_of(run: Run) -> list[CodePath]:
    """The roads that can be walked in a run, in screen order.

    Raises:
        NotNow: the run has learned nothing yet.
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
    """A road through stops (M, D); over the codes of at most 10,000 training images, the first of a fixed shuffle.

    The distance is to the nearest of all training images' codes. What a conditional network is told, classes (M,) at
    the stops, goes along.

    Raises:
        UnknownName: no such road.
        BadValue: a number of stops or steps that is not allowed.
        MissingData: the road leads over images that are not at hand.
    """
    model = model_of(run)
    chosen = _named(model, path)
    beside = one_hot(condition, model.n_classes)
    wide = np.asarray(stops) if beside is None else np.hstack([stops, beside])
    try:
        known = known_codes(run, report)
    except MissingData:
        if chosen.needs_codes:
            raise
        return _walked(chosen.walk(wide, steps, Context(np.asarray(stops))), model.latent_dim)
    first = known.first(MAX_CODES)
    graph = _graph(run, first.z, report) if path == ThroughData.name else None
    context = Context(first.z, model, graph, None if beside is None else first.condition)
    walked = _walked(chosen.walk(wide, steps, context), model.latent_dim)
    return replace(walked, distance=distance_to_data(run, walked.z))


def _walked(wide: np.ndarray, dims: int) -> Walk:
    """A road whose codes (S, D) may have shares of classes behind them, with no distance yet."""
    return Walk(wide[:, :dims], None, wide[:, dims:] if wide.shape[1] > dims else None)


def distance_to_data(run: Run, z: np.ndarray) -> np.ndarray:
    """How far codes (n, D) are from the nearest training image's, 1 being as far as neighbours are."""
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
            "no road through this run is called {name!r}; there are: {known}", name=name, known=", ".join(known)
        )
    return known[name]


def _graph(run: Run, codes: np.ndarray, report: Report) -> NeighbourGraph:
    """The graph of neighbours among codes (N, D), made once per weights."""
    path = path_of(run, "graph", {"most": MAX_CODES}, "npz")
    kept = read_arrays(path)
    if kept is not None:
        return NeighbourGraph(codes.astype(np.float64), **kept)
    report(0, 0, "Joining neighbours")
    graph = NeighbourGraph.of(codes)
    write_arrays(path, {"joints": graph.joints, "lengths": graph.lengths})
    return graph
