"""Averages over groups of images: per class, or of a user's selection."""

from dataclasses import dataclass

import numpy as np

from aeviz.data import ArrayLike, Dataset
from aeviz.data.splits import Split
from aeviz.errors import BadValue
from aeviz.latent.conditioning import mean_one_hot
from aeviz.latent.encode import decode
from aeviz.results.codes import codes, dataset_of, model_of
from aeviz.results.maps.nearest import positions_of
from aeviz.results.store import Report, path_of, quiet, read_arrays, write_arrays
from aeviz.runs import Run

CHUNK_IMAGES = 1024


@dataclass(frozen=True)
class ClassMeans:
    """Per class: number (K,), mean image (K, C, H, W), mean code z (K, D), its decoded image, and image count (K,)."""

    labels: np.ndarray
    images: np.ndarray
    z: np.ndarray
    decoded: np.ndarray
    counts: np.ndarray


@dataclass(frozen=True)
class Selected:
    """A selection: image counts per class (-1 unknown), mean image and decoded mean code (C, H, W).

    `code` is the mean code (D,), `spread` the root mean squared distance of the codes to it.
    """

    counts: dict[int, int]
    image: np.ndarray
    decoded: np.ndarray
    code: np.ndarray
    spread: float


def class_means(run: Run, split: Split = "test", report: Report = quiet) -> ClassMeans:
    """Mean images and mean codes of the classes of a split, cached per weights.

    Raises:
        MissingData: the images are not available.
    """
    path = path_of(run, "means", {"split": split}, "npz")
    kept = read_arrays(path)
    if kept is None:
        dataset, coded = dataset_of(run), codes(run, split, report)
        labels, counts = np.unique(coded.labels[coded.labels >= 0], return_counts=True)
        images = np.empty((len(labels), *dataset.shape), np.float32)
        mean_codes = np.empty((len(labels), coded.z.shape[1]), np.float32)
        for place, label in enumerate(labels):
            report(place, len(labels), "Averaging classes")
            of_class = coded.labels == label
            images[place] = mean_image(dataset.images, coded.index[of_class])
            mean_codes[place] = coded.z[of_class].mean(axis=0, dtype=np.float64)
        kept = {"labels": labels, "images": images, "decoded": _decoded(run, mean_codes, labels), "counts": counts}
        kept["z"] = mean_codes
        write_arrays(path, kept)
    return ClassMeans(**kept)


def _decoded(run: Run, mean_codes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Decode mean codes (K, D) of classes (K,) to images (K, C, H, W)."""
    model = model_of(run)
    return decode(model, mean_codes, labels=labels if model.n_classes else None)


def selection(run: Run, split: Split, rows: np.ndarray, dataset: Dataset | None = None) -> Selected:
    """Summarise a selection of images.

    Args:
        run: the run.
        split: the split that contains the images.
        rows: (M,) row numbers in the whole set.
        dataset: the run's images, if already loaded.

    Raises:
        BadValue: no rows, or a row outside the split.
        MissingData: the images are not available.
    """
    rows = np.asarray(rows, dtype=np.int64)
    if not len(rows):
        raise BadValue("nothing is selected; draw around some points first")
    dataset, coded = dataset or dataset_of(run), codes(run, split)
    places = positions_of(coded, rows, split)
    model, chosen = model_of(run), coded.at(places)
    z = chosen.z.astype(np.float64)
    code = z.mean(axis=0)
    labels, counts = np.unique(chosen.labels, return_counts=True)
    return Selected(
        counts=dict(zip(labels.tolist(), counts.tolist(), strict=True)),
        image=mean_image(dataset.images, rows),
        decoded=decode(model, code[None], labels=mean_one_hot(chosen.condition, model.n_classes))[0],
        code=code.astype(np.float32),
        spread=float(np.sqrt(np.square(z - code).sum(axis=1).mean())),
    )


def mean_image(images: ArrayLike, rows: np.ndarray) -> np.ndarray:
    """The mean (C, H, W) in [0, 1] of rows (M,) of images (N, C, H, W) uint8, read in chunks."""
    sums = np.zeros(images.shape[1:], np.int64)
    for start in range(0, len(rows), CHUNK_IMAGES):
        sums += np.asarray(images[rows[start : start + CHUNK_IMAGES]]).sum(axis=0, dtype=np.int64)
    return (sums / (255.0 * len(rows))).astype(np.float32)
