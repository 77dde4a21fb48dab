"""Small pictures of a run's images for the map: tiles of neighbours in the set, and sheets of chosen rows."""

from typing import Any

import numpy as np

from aeviz.data import Dataset, pictures
from aeviz.errors import BadValue
from aeviz.export.page import scene
from aeviz.runs import Run

MOST_ON_SHEET = 1024
SHEET_SIDE = 48  # pixels; larger images are reduced by a whole number


def tile(run: Run, number: int) -> dict[str, Any]:
    """The images of a tile and their reconstructions as two pictures, and for each its label and error.

    Raises:
        BadValue: the set has no such tile.
    """
    from aeviz.ui import cache

    dataset = cache.images_of(run)
    count = scene.per_tile(dataset.shape)
    rows = np.arange(number * count, min((number + 1) * count, len(dataset)))
    if not len(rows) or number < 0:
        raise BadValue("there is no tile {number}", number=number)
    x = np.ascontiguousarray(dataset.images[rows])
    rebuilt = cache.pass_through(run, x, dataset.labels[rows])
    mse = np.square(rebuilt - pictures.to_unit(x)).mean(axis=(1, 2, 3))
    return scene.tile(x, pictures.to_pixels(rebuilt), dataset.labels[rows], mse)


def sheet(run: Run, rows: np.ndarray) -> bytes:
    """The images of rows (n,) as one picture, reduced to at most 48 pixels or so a side; rows that are not there are left out."""
    from aeviz.ui import cache

    dataset: Dataset = cache.images_of(run)
    rows = rows[(rows >= 0) & (rows < len(dataset))]
    if not len(rows):
        raise BadValue("the sheet names none of the {count} rows of the set", count=len(dataset))
    order = np.argsort(rows, kind="stable")  # a memory-mapped file is read from front to back
    images = np.empty((len(rows), *dataset.shape), np.uint8)
    images[order] = dataset.images[rows[order]]
    return scene.picture(scene.downsampled(images, SHEET_SIDE), scene.columns_of(len(rows)))
