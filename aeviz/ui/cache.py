"""Cached reads that several pages share: models, data sets, codes and reconstructions; all read-only."""

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
    """A data set; read-only and shared by all sessions."""
    info = data.info(name)
    return _dataset(
        name,
        repr(sorted((params or {}).items())),
        params or {},
        ((info.created if info else None) or 0.0) + own_labels.last_labelled(),
    )


def images_of(run: Run) -> Dataset:
    """The data set a run was trained on.

    Raises:
        MissingData: neither the data set nor images stored with the run are available.
    """
    config = run.config().data
    info = data.info(config.name)
    here = f"{info.ready} {info.created} {own_labels.last_labelled()}" if info else "gone"
    return _images_of(run.id, here, run)


def images_if_here(run: Run) -> Dataset | None:
    """The data set a run was trained on, or None if it is not available."""
    try:
        return images_of(run)
    except MissingData:
        return None


@st.cache_resource(max_entries=4, show_spinner="Loading images …")
def _images_of(run_id: str, here: str, _run: Run) -> Dataset:
    return results.dataset_of(_run)


@st.cache_data(max_entries=64, show_spinner=False)
def outline(values: str, _model: dict[str, Any], batch_size: int, optimizer: str, loss: str) -> costs.Outline:
    """The layers and costs of a network, as far as its layers fit together."""
    return costs.outline(model_config(_model), batch_size, optimizer, loss)


@st.cache_resource(max_entries=4, show_spinner=False)
def _model(run_id: str, mark: str, _run: Run) -> Autoencoder:
    return results.model_of(_run)


def model(run: Run) -> Autoencoder:
    """A run's network with its best weights; read-only and shared by all sessions."""
    return _model(run.id, run.weights_id(), run)


def pass_through(run: Run, pixels: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Reconstructions x_hat (n, C, H, W) in [0, 1] of images uint8 with labels (n,); not cached."""
    network = model(run)
    condition = results.labels_of(network, pixels, labels)
    return decode_with(network, encode(network, pixels, np.arange(len(pixels)), labels=condition), labels=condition)


@st.cache_data(max_entries=16, show_spinner="Reconstructing images …")
def _errors(run_id: str, mark: str, split: Split, _run: Run) -> np.ndarray:
    return results.errors(_run, split)


def errors(run: Run, split: Split) -> np.ndarray:
    """Mean squared error (n,) of each image of a split."""
    return _errors(run.id, run.weights_id(), split, run)


@st.cache_data(max_entries=32, show_spinner=False)
def rebuilt(run_id: str, mark: str, pixels: bytes, shape: tuple[int, ...], labels: bytes, _run: Run) -> results.Rebuilt:
    """Cached part of `rebuild`, with hashable arguments."""
    return results.rebuild(_run, np.frombuffer(pixels, np.uint8).reshape(shape), np.frombuffer(labels, np.int64))


def rebuild(run: Run, pixels: np.ndarray, labels: np.ndarray) -> results.Rebuilt:
    """Reconstruct images (n, C, H, W) uint8 with labels (n,), -1 if unknown."""
    asked = np.asarray(labels, np.int64).tobytes()
    return rebuilt(run.id, run.weights_id(), pixels.tobytes(), pixels.shape, asked, run)


@st.cache_data(max_entries=8, show_spinner="Reading codes …")
def _codes(run_id: str, mark: str, split: Split, _run: Run) -> results.Codes:
    return results.codes(_run, split)


def codes(run: Run, split: Split) -> results.Codes:
    """The codes of a split; read-only."""
    return _codes(run.id, run.weights_id(), split, run)


@st.cache_data(max_entries=16, show_spinner=False)
def _border(content: str, _dataset: Dataset) -> data.Border:
    return data.border_of(_dataset.images)


def border_of(run: Run) -> data.Border | None:
    """Border brightness of a run's images, or None if the images are not available."""
    dataset = images_if_here(run)
    return None if dataset is None else _border(dataset.hash, dataset)


@st.cache_data(max_entries=256, show_spinner=False)
def fitted(
    digest: str, shape: tuple[int, ...], fitting: str, border: data.Border | None, _content: bytes
) -> tuple[np.ndarray, bool]:
    """An image file fitted to `shape` by a `Fitting` (as JSON), and whether it was inverted; cached by its digest."""
    return data.read_fitted(_content, shape, data.Fitting.model_validate_json(fitting), border)


@st.cache_data(max_entries=64, show_spinner=False)
def preview(digest: str, side: int, _content: bytes) -> data.Preview:
    """A small preview of an image file; cached by its digest."""
    return data.read_preview(_content, side)


@st.cache_data(max_entries=64, show_spinner=False)
def _decoded(
    run_id: str, mark: str, codes: bytes, dim: int, digest: str, _told: np.ndarray | None, _run: Run
) -> np.ndarray:
    return results.decode_codes(_run, np.frombuffer(codes, np.float32).reshape(-1, dim), _told)


def decode(run: Run, codes: np.ndarray, condition: np.ndarray | None) -> np.ndarray:
    """Decode codes (n, D) to images (n, C, H, W) in [0, 1]; `condition` is what a conditional network is conditioned on."""
    codes = np.ascontiguousarray(codes, np.float32)
    digest = "" if condition is None else hashlib.sha256(np.ascontiguousarray(condition).data).hexdigest()
    return _decoded(run.id, run.weights_id(), codes.tobytes(), codes.shape[1], digest, condition, run)


@st.cache_data(max_entries=16, show_spinner=False)
def _class_means(run_id: str, mark: str, split: Split, _run: Run) -> results.ClassMeans:
    return results.class_means(_run, split)


def class_means(run: Run, split: Split) -> results.ClassMeans:
    """The mean image and mean code of each class of a split."""
    return _class_means(run.id, run.weights_id(), split, run)


@st.cache_data(max_entries=16, show_spinner=False)
def mean_image(content: str, _dataset: Dataset) -> np.ndarray:
    """The mean image (C, H, W) of a data set, estimated from at most 20,000 evenly spaced images."""
    rows = np.unique(np.linspace(0, len(_dataset) - 1, 20_000).astype(np.int64))
    return pictures.to_pixels(mean_of(_dataset.images, rows))
