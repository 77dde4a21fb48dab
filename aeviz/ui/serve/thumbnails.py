"""Small pictures of a run's images for the map: tiles of neighbours in the set, and sheets of chosen rows."""

from typing import Any

import numpy as np

from aeviz.data import Dataset, pictures
from aeviz.errors import BadValue
from aeviz.runs import Run
from aeviz.ui import cache

TILE_PIXELS = 2**20  # of originals on a tile: about a thousand of 28 x 28
MOST_ON_TILE, LEAST_ON_TILE = 1024, 16
MOST_ON_SHEET = 1024
SHEET_SIDE = 48  # pixels; larger images are shrunk by a whole number


def per_tile(shape: tuple[int, ...]) -> int:
    """How many images of shape (C, H, W) a tile holds."""
    return int(np.clip(TILE_PIXELS // (shape[1] * shape[2]), LEAST_ON_TILE, MOST_ON_TILE))


def tile(run: Run, number: int) -> dict[str, Any]:
    """The images of a tile and their reconstructions as two pictures, and for each its label and error.

    Raises:
        BadValue: the set has no such tile.
    """
    dataset = cache.images_of(run)
    count = per_tile(dataset.shape)
    rows = np.arange(number * count, min((number + 1) * count, len(dataset)))
    if not len(rows) or number < 0:
        raise BadValue("there is no tile {number}", number=number)
    x = np.ascontiguousarray(dataset.images[rows])
    rebuilt = cache.pass_through(run, x)
    columns = columns_of(len(rows))
    return {
        "columns": columns,
        "labels": dataset.labels[rows].astype(np.int32),
        "mse": np.square(rebuilt - pictures.to_unit(x)).mean(axis=(1, 2, 3)),
        "x": _picture(x, columns),
        "x_hat": _picture(pictures.to_pixels(rebuilt), columns),
    }


def sheet(run: Run, rows: np.ndarray) -> bytes:
    """The images of rows (n,) as one picture, shrunk to at most 48 pixels or so a side; rows that are not there are left out."""
    dataset: Dataset = cache.images_of(run)
    rows = rows[(rows >= 0) & (rows < len(dataset))]
    if not len(rows):
        raise BadValue("the sheet names none of the {count} rows of the set", count=len(dataset))
    order = np.argsort(rows, kind="stable")  # a memory-mapped file is read from front to back
    images = np.empty((len(rows), *dataset.shape), np.uint8)
    images[order] = dataset.images[rows[order]]
    return _picture(shrunk(images, SHEET_SIDE), columns_of(len(rows)))


def shrunk(images: np.ndarray, side: int) -> np.ndarray:
    """Images (N, C, H, W) uint8 by the means of whole blocks, the least that make them about `side` pixels."""
    by = max(1, round(max(images.shape[2:]) / side))
    if by == 1:
        return images
    n, channels, height, width = images.shape
    cut = images[:, :, : height // by * by, : width // by * by]
    blocks = cut.reshape(n, channels, height // by, by, width // by, by)
    return np.rint(blocks.mean(axis=(3, 5), dtype=np.float32)).astype(np.uint8)


def columns_of(count: int) -> int:
    """How many images stand side by side on a picture of `count`."""
    return int(np.ceil(np.sqrt(count)))


def _picture(images: np.ndarray, columns: int) -> bytes:
    return pictures.encode_webp(pictures.mosaic(images, columns, gap=0))
