"""Codes and reconstruction errors of a run's images, and its score."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from aeviz import data, files
from aeviz.data import Dataset
from aeviz.data.splits import Split
from aeviz.errors import BadFile, BadValue, MissingData, UnknownName
from aeviz.latent.conditioning import class_labels
from aeviz.latent.encode import encode
from aeviz.models import Autoencoder
from aeviz.models.device import resolve_device
from aeviz.results.store import Report, path_of, quiet, read_arrays, read_json, shared_arrays, write_arrays
from aeviz.runs import Run
from aeviz.runs.stored_images import load_stored_images
from aeviz.scores.images import psnr
from aeviz.scores.score import errors_per_image, score_model


@dataclass(frozen=True)
class Codes:
    """Codes z (N, D) of a split with labels (N,), -1 unknown, and index (N,) within the whole set.

    `condition` (N,) are the class labels given to a conditional network, inferred for unlabelled images.
    """

    z: np.ndarray
    labels: np.ndarray
    index: np.ndarray
    condition: np.ndarray | None = None

    def first(self, limit: int | None) -> "Codes":
        """At most `limit` codes, the first of a fixed shuffle, in index order."""
        if limit is None or limit >= len(self.z):
            return self
        rows = np.sort(np.random.default_rng(0).permutation(len(self.z))[:limit])
        return self.at(rows)

    def at(self, places: np.ndarray) -> "Codes":
        """The codes at the given positions."""
        condition = None if self.condition is None else self.condition[places]
        return Codes(self.z[places], self.labels[places], self.index[places], condition)


def dataset_of(run: Run) -> Dataset:
    """The images a run was trained on, or the test images stored with it if those are unavailable.

    Raises:
        MissingData: neither is available.
    """
    config = run.config().data
    try:
        return same_data(data.load(config.name, config.params), run)
    except (MissingData, UnknownName, BadFile, BadValue) as error:
        kept = load_stored_images(run)
        if kept is not None:
            return kept
        raise MissingData(
            "the images of this run, the set {name}, are not available ({reason})", name=config.name, reason=error
        ) from None


def same_data(dataset: Dataset, run: Run) -> Dataset:
    """Check that a data set is unchanged since the run was made, and return it.

    Raises:
        MissingData: it has changed.
    """
    if dataset.hash != run.config().data.hash:
        raise MissingData("the set {name} has changed since this run was made", name=dataset.name)
    return dataset


def model_of(run: Run) -> Autoencoder:
    """The network with its best weights, on the best available device."""
    return run.load(resolve_device("auto"))


def codes(run: Run, split: Split = "test", report: Report = quiet) -> Codes:
    """The codes of a split, cached per weights.

    Raises:
        MissingData: the images are not available.
        NotNow: the run has no weights yet.
    """
    path = path_of(run, "codes", {"split": split}, "npz")
    kept = shared_arrays(path)
    if kept is None:
        dataset = dataset_of(run)
        rows, model = dataset.rows(split), model_of(run)
        labels = dataset.labels[rows]
        condition = class_labels(model, dataset.images, rows, labels)
        z = encode(
            model, dataset.images, rows, labels=condition, on_step=lambda done, total: report(done, total, "Encoding")
        )
        kept = {"z": z, "labels": labels, "index": rows} | ({} if condition is None else {"told": condition})
        write_arrays(path, kept)
    return Codes(kept["z"], kept["labels"], kept["index"], kept.get("told"))


def known_codes(run: Run, report: Report = quiet) -> Codes:
    """The codes of the training images, or of the test images if the run has only those.

    Raises:
        MissingData: the images are not available.
        NotNow: the run has no weights yet.
    """
    known = codes(run, "train", report)
    return known if len(known.z) else codes(run, "test", report)


class Encoded(NamedTuple):
    """Codes z (n, D) of images, and the class labels (n,) given to a conditional network."""

    z: np.ndarray
    condition: np.ndarray | None


def encoded(run: Run, pixels: np.ndarray, labels: np.ndarray | None = None) -> Encoded:
    """Encode images (n, C, H, W) uint8 of the network's shape, with labels (n,) where known."""
    model = model_of(run)
    condition = labels_of(model, pixels, labels)
    return Encoded(encode(model, pixels, np.arange(len(pixels)), labels=condition), condition)


def encode_images(run: Run, pixels: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
    """Like `encoded`, but only the codes (n, D)."""
    return encoded(run, pixels, labels).z


def labels_of(model: Autoencoder, pixels: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray | None:
    """Class labels (n,) to condition the network on for images (n, C, H, W); None for an unconditional network.

    Taken from labels (n,); where -1 or missing, the class with the lowest reconstruction error.
    """
    return class_labels(model, pixels, np.arange(len(pixels)), labels)


def errors(run: Run, split: Split = "test", report: Report = quiet) -> np.ndarray:
    """Mean squared error per pixel (N,) of the images of a split."""
    path = path_of(run, "errors", {"split": split}, "npz")
    kept = read_arrays(path)
    if kept is None:
        dataset = dataset_of(run)
        mse = errors_per_image(
            model_of(run),
            dataset.images,
            dataset.rows(split),
            dataset.labels[dataset.rows(split)],
            on_step=lambda done, total: report(done, total, "Rebuilding"),
        )
        kept = {"mse": mse}
        write_arrays(path, kept)
    return kept["mse"]


def kept_psnr(run: Run) -> float | None:
    """PSNR (dB) of the mean test error; None if the errors are not cached."""
    kept = read_arrays(path_of(run, "errors", {"split": "test"}, "npz")) if run.has_weights() else None
    return psnr(float(kept["mse"].mean())) if kept and len(kept["mse"]) else None


def score(run: Run, split: Split = "test", report: Report = quiet) -> dict[str, Any]:
    """Scores of codes and reconstructions of a split, with PCA of equal size as baseline."""
    path = path_of(run, "score", {"split": split}, "json")
    kept = read_json(path)
    if kept is None:
        kept = score_model(
            model_of(run), dataset_of(run), split, on_step=lambda done, total: report(done, total, "Scoring")
        )
        files.write_json(path, kept)
    return kept
