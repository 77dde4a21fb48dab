"""What pages read again and again, kept by content: models read-only, arrays by run, weights and parameters."""

from typing import Any

import numpy as np
import streamlit as st

from aeviz import data, results
from aeviz.data import Dataset
from aeviz.models import budget, model_config
from aeviz.runs import Run


@st.cache_resource(max_entries=4, show_spinner="Loading images …")
def _dataset(name: str, params: str, _values: dict[str, Any], _stamp: float) -> Dataset:
    return data.load(name, _values)


def dataset(name: str, params: dict[str, Any] | None = None) -> Dataset:
    """A data set; read only, shared by all visitors."""
    info = next((info for info in data.list_data() if info.name == name), None)
    return _dataset(name, repr(sorted((params or {}).items())), params or {}, (info.created if info else None) or 0.0)


def images_of(run: Run) -> Dataset:
    """The images a run was trained on."""
    config = run.config().data
    return dataset(config.name, config.params)


@st.cache_data(max_entries=64, show_spinner=False)
def cost(values: str, _model: dict[str, Any], batch_size: int, optimizer: str) -> budget.Cost:
    return budget.cost(model_config(_model), batch_size, optimizer)


@st.cache_data(max_entries=16, show_spinner="Encoding …")
def _codes(run_id: str, mark: str, split: str, _run: Run) -> results.Codes:
    return results.codes(_run, split)  # type: ignore[arg-type]


def codes(run: Run, split: str) -> results.Codes:
    """The codes of a split."""
    return _codes(run.id, run.weights_mark(), split, run)


@st.cache_data(max_entries=16, show_spinner="Rebuilding images …")
def _errors(run_id: str, mark: str, split: str, _run: Run) -> np.ndarray:
    return results.errors(_run, split)  # type: ignore[arg-type]


def errors(run: Run, split: str) -> np.ndarray:
    """Every image's mean squared error."""
    return _errors(run.id, run.weights_mark(), split, run)


@st.cache_data(max_entries=32, show_spinner=False)
def rebuilt(run_id: str, mark: str, pixels: bytes, shape: tuple[int, ...], _run: Run) -> results.Rebuilt:
    return results.rebuild(_run, np.frombuffer(pixels, np.uint8).reshape(shape))


def rebuild(run: Run, pixels: np.ndarray) -> results.Rebuilt:
    """Images (n, C, H, W) uint8 through a run's network and back."""
    return rebuilt(run.id, run.weights_mark(), pixels.tobytes(), pixels.shape, run)
