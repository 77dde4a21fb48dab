"""Thumbnails of a run's images for the map: tiles of consecutive rows, and sheets of chosen rows."""

from typing import Any

import numpy as np

from aeviz.data import Dataset, pictures
from aeviz.errors import BadValue
from aeviz.export.page import scene
from aeviz.runs import Run

MOST_ON_SHEET = 1024
SHEET_SIDE = 48  # pixels; larger images are downscaled by an integer factor


def tile(run: Run, number: int) -> dict[str, Any]:
    """The images of a tile and their reconstructions as two pictures, with labels and errors.

    Raises:
        BadValue: the data set has no such tile.
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
    """The images of rows (n,) as one picture, downscaled to about 48 pixels per side; invalid rows are skipped.

    Raises:
        BadValue: no row is valid.
    """
    from aeviz.ui import cache

    dataset: Dataset = cache.images_of(run)
    rows = rows[(rows >= 0) & (rows < len(dataset))]
    if not len(rows):
        raise BadValue("none of the requested rows is among the {count} rows of the data set", count=len(dataset))
    order = np.argsort(rows, kind="stable")  # reads a memory-mapped file front to back
    images = np.empty((len(rows), *dataset.shape), np.uint8)
    images[order] = dataset.images[rows[order]]
    return scene.picture(scene.downsampled(images, SHEET_SIDE), scene.columns_of(len(rows)))
