"""Pictures composed of images: mosaics with hard pixel edges, error maps, and their encoding."""

import io
from collections.abc import Sequence
from typing import Literal

import numpy as np
from PIL import Image

Colour = tuple[int, int, int]

GAP_COLOUR: Colour = (128, 128, 128)
# Nine even steps of matplotlib's perceptually uniform "magma" (CC0); the first is changed to pure black.
MAGMA = np.array(
    [
        *([0, 0, 0], [28, 16, 68], [79, 18, 123], [129, 37, 129], [181, 54, 122]),
        *([229, 80, 100], [251, 135, 97], [254, 194, 135], [252, 253, 191]),
    ],
    dtype=np.float32,
)


def to_unit(images: np.ndarray) -> np.ndarray:
    """Pixels 0..255 as float32 in [0, 1]."""
    return np.asarray(images).astype(np.float32) / np.float32(255)


def to_pixels(images: np.ndarray) -> np.ndarray:
    """Values in [0, 1] as pixels 0..255; NaN becomes black, values outside are clipped."""
    unit = np.clip(np.nan_to_num(np.asarray(images, dtype=np.float32), nan=0.0), 0, 1)
    return np.rint(unit * 255).astype(np.uint8)


def mosaic(
    images: np.ndarray, columns: int, scale: int = 1, gap: int = 1, gap_colour: Colour = GAP_COLOUR
) -> np.ndarray:
    """Images (N, C, H, W) uint8 side by side as one picture (H', W', 3), enlarged with hard edges.

    The gap (in final pixels) separates images; empty cells have its colour.
    """
    n, _, height, width = images.shape
    lines = max(1, -(-n // columns))
    high, wide = height * scale, width * scale
    picture = np.empty((lines * (high + gap) - gap, columns * (wide + gap) - gap, 3), np.uint8)
    picture[:] = gap_colour
    for place in range(n):
        top, left = (place // columns) * (high + gap), (place % columns) * (wide + gap)
        image = np.asarray(images[place]).transpose(1, 2, 0)  # (C, H, W) -> (H, W, C), and (H, W, 1) fills all three
        picture[top : top + high, left : left + wide] = image.repeat(scale, axis=0).repeat(scale, axis=1)
    return picture


def originals_over_reconstructions(
    x: np.ndarray,
    x_hat: np.ndarray,
    columns: int = 10,
    scale: int = 1,
    gap: int = 1,
    gap_colour: Colour = GAP_COLOUR,
) -> np.ndarray:
    """Blocks of two rows, originals (N, C, H, W) above their reconstructions, as one picture (H', W', 3)."""
    columns = max(1, min(columns, len(x)))
    parts: list[np.ndarray] = []
    for start in range(0, max(1, len(x)), columns):
        above, below = (
            mosaic(images[start : start + columns], columns, scale, gap, gap_colour) for images in (x, x_hat)
        )
        line = np.full((gap, above.shape[1], 3), gap_colour, np.uint8)
        parts += [above, line, below, line.repeat(4, axis=0)]  # blocks are further apart than the rows within one
    return np.concatenate(parts[:-1])


def encode_png(picture: np.ndarray) -> bytes:
    """A picture (H, W, 3) or (H, W) uint8 as PNG."""
    return _encode(picture, "PNG", compress_level=3)


def encode_webp(picture: np.ndarray, lossless: bool = True) -> bytes:
    """A picture (H, W, 3) or (H, W) uint8 as WebP."""
    return _encode(picture, "WEBP", lossless=lossless, quality=40 if lossless else 85, method=1)


def encode_mosaic(
    images: np.ndarray,
    columns: int,
    scale: int = 1,
    gap: int = 1,
    gap_colour: Colour = GAP_COLOUR,
    format: Literal["png", "webp"] = "webp",
) -> bytes:
    """A mosaic of images (N, C, H, W), encoded without loss."""
    picture = mosaic(images, columns, scale, gap, gap_colour)
    return encode_png(picture) if format == "png" else encode_webp(picture)


def error_map(x: np.ndarray, x_hat: np.ndarray, maximum: float = 1.0) -> np.ndarray:
    """Absolute reconstruction error as uint8 colours (N, 3, H, W), from black (equal) to bright.

    The error is averaged over channels. Floats are taken as [0, 1], bytes are scaled to it; `maximum` is the error at
    the end of the scale.
    """
    error = np.nan_to_num(np.abs(_unit(x) - _unit(x_hat)).mean(axis=1), nan=maximum)  # (N, C, H, W) -> (N, H, W)
    return _coloured(np.clip(error / maximum, 0, 1), MAGMA)


def signed_error_map(x: np.ndarray, x_hat: np.ndarray, colours: Sequence[str]) -> tuple[np.ndarray, float]:
    """Reconstruction minus original as uint8 colours (N, 3, H, W), and the error at either end of the scale.

    The error is averaged over channels; `colours` (#rrggbb) are evenly spaced, the middle one meaning no error.
    """
    error = np.nan_to_num((_unit(x_hat) - _unit(x)).mean(axis=1))  # (N, C, H, W) -> (N, H, W)
    most = float(np.abs(error).max(initial=0.0))
    steps = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in colours], np.float32)
    return _coloured(0.5 + error / (2 * most or 1), steps), most


def _coloured(places: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Values (N, H, W) in [0, 1] on an evenly spaced colour scale (S, 3), as uint8 (N, 3, H, W)."""
    place = places * (len(steps) - 1)
    low = np.minimum(place.astype(np.int64), len(steps) - 2)
    part = (place - low)[..., None].astype(np.float32)
    colours = steps[low] * (1 - part) + steps[low + 1] * part  # (N, H, W, 3)
    return np.rint(colours).astype(np.uint8).transpose(0, 3, 1, 2)


def _unit(images: np.ndarray) -> np.ndarray:
    images = np.asarray(images)
    return to_unit(images) if images.dtype == np.uint8 else images.astype(np.float32)


def _encode(picture: np.ndarray, kind: str, **settings: int) -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(content, kind, **settings)
    return content.getvalue()
