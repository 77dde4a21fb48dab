"""Fitting a picture to a network's input: cropping, padding, converting to grey, inverting."""

from typing import Literal, NamedTuple

import numpy as np
from PIL import Image
from pydantic import Field

from aeviz.config import Settings
from aeviz.data.dataset import ArrayLike
from aeviz.errors import BadValue

Fit = Literal["crop", "pad"]

SAMPLED = 500  # images of a set that are sampled to measure the brightness of borders
MAX_SPREAD, MAX_SATURATION = 0.15, 0.1  # largest spread of half a drawing's border, and its largest saturation
MIN_GAIN = 0.25  # least improvement in brightness that inverts a picture


class Fitting(Settings):
    """How the user's pictures are fitted."""

    fit: Fit = Field("crop", description="Crop to the centre, or pad to show the whole picture.")
    invert: Literal["auto", "yes", "no"] = Field(
        "auto",
        description="Invert dark and bright; auto does so if a picture's border is the inverse of the set's.",
    )
    grey: bool = Field(False, description="Convert to grey.")


class Border(NamedTuple):
    """The brightness of the outermost pixels of a set's images, in [0, 1]: the mean over images, and its deviation."""

    mean: float
    deviation: float


def border_of(images: ArrayLike) -> Border:
    """The borders of images (N, C, H, W) uint8, measured on at most 500 of them, evenly spaced."""
    rows = np.unique(np.linspace(0, len(images) - 1, SAMPLED).astype(np.int64))
    brightness = _edges(np.asarray(images[rows])).mean(axis=(1, 2))
    return Border(float(brightness.mean()), float(brightness.std()))


def proposed_invert(pixels: np.ndarray, border: Border) -> bool:
    """Whether an image (C, H, W) uint8 looks like a drawing that is inverted relative to its set.

    Half of a drawing's border has the same brightness (strokes may touch the rest), and all of it is colourless.
    Inverted, it must come clearly closer to the set's borders, by more than their spread.
    """
    (edge,) = _edges(pixels[None])  # (C, P)
    brightness, width = _densest_half(edge.mean(axis=0))
    if width > MAX_SPREAD or np.ptp(edge, axis=0).mean() > MAX_SATURATION:
        return False
    gain = abs(brightness - border.mean) - abs(1 - brightness - border.mean)
    return gain > max(MIN_GAIN, 2 * border.deviation)


def _edges(images: np.ndarray) -> np.ndarray:
    """The outermost pixels (N, C, P) of images (N, C, H, W) uint8, in [0, 1]."""
    sides = [images[:, :, 0], images[:, :, -1], images[:, :, 1:-1, 0], images[:, :, 1:-1, -1]]
    return np.concatenate(sides, axis=2) / np.float32(255)


def _densest_half(values: np.ndarray) -> tuple[float, float]:
    """The centre and the width of the narrowest interval that holds half of the values (P,)."""
    ordered, half = np.sort(values), len(values) // 2
    widths = ordered[half:] - ordered[: len(values) - half]
    first = int(widths.argmin())
    return float(ordered[first : first + half + 1].mean()), float(widths[first])


def fit_picture(picture: Image.Image, shape: tuple[int, ...], fit: Fit, colour: tuple[int, int, int]) -> np.ndarray:
    """A picture of mode L or RGB as uint8 (C, H, W), cropped or padded to the shape's aspect ratio, then resized.

    Raises:
        BadValue: the shape does not have 1 or 3 channels.
    """
    channels, height, width = shape
    if channels not in (1, 3):
        raise BadValue("pictures have 1 or 3 channels, not {channels}", channels=channels)
    picture = picture.convert("L" if channels == 1 else "RGB")
    if fit == "crop":
        picture = _resize(picture.crop(_centre_box(picture.size, width / height)), (width, height))
    else:
        picture = _pad(picture, (width, height), colour)
    pixels = np.asarray(picture, dtype=np.uint8)
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)  # (H, W, C) -> (C, H, W)


def _centre_box(size: tuple[int, int], proportion: float) -> tuple[int, int, int, int]:
    """The largest centred box of an aspect ratio (width over height)."""
    width, height = size
    wide, high = min(width, max(1, round(height * proportion))), min(height, max(1, round(width / proportion)))
    left, top = (width - wide) // 2, (height - high) // 2
    return left, top, left + wide, top + high


def _resize(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _pad(picture: Image.Image, size: tuple[int, int], colour: tuple[int, int, int]) -> Image.Image:
    """The whole picture centred on a canvas; resized first, so that a narrow picture never makes a huge canvas."""
    scale = min(size[0] / picture.width, size[1] / picture.height)
    inner = (
        min(size[0], max(1, round(picture.width * scale))),
        min(size[1], max(1, round(picture.height * scale))),
    )
    canvas = Image.new("RGB", size, colour).convert(picture.mode)
    small = _resize(picture, inner)
    canvas.paste(small, ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2))
    return canvas
