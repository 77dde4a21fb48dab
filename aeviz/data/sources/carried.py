"""The sets bundled with scikit-learn: they need no network.

Read from its files without importing it, which would take 1.5 s and 150 MB before the first training.
"""

import importlib.util
from pathlib import Path

import numpy as np
from PIL import Image

from aeviz.config import Settings
from aeviz.data.dataset import Dataset, Source
from aeviz.data.splits import hold_out, make_splits
from aeviz.errors import MissingData

CARRIED = "digits, shapes and photo_patches"  # the sets that need no download
PATCH = 32
STRIDE = 8
TILE_HEIGHT, TILE_WIDTH = 85, 64  # 5 x 10 tiles per photograph of 427 x 640
PER_TILE = ((TILE_HEIGHT - PATCH) // STRIDE + 1) * ((TILE_WIDTH - PATCH) // STRIDE + 1)


class Digits(Source):
    """The test half of the UCI handwritten digits, 8 x 8, with 16 grey levels stretched to 255."""

    name = "digits"
    label = "Digits 8 x 8"
    description = "1,797 handwritten digits of 8 x 8 pixels: small enough to train in seconds."
    origin = "Alpaydin and Kaynak, UCI Machine Learning Repository, CC BY 4.0; from scikit-learn."
    n = 1797
    image_shape = (1, 8, 8)
    classes = tuple("0123456789")

    def load(self, params: Settings) -> Dataset:
        """Load the data set; a fifth is held out for testing."""
        rows = np.loadtxt(sklearn_file("data/digits.csv.gz"), delimiter=",")  # (N, 65), the label last
        train, test = hold_out(self.name, len(rows))
        rows = rows[np.concatenate([train, test])]
        images = np.rint(rows[:, :-1] * 255 / 16).astype(np.uint8).reshape(-1, 1, 8, 8)
        labels = rows[:, -1].astype(np.int64)
        return self.dataset(images, labels, make_splits(self.name, len(train), len(test)))


class PhotoPatches(Source):
    """Crops of two photographs, 8 pixels apart, so crops of one tile overlap.

    Each photograph is cut into 50 disjoint tiles of 85 x 64 pixels; a tile's 35 crops stay together in train, val or
    test, so no two splits share a pixel.
    """

    name = "photo_patches"
    label = "Photo patches"
    description = "3,500 colour crops of 32 x 32 pixels from two photographs, a temple and a flower."
    origin = "Photographs by danielbuechele (china.jpg) and vultilion (flower.jpg), CC BY 2.0; from scikit-learn."
    n = 3500
    image_shape = (3, PATCH, PATCH)
    classes = ("china", "flower")

    def load(self, params: Settings) -> Dataset:
        """Load the data set; columns x and y are the crop's left and top pixel in its photograph."""
        photos = np.stack([_photo(f"images/{name}.jpg") for name in self.classes])  # (2, 427, 640, 3)
        places = crop_places(len(photos))
        train, test = hold_out(self.name, len(places))
        # The first crop of every tile, then the second, ...: the first rows cover both photographs.
        by_crop = [places[tiles].swapaxes(0, 1).reshape(-1, 3) for tiles in (train, test)]  # (tiles, 35, 3) -> (N, 3)
        rows = np.concatenate(by_crop)
        photo, top, left = rows.T
        windows = np.lib.stride_tricks.sliding_window_view(photos, (PATCH, PATCH), axis=(1, 2))
        images = np.ascontiguousarray(windows[photo, top, left])  # (N, 3, 32, 32)
        labels = photo.astype(np.int64)
        splits = make_splits(self.name, len(train) * PER_TILE, len(test) * PER_TILE, group=PER_TILE)
        columns = {"x": left.astype(np.float32), "y": top.astype(np.float32)}
        return self.dataset(images, labels, splits, columns)


def sklearn_file(name: str) -> Path:
    """The path of a file of `sklearn.datasets`.

    Raises:
        MissingData: the file is missing.
    """
    package = importlib.util.find_spec("sklearn")
    folders = package.submodule_search_locations if package else None
    path = Path(*(folders or [])[:1], "datasets", name)
    if not path.is_file():
        raise MissingData("scikit-learn has no file {file}; install the version that requirements.txt names", file=path)
    return path


def _photo(name: str) -> np.ndarray:
    with Image.open(sklearn_file(name)) as photo:
        return np.asarray(photo)


def crop_places(n_photos: int) -> np.ndarray:
    """Photograph, top and left of every crop, by tile: (tiles, crops per tile, 3)."""
    tiles = np.mgrid[:n_photos, : 427 // TILE_HEIGHT, : 640 // TILE_WIDTH].reshape(3, -1).T
    steps = np.mgrid[: TILE_HEIGHT - PATCH + 1 : STRIDE, : TILE_WIDTH - PATCH + 1 : STRIDE].reshape(2, -1).T
    corners = tiles * [1, TILE_HEIGHT, TILE_WIDTH]
    return corners[:, None, :] + np.pad(steps, ((0, 0), (1, 0)))[None]
