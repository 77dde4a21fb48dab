"""Synthetic shapes with known factors, drawn on demand so that a million take no memory."""

import hashlib
import json
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from aeviz.config import Settings
from aeviz.data.counter_rng import draw_uniform
from aeviz.data.dataset import Dataset, Source
from aeviz.data.sources.shape_drawing import Distance, draw, ellipse, heart, hue_to_rgb, square, triangle
from aeviz.data.splits import MIN_IMAGES, TEST_SHARE, make_splits
from aeviz.errors import BadValue

# Each shape with its period of rotation in degrees. Rotations are drawn below it, so that every picture has a unique
# rotation.
SHAPES: dict[str, tuple[Distance, float]] = {
    "square": (square, 90.0),
    "ellipse": (ellipse, 180.0),
    "heart": (heart, 360.0),
    "triangle": (triangle, 120.0),
}
DISTANCES = tuple(distance for distance, _ in SHAPES.values())
TURNS = np.array([turn for _, turn in SHAPES.values()])
MAX_RADIUS = 0.18  # of the image's side, at scale 1: the widest shape never leaves the image
BATCH = 256
DRAWING = 1  # increment whenever a pixel changes: it is part of the content hash
STREAMS = ("shape", "scale", "rotation", "x", "y", "hue")


class ShapesParams(Settings):
    """The number of shapes, and how they look."""

    count: int = Field(6000, ge=1, le=1_000_000, description="How many images are drawn.")
    size: Literal[32, 64] = Field(32, description="Side of an image in pixels.")
    channels: Literal[1, 3] = Field(1, description="1 for white shapes on black, 3 for shapes of any hue.")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="A different seed draws different shapes.")


def draw_factors(seed: int, index: np.ndarray) -> dict[str, np.ndarray]:
    """The factors (B,) of rows (B,); each row depends on (seed, row) only.

    shape 0..3; scale in [0.5, 1]; rotation in degrees counter-clockwise, below the shape's period; x and y of the
    centre in [0.3, 0.7] of the image's side, from the left and from the top; hue in degrees [0, 360).
    """
    unit = {name: draw_uniform(seed, index, stream) for stream, name in enumerate(STREAMS)}
    shape = (unit["shape"] * len(SHAPES)).astype(np.int64)
    return {
        "shape": shape,
        "scale": 0.5 + 0.5 * unit["scale"],
        "rotation": TURNS[shape] * unit["rotation"],
        "x": 0.3 + 0.4 * unit["x"],
        "y": 0.3 + 0.4 * unit["y"],
        "hue": 360 * unit["hue"],
    }


def draw_images(rows: np.ndarray, size: int, channels: int, seed: int) -> np.ndarray:
    """Draw the images (B, C, size, size) uint8 of rows (B,)."""
    factors = draw_factors(seed, rows)
    cover = np.empty((len(rows), size, size), np.float32)
    for number, distance in enumerate(DISTANCES):
        here = factors["shape"] == number
        x, y, scale, rotation = (factors[name][here] for name in ("x", "y", "scale", "rotation"))
        cover[here] = draw(distance, size, x, y, MAX_RADIUS * scale, rotation)
    images = cover[:, None]  # (B, H, W) -> (B, 1, H, W)
    if channels == 3:
        images = images * hue_to_rgb(factors["hue"])[:, :, None, None]
    return (images * 255 + 0.5).astype(np.uint8)


class RenderedShapes:
    """Images (N, C, H, W) uint8, drawn when their rows are read."""

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(self, params: ShapesParams) -> None:
        self.params = params
        self.shape = (params.count, params.channels, params.size, params.size)

    def __len__(self) -> int:
        return self.params.count

    def __getitem__(self, key: Any) -> np.ndarray:
        """The images of a row, slice, index array or mask, uint8, as from an array."""
        if isinstance(key, slice):
            rows = np.arange(*key.indices(len(self)))
        else:
            rows = np.asarray(key)
            rows = np.flatnonzero(_whole_mask(rows, len(self))) if rows.dtype == bool else _in_range(rows, len(self))
        flat = rows.reshape(-1)
        images = np.empty((len(flat), *self.shape[1:]), np.uint8)
        for start in range(0, len(flat), BATCH):
            part = flat[start : start + BATCH]
            images[start : start + BATCH] = draw_images(part, self.params.size, self.params.channels, self.params.seed)
        return images.reshape(*rows.shape, *self.shape[1:])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        images = self[:]
        return images if dtype is None else images.astype(dtype)


def _in_range(rows: np.ndarray, n: int) -> np.ndarray:
    rows = rows.astype(np.int64) if rows.size == 0 else rows
    if rows.size and (rows.min() < -n or rows.max() >= n):
        raise IndexError(f"row {rows.max() if rows.max() >= n else rows.min()} is out of bounds for {n} images")
    return np.where(rows < 0, rows + n, rows)


def _whole_mask(mask: np.ndarray, n: int) -> np.ndarray:
    if mask.shape != (n,):
        raise IndexError(f"a mask of shape {mask.shape} does not fit {n} images")
    return mask


class Shapes(Source):
    """Squares, ellipses, hearts and triangles; rows are independent, so the last 20 % are the test split."""

    name = "shapes"
    label = "Shapes"
    description = "Squares, ellipses, hearts and triangles of known size, rotation, position and hue, drawn on demand."
    origin = "Made by aeviz."
    n = ShapesParams().count
    image_shape = (1, 32, 32)
    classes = tuple(SHAPES)
    Params: ClassVar[type[Settings]] = ShapesParams

    def load(self, params: ShapesParams) -> Dataset:
        """Make the data set; its columns are the factors, with hue only in colour.

        Raises:
            BadValue: there are fewer images than the splits need.
        """
        if params.count < MIN_IMAGES:
            raise BadValue(
                "count = {count} is not enough: train, val and test need one image each, so ask for {least} or more",
                count=params.count,
                least=MIN_IMAGES,
            )
        factors = draw_factors(params.seed, np.arange(params.count))
        shown = STREAMS[1:] if params.channels == 3 else STREAMS[1:-1]
        n_test = max(1, round(TEST_SHARE * params.count))
        return Dataset(
            name=self.name,
            label=self.label,
            params=params.to_json(),
            images=RenderedShapes(params),
            labels=factors["shape"],
            classes=self.classes,
            columns={name: factors[name].astype(np.float32) for name in shown},
            splits=make_splits(self.name, params.count - n_test, n_test),
            hash=_recipe_hash(params),
        )


def _recipe_hash(params: ShapesParams) -> str:
    """The hash of everything that determines the pixels; hashing a million drawn images would take minutes."""
    recipe = {"drawing": DRAWING, **params.to_json()}
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()
