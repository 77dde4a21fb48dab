"""Cached results computed from a run's codes: paths, samples, axes and decoded planes."""

from typing import Any

import numpy as np
import streamlit as st

from aeviz import results
from aeviz.latent.paths.traversals import Order
from aeviz.results import Map, MapRequest, SampleRequest
from aeviz.results.generated.sweeps import Kind
from aeviz.runs import Run


@st.cache_data(max_entries=64, show_spinner="Computing paths …")
def _walk(
    run_id: str, mark: str, stops: bytes, classes: tuple[int, ...] | None, count: int, path: str, steps: int, _run: Run
) -> results.Walk:
    condition = None if classes is None else np.array(classes)
    return results.walk(_run, np.frombuffer(stops, np.float32).reshape(count, -1), path, steps, condition=condition)


def walk(run: Run, stops: np.ndarray, condition: np.ndarray | None, path: str, steps: int) -> results.Walk:
    """A path through the codes `stops` (M, D); `condition` holds the classes (M,) for a conditional network."""
    stops = np.ascontiguousarray(stops, np.float32)
    classes = None if condition is None else tuple(condition.tolist())
    return _walk(run.id, run.weights_id(), stops.tobytes(), classes, len(stops), path, steps, run)


@st.cache_data(max_entries=32, show_spinner=False)
def _placed(run_id: str, mark: str, request: str, codes: bytes, width: int, _found: Map) -> np.ndarray:
    return _found.projection.place(np.frombuffer(codes, np.float32).reshape(-1, width))


def placed(run: Run, request: MapRequest, found: Map, codes: np.ndarray) -> np.ndarray:
    """Project codes (n, D) to points (n, dims) on a map."""
    codes = np.ascontiguousarray(codes, np.float32)
    return _placed(run.id, run.weights_id(), request.model_dump_json(), codes.tobytes(), codes.shape[1], found)


@st.cache_data(max_entries=32, show_spinner="Drawing samples …")
def _samples(run_id: str, mark: str, request: str, _request: SampleRequest, _run: Run) -> results.Samples:
    return results.samples(_run, _request)


def samples(run: Run, request: SampleRequest) -> results.Samples:
    """Samples drawn as requested."""
    return _samples(run.id, run.weights_id(), request.model_dump_json(), request, run)


@st.cache_data(max_entries=32, show_spinner="Measuring the effect of each axis …")
def _axes(run_id: str, mark: str, kind: Kind, order: Order, _run: Run) -> results.Axes:
    return results.axes(_run, kind, order)


def axes(run: Run, kind: Kind, order: Order) -> results.Axes:
    """Latent dimensions or principal directions, those with the largest effect first."""
    return _axes(run.id, run.weights_id(), kind, order, run)


@st.cache_data(max_entries=16, show_spinner="Decoding the plane …")
def _manifold(run_id: str, mark: str, plane: Any, size: int, label: int, _run: Run) -> results.Grid:
    across, up, centre = (None if part is None else np.frombuffer(part, np.float64) for part in plane)
    return results.manifold(_run, across, up, centre, size, label)


def manifold(
    run: Run, across: np.ndarray | None, up: np.ndarray | None, centre: np.ndarray | None, size: int, label: int
) -> results.Grid:
    """Decoded plane spanned by two directions (D,) through a centre (D,), of class `label` if conditional."""
    plane = tuple(None if part is None else np.asarray(part, np.float64).tobytes() for part in (across, up, centre))
    return _manifold(run.id, run.weights_id(), plane, size, label, run)
