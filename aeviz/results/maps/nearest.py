"""Nearest images to an image, by codes and by pixels."""

from dataclasses import dataclass

import numpy as np

from aeviz.data import ArrayLike, Dataset
from aeviz.data.splits import Split
from aeviz.errors import BadValue
from aeviz.latent.neighbours import nearest
from aeviz.results.codes import Codes, codes, dataset_of
from aeviz.runs import Run

CHUNK_PIXELS = 400_000  # numbers compared at once, to stay in the CPU cache


@dataclass(frozen=True)
class NearestImages:
    """Row numbers (k,) in the whole set, nearest first, by codes and by pixels.

    Distances (k,) are Euclidean between codes, and mean squared error per pixel between images.
    """

    latent_rows: np.ndarray
    latent_distances: np.ndarray
    pixel_rows: np.ndarray
    pixel_distances: np.ndarray


def nearest_images(run: Run, split: Split, row: int, k: int = 8, dataset: Dataset | None = None) -> NearestImages:
    """The k images of a split nearest to one of them, itself excluded; ties in row order.

    Args:
        run: the run.
        split: the split to search.
        row: the image's row number in the whole set, as in `Codes.index`.
        k: number of images, or all if there are fewer.
        dataset: the run's images, if already loaded.

    Raises:
        BadValue: the row is not in the split.
        MissingData: the images are not available.
    """
    dataset, coded = dataset or dataset_of(run), codes(run, split)
    (place,) = positions_of(coded, np.array([row]), split)
    others = np.delete(np.arange(len(coded.z)), place)
    distances, found = nearest(coded.z[others], coded.z[place : place + 1], k)
    rows = coded.index[others]
    apart = pixel_distances(dataset.images, rows, np.asarray(dataset.images[row]))
    nearest_pixels = np.argsort(apart, kind="stable")[:k]
    return NearestImages(rows[found[0]], distances[0], rows[nearest_pixels], apart[nearest_pixels])


def positions_of(coded: Codes, rows: np.ndarray, split: Split) -> np.ndarray:
    """Positions (M,) of rows of the whole set among a split's codes.

    Raises:
        BadValue: a row is not in the split.
    """
    places = np.searchsorted(coded.index, rows)
    strange = rows[coded.index[np.minimum(places, len(coded.index) - 1)] != rows] if len(coded.index) else rows
    if len(strange):
        raise BadValue(
            "image {row} is not among the {n} images of the split {split}",
            row=int(strange[0]), n=len(coded.index), split=split,
        )  # fmt: skip
    return places


def pixel_distances(images: ArrayLike, rows: np.ndarray, image: np.ndarray) -> np.ndarray:
    """The mean squared error per pixel (n,), for pixels in [0, 1], of rows of images (N, C, H, W) to one (C, H, W)."""
    wanted = image.reshape(-1).astype(np.float64)
    sums = np.empty(len(rows))
    step = max(1, CHUNK_PIXELS // wanted.size)
    for start in range(0, len(rows), step):
        chunk = np.asarray(images[rows[start : start + step]])
        off = chunk.reshape(len(chunk), -1) - wanted  # float64 holds these sums of squares exactly
        sums[start : start + step] = np.einsum("nf,nf->n", off, off)
    return sums / (wanted.size * 255.0**2)
