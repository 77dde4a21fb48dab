"""The codes and the errors of a run's own images, and the score made of them."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from aeviz import data, files
from aeviz.data import Dataset
from aeviz.errors import BadFile, BadValue, MissingData, UnknownName
from aeviz.latent.conditioning import told_classes
from aeviz.latent.encode import encode
from aeviz.models import Autoencoder
from aeviz.models.device import resolve_device
from aeviz.results.store import Report, Split, path_of, quiet, read_arrays, read_json, shared_arrays, write_arrays
from aeviz.runs import Run
from aeviz.runs.stored_images import load_stored_images
from aeviz.scores.images import psnr
from aeviz.scores.score import errors_per_image, score_model


@dataclass(frozen=True)
class Codes:
    """Codes z (N, D) of a split with labels (N,), -1 unknown, and index (N,) within the whole set.

    `told` (N,) are the classes that a conditional network was told, also for images without a label.
    """

    z: np.ndarray
    labels: np.ndarray
    index: np.ndarray
    told: np.ndarray | None = None

    def first(self, limit: int | None) -> "Codes":
        """At most `limit` of them, the first of a fixed shuffle, in index order."""
        if limit is None or limit >= len(self.z):
            return self
        rows = np.sort(np.random.default_rng(0).permutation(len(self.z))[:limit])
        return self.at(rows)

    def at(self, places: np.ndarray) -> "Codes":
        """Those at some places."""
        told = None if self.told is None else self.told[places]
        return Codes(self.z[places], self.labels[places], self.index[places], told)


def dataset_of(run: Run) -> Dataset:
    """The images a run was trained on; where they are not at hand, the test images that came with it.

    Raises:
        MissingData: neither is here.
    """
    config = run.config().data
    try:
        return same_data(data.load(config.name, config.params), run)
    except (MissingData, UnknownName, BadFile, BadValue) as error:
        kept = load_stored_images(run)
        if kept is not None:
            return kept
        raise MissingData(
            "the images of this run, the set {name}, are not here ({reason})", name=config.name, reason=error
        ) from None


def same_data(dataset: Dataset, run: Run) -> Dataset:
    """The set itself, if it is the very one a run was made with.

    Raises:
        MissingData: it has changed since.
    """
    if dataset.hash != run.config().data.hash:
        raise MissingData("the set {name} has changed since this run was made", name=dataset.name)
    return dataset


def model_of(run: Run) -> Autoencoder:
    """The network with its best weights, on the best device here."""
    return run.load(resolve_device("auto"))


def codes(run: Run, split: Split = "test", report: Report = quiet) -> Codes:
    """The codes of a split, encoded once per weights.

    Raises:
        MissingData: the images are not at hand.
        NotNow: the run has learned nothing yet.
    """
    path = path_of(run, "codes", {"split": split}, "npz")
    kept = shared_arrays(path)
    if kept is None:
        dataset = dataset_of(run)
        rows, model = dataset.rows(split), model_of(run)
        labels = dataset.labels[rows]
        told = told_classes(model, dataset.images, rows, labels)
        z = encode(
            model, dataset.images, rows, labels=told, on_step=lambda done, total: report(done, total, "Encoding")
        )
        kept = {"z": z, "labels": labels, "index": rows} | ({} if told is None else {"told": told})
        write_arrays(path, kept)
    return Codes(**kept)


def known_codes(run: Run, report: Report = quiet) -> Codes:
    """The codes of the training images; where only test images came with the run, of those.

    Raises:
        MissingData: the images are not at hand.
        NotNow: the run has learned nothing yet.
    """
    known = codes(run, "train", report)
    return known if len(known.z) else codes(run, "test", report)


class Encoded(NamedTuple):
    """Codes z (n, D) of images, and the classes (n,) that a conditional network was told."""

    z: np.ndarray
    told: np.ndarray | None


def encoded(run: Run, pixels: np.ndarray, labels: np.ndarray | None = None) -> Encoded:
    """Images (n, C, H, W) uint8 of the network's shape, of classes (n,) where these are known, as codes."""
    model = model_of(run)
    told = told_of(model, pixels, labels)
    return Encoded(encode(model, pixels, np.arange(len(pixels)), labels=told), told)


def encode_images(run: Run, pixels: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
    """The codes (n, D) alone."""
    return encoded(run, pixels, labels).z


def told_of(model: Autoencoder, pixels: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray | None:
    """The classes (n,) to tell a conditional network with images (n, C, H, W); None for networks that are told none.

    Those of labels (n,); where they are -1 or not given, the one under which the network rebuilds the image best.
    """
    return told_classes(model, pixels, np.arange(len(pixels)), labels)


def errors(run: Run, split: Split = "test", report: Report = quiet) -> np.ndarray:
    """Mean squared error per pixel of every image of a split (N,)."""
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
    """PSNR (dB) of the mean error over the test set, if the errors were computed before."""
    kept = read_arrays(path_of(run, "errors", {"split": "test"}, "npz")) if run.has_weights() else None
    return psnr(float(kept["mse"].mean())) if kept and len(kept["mse"]) else None


def score(run: Run, split: Split = "test", report: Report = quiet) -> dict[str, Any]:
    """What the codes and reconstructions of a split are worth, with PCA of equal size beside."""
    path = path_of(run, "score", {"split": split}, "json")
    kept = read_json(path)
    if kept is None:
        kept = score_model(
            model_of(run), dataset_of(run), split, on_step=lambda done, total: report(done, total, "Scoring")
        )
        files.write_json(path, kept)
    return kept
