"""What pages read again and again, kept by content: models read-only, arrays by run, weights and parameters."""

import hashlib
from typing import Any

import numpy as np
import streamlit as st

from aeviz import data, results
from aeviz.data import Dataset, own_labels, pictures
from aeviz.errors import MissingData
from aeviz.latent.encode import decode as decode_with
from aeviz.latent.encode import encode
from aeviz.models import Autoencoder, costs, model_config
from aeviz.results import Split
from aeviz.results.groups import mean_image as mean_of
from aeviz.runs import Run


@st.cache_resource(max_entries=4, show_spinner="Loading images …")
def _dataset(name: str, params: str, _values: dict[str, Any], _stamp: float) -> Dataset:
    return data.load(name, _values)


def dataset(name: str, params: dict[str, Any] | None = None) -> Dataset:
    """A data set; read only, shared by all visitors."""
    info = data.info(name)
    return _dataset(
        name,
        repr(sorted((params or {}).items())),
        params or {},
        ((info.created if info else None) or 0.0) + own_labels.last_labelled(),
    )


def images_of(run: Run) -> Dataset:
    """The images a run was trained on."""
    config = run.config().data
    info = data.info(config.name)
    here = f"{info.ready} {info.created} {own_labels.last_labelled()}" if info else "gone"
    return _images_of(run.id, here, run)


def images_if_here(run: Run) -> Dataset | None:
    """The same, or None where neither the set nor kept images are at hand."""
    try:
        return images_of(run)
    except MissingData:
        return None


@st.cache_resource(max_entries=4, show_spinner="Loading images …")
def _images_of(run_id: str, here: str, _run: Run) -> Dataset:
    return results.dataset_of(_run)


@st.cache_data(max_entries=64, show_spinner=False)
def outline(values: str, _model: dict[str, Any], batch_size: int, optimizer: str, loss: str) -> costs.Outline:
    return costs.outline(model_config(_model), batch_size, optimizer, loss)


@st.cache_resource(max_entries=4, show_spinner=False)
def _model(run_id: str, mark: str, _run: Run) -> Autoencoder:
    return results.model_of(_run)


def model(run: Run) -> Autoencoder:
    """A run's network with its best weights; read only, shared by all visitors."""
    return _model(run.id, run.weights_id(), run)


def pass_through(run: Run, pixels: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """What a run's network makes of images (n, C, H, W) uint8 with labels (n,): x_hat, in [0, 1]; kept nowhere."""
    network = model(run)
    told = results.told_of(network, pixels, labels)
    return decode_with(network, encode(network, pixels, np.arange(len(pixels)), labels=told), labels=told)


@st.cache_data(max_entries=16, show_spinner="Rebuilding images …")
def _errors(run_id: str, mark: str, split: Split, _run: Run) -> np.ndarray:
    return results.errors(_run, split)


def errors(run: Run, split: Split) -> np.ndarray:
    """Every image's mean squared error."""
    return _errors(run.id, run.weights_id(), split, run)


@st.cache_data(max_entries=32, show_spinner=False)
def rebuilt(run_id: str, mark: str, pixels: bytes, shape: tuple[int, ...], labels: bytes, _run: Run) -> results.Rebuilt:
    return results.rebuild(_run, np.frombuffer(pixels, np.uint8).reshape(shape), np.frombuffer(labels, np.int64))


def rebuild(run: Run, pixels: np.ndarray, labels: np.ndarray) -> results.Rebuilt:
    """Images (n, C, H, W) uint8, of classes (n,), -1 unknown, through a run's network and back."""
    asked = np.asarray(labels, np.int64).tobytes()
    return rebuilt(run.id, run.weights_id(), pixels.tobytes(), pixels.shape, asked, run)


@st.cache_data(max_entries=8, show_spinner="Reading codes …")
def _codes(run_id: str, mark: str, split: Split, _run: Run) -> results.Codes:
    return results.codes(_run, split)


def codes(run: Run, split: Split) -> results.Codes:
    """The codes of a split; read only."""
    return _codes(run.id, run.weights_id(), split, run)


@st.cache_data(max_entries=16, show_spinner=False)
def _border(content: str, _dataset: Dataset) -> data.Border:
    return data.border_of(_dataset.images)


def border_of(run: Run) -> data.Border | None:
    """How bright the borders of a run's images are; None where these are not at hand."""
    dataset = images_if_here(run)
    return None if dataset is None else _border(dataset.hash, dataset)


@st.cache_data(max_entries=256, show_spinner=False)
def fitted(
    digest: str, shape: tuple[int, ...], fitting: str, border: data.Border | None, _content: bytes
) -> tuple[np.ndarray, bool]:
    """A picture file, named by its digest, made to fit by a `Fitting` as JSON; and whether it was turned round."""
    return data.read_fitted(_content, shape, data.Fitting.model_validate_json(fitting), border)


@st.cache_data(max_entries=64, show_spinner=False)
def preview(digest: str, side: int, _content: bytes) -> data.Preview:
    """A small picture of a file, named by its digest."""
    return data.read_preview(_content, side)


@st.cache_data(max_entries=64, show_spinner=False)
def _decoded(
    run_id: str, mark: str, codes: bytes, dim: int, digest: str, _told: np.ndarray | None, _run: Run
) -> np.ndarray:
    return results.decode_codes(_run, np.frombuffer(codes, np.float32).reshape(-1, dim), _told)


def decode(run: Run, codes: np.ndarray, told: np.ndarray | None) -> np.ndarray:
    """Images (n, C, H, W) in [0, 1] that codes (n, D) stand for, with what a conditional network is told."""
    codes = np.ascontiguousarray(codes, np.float32)
    digest = "" if told is None else hashlib.sha256(np.ascontiguousarray(told).data).hexdigest()
    return _decoded(run.id, run.weights_id(), codes.tobytes(), codes.shape[1], digest, told, run)


@st.cache_data(max_entries=16, show_spinner=False)
def _class_means(run_id: str, mark: str, split: Split, _run: Run) -> results.ClassMeans:
    return results.class_means(_run, split)


def class_means(run: Run, split: Split) -> results.ClassMeans:
    """What the classes of a split look like on average, in pixels and in codes."""
    return _class_means(run.id, run.weights_id(), split, run)


@st.cache_data(max_entries=16, show_spinner=False)
def mean_image(content: str, _dataset: Dataset) -> np.ndarray:
    """The mean (C, H, W) of a set's images, of at most 20,000 spread over it."""
    rows = np.unique(np.linspace(0, len(_dataset) - 1, 20_000).astype(np.int64))
    return pictures.to_pixels(mean_of(_dataset.images, rows))
