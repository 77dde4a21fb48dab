"""The map in the browser, for a server or a standalone page: its script and its packed values."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from aeviz import plots
from aeviz.data import pictures
from aeviz.latent.projections.base import Projection
from aeviz.latent.projections.inverse import classes_at, grid
from aeviz.latent.projections.label_positions import label_positions

STATIC = Path(__file__).resolve().parents[3] / "static"
PARTS = (
    "base", "overlays/collision", "points", "pictures", "decode", "cards", "overlays/thumbs", "overlays/names",
    "overlays/own_images", "overlays/overlay", "overlays/overlay_3d", "pointer", "tools", "placed", "map",
)  # fmt: skip
SAID = {
    "drawing": "Drawing …", "lost": "The map could not be fetched; it is being redrawn.", "label": "class",
    "unknown": "no label", "error": "MSE", "decoded": "Decoded here", "fitted": "Decoded here, from its neighbours' codes", "near": "among the images",
    "edge": "between the images", "far": "far from any image", "close": "Close", "reset": "Whole map", "link": "Copy link", "copied": "Copied",
    "nearCodes": "Nearest in the codes", "nearPixels": "Nearest in the pixels", "drop": "Drop images to place them here",
}  # fmt: skip
MOST_NAMES = 40
TILE_PIXELS = 2**20  # of originals per tile: about a thousand of 28 x 28
MOST_ON_TILE, LEAST_ON_TILE = 1024, 16


@dataclass(frozen=True)
class Scene:
    """What the map shows and offers; addresses are those of `ui/serve`, or of a page's embedded files.

    Attributes:
        space: identifies the map itself; view and outline belong to it, whatever its colours.
        figure: address of the packed figure.
        dims: 2 or 3.
        size: the number of points.
        show: points, pictures, means or density.
        tool: lasso, select or pan.
        classes: their names, for the cards.
        picked: the selected points, by their number in the order of the set.
        pictures, near, decode, density, live: addresses and their parameters; None if unavailable.
        names: labels of regions: text, the name of the points' trace, x and y, and the number of points.
        means: per class: x, y, the number of points, and two pictures.
        grid: whether decoded images cover the map.
        stars: placed images: x, y (and z), picture, and the nearest rows.
        roads: paths on the map: colour, x and y of their steps; the browser reports the step under the pointer.
        found: rows to bring into view; with x and y if the map has no points of its own.
        view: the view in a link: ranges x and y or a camera, an outline, hidden classes.
        link: further parameters of a link to this map.
    """

    space: str
    figure: str
    dims: int
    size: int
    height: int
    show: str = "dots"
    tool: str = "lasso"
    classes: Sequence[str] = ()
    picked: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    pictures: Mapping[str, Any] | None = None
    near: str | None = None
    decode: Mapping[str, Any] | None = None
    density: Mapping[str, Any] | None = None
    live: str | None = None
    names: Sequence[Mapping[str, Any]] = ()
    means: Sequence[Mapping[str, Any]] = ()
    grid: bool = False
    stars: Sequence[Mapping[str, Any]] = ()
    roads: Sequence[Mapping[str, Any]] = ()
    found: Mapping[str, Any] = field(default_factory=lambda: {"rows": []})
    view: Mapping[str, Any] | None = None
    link: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The scene as `static/map/map.js` reads it."""
        return vars(self) | {"classes": list(self.classes)} | {"picked": {"bits": _bits(self.picked, self.size)}}


def _bits(dots: np.ndarray, size: int) -> str | None:
    """Points as one bit each, little-endian, in base64; None for none."""
    if not len(dots):
        return None
    flags = np.zeros(size, bool)
    flags[dots] = True
    return base64.b64encode(np.packbits(flags, bitorder="little").tobytes()).decode()


def script() -> str:
    """The map's and the decoder's JavaScript as one module."""
    paths = [STATIC / "codes" / "decoder.js", *(STATIC / "map" / f"{part}.js" for part in PARTS)]
    return "\n".join(path.read_text() for path in paths)


def style() -> str:
    """The map's CSS."""
    return (STATIC / "map" / "map.css").read_text()


def inverse_of(
    projection: Projection, points: np.ndarray, codes: np.ndarray, classes: np.ndarray | None = None, n_classes: int = 0
) -> dict[str, Any]:
    """The inverse transform from a flat map of codes (N, D) at points (N, 2), as `decode.js` reads it.

    A conditional network is given the class of the nearest point, out of `classes` (N,).
    """
    found = grid(projection, points, codes)
    box = {"x0": found.x0, "x1": found.x1, "y0": found.y0, "y1": found.y1, "size": len(found.distance)}
    shared = {**box, "dim": codes.shape[1], "distance": found.distance.ravel()}
    if classes is not None:
        shared |= {"classes": n_classes, "told": classes_at(found, points, classes).astype(np.int32)}
    if projection.linear:
        return shared | {"kind": "linear", **_plane(projection)}
    return shared | {"kind": "grid", "codes": found.codes.ravel()}


def _plane(projection: Projection) -> dict[str, np.ndarray]:
    """The exact inverse of a linear map: the code at (0, 0), and the change per unit along each axis."""
    origin, *ends = projection.invert(np.array([[0, 0], [1, 0], [0, 1]], np.float32))
    return {"origin": origin, "across": np.concatenate([end - origin for end in ends])}


def names_of(points: np.ndarray, values: np.ndarray | None, names: Sequence[str] | None) -> list[dict[str, Any]]:
    """Class names at the densest places of their points; none in 3-D, or if there are too many."""
    if points.shape[1] != 2 or values is None or names is None:
        return []
    groups = plots.grouped(values, names)
    if groups is None or len(np.unique(groups.numbers)) > MOST_NAMES:
        return []
    return [
        {"text": groups.name(number), "trace": plots.plain_text(groups.name(number)), **place}
        for number, place in regions_of(points, groups.numbers).items()
    ]


def regions_of(points: np.ndarray, labels: np.ndarray) -> dict[int, dict[str, Any]]:
    """The densest place of each class, x and y, and its number of points."""
    return {
        number: {"x": x, "y": y, "size": int(np.count_nonzero(labels == number))}
        for number, (x, y) in label_positions(points, labels).items()
    }


def per_tile(shape: tuple[int, ...]) -> int:
    """The number of images of shape (C, H, W) per tile."""
    return int(np.clip(TILE_PIXELS // (shape[1] * shape[2]), LEAST_ON_TILE, MOST_ON_TILE))


def tile(
    x: np.ndarray, x_hat: np.ndarray, labels: np.ndarray, mse: np.ndarray, lossless: bool = True
) -> dict[str, Any]:
    """Images and reconstructions (n, C, H, W) uint8 as two pictures, and for each its label and error."""
    columns = columns_of(len(x))
    return {
        "columns": columns,
        "labels": labels.astype(np.int32),
        "mse": mse,
        "x": picture(x, columns, lossless),
        "x_hat": picture(x_hat, columns, lossless),
    }


def picture(images: np.ndarray, columns: int, lossless: bool = True) -> bytes:
    """Images (n, C, H, W) uint8 side by side, encoded."""
    return pictures.encode_webp(pictures.mosaic(images, columns, gap=0), lossless)


def columns_of(count: int) -> int:
    """The number of images per row in a picture of `count`."""
    return int(np.ceil(np.sqrt(count)))


def downsampled(images: np.ndarray, side: int) -> np.ndarray:
    """Images (N, C, H, W) uint8 reduced to about `side` pixels by the means of whole blocks."""
    by = max(1, round(max(images.shape[2:]) / side))
    if by == 1:
        return images
    n, channels, height, width = images.shape
    cut = images[:, :, : height // by * by, : width // by * by]
    blocks = cut.reshape(n, channels, height // by, by, width // by, by)
    return np.rint(blocks.mean(axis=(3, 5), dtype=np.float32)).astype(np.uint8)
