"""What pages draw from a run's codes, kept by content: roads, samples, axes, the pictures over a plane."""

from typing import Any

import numpy as np
import streamlit as st

from aeviz import results
from aeviz.latent.paths.traversals import Order
from aeviz.results import Map, MapRequest, SampleRequest
from aeviz.results.generated.sweeps import Kind
from aeviz.runs import Run


@st.cache_data(max_entries=64, show_spinner="Walking …")
def _walk(
    run_id: str, mark: str, stops: bytes, classes: tuple[int, ...] | None, count: int, road: str, steps: int, _run: Run
) -> results.Walk:
    told = None if classes is None else np.array(classes)
    return results.walk(_run, np.frombuffer(stops, np.float32).reshape(count, -1), road, steps, told=told)


def walk(run: Run, stops: np.ndarray, told: np.ndarray | None, road: str, steps: int) -> results.Walk:
    """A road through stops (M, D), with the classes (M,) that a conditional network is told there."""
    stops = np.ascontiguousarray(stops, np.float32)
    classes = None if told is None else tuple(told.tolist())
    return _walk(run.id, run.weights_id(), stops.tobytes(), classes, len(stops), road, steps, run)


@st.cache_data(max_entries=32, show_spinner=False)
def _placed(run_id: str, mark: str, request: str, codes: bytes, width: int, _found: Map) -> np.ndarray:
    return _found.projection.place(np.frombuffer(codes, np.float32).reshape(-1, width))


def placed(run: Run, request: MapRequest, found: Map, codes: np.ndarray) -> np.ndarray:
    """Points (n, dims) of codes (n, D) on a map."""
    codes = np.ascontiguousarray(codes, np.float32)
    return _placed(run.id, run.weights_id(), request.model_dump_json(), codes.tobytes(), codes.shape[1], found)


@st.cache_data(max_entries=32, show_spinner="Drawing samples …")
def _samples(run_id: str, mark: str, request: str, _request: SampleRequest, _run: Run) -> results.Samples:
    return results.samples(_run, _request)


def samples(run: Run, request: SampleRequest) -> results.Samples:
    """Images drawn as requested."""
    return _samples(run.id, run.weights_id(), request.model_dump_json(), request, run)


@st.cache_data(max_entries=32, show_spinner="Judging what each axis does …")
def _axes(run_id: str, mark: str, kind: Kind, order: Order, _run: Run) -> results.Axes:
    return results.axes(_run, kind, order)


def axes(run: Run, kind: Kind, order: Order) -> results.Axes:
    """The latent dimensions or principal directions, those that do most first."""
    return _axes(run.id, run.weights_id(), kind, order, run)


@st.cache_data(max_entries=16, show_spinner="Decoding the plane …")
def _manifold(run_id: str, mark: str, plane: Any, size: int, label: int, _run: Run) -> results.Grid:
    across, up, centre = (None if part is None else np.frombuffer(part, np.float64) for part in plane)
    return results.manifold(_run, across, up, centre, size, label)


def manifold(
    run: Run, across: np.ndarray | None, up: np.ndarray | None, centre: np.ndarray | None, size: int, label: int
) -> results.Grid:
    """What lies over two directions (D,) through a centre (D,), of one class where the network is told it."""
    plane = tuple(None if part is None else np.asarray(part, np.float64).tobytes() for part in (across, up, centre))
    return _manifold(run.id, run.weights_id(), plane, size, label, run)
