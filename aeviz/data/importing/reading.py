"""Reading one picture from the user, robust to any content, and fitting it."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageColor, ImageOps, UnidentifiedImageError

from aeviz.data.importing.fitting import Border, Fit, Fitting, fit_picture, proposed_invert
from aeviz.errors import BadFile, BadValue

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "DIB", "GIF", "TIFF", "PPM")
MAX_PIXELS = 64_000_000
MAX_BYTES = 512 * 2**20
SHRINK = f"up to {MAX_PIXELS / 1e6:.0f} megapixels are read, so shrink it first"

# Pillow logs odd files; without a handler Python would print that to stderr.
logging.getLogger("PIL").addHandler(logging.NullHandler())


def read_image(
    content: bytes | Path, shape: tuple[int, ...], fit: Fit = "crop", background: str = "white", *, grey: bool = False
) -> np.ndarray:
    """One picture as uint8 (C, H, W); alpha and padding show the background (a colour name or #rrggbb).

    Raises:
        BadFile: the file is empty, truncated, too large or not a picture.
        BadValue: the background or the number of channels is unknown.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns about odd files but reads them
        return decode(content, shape, fit, background, grey=grey)


def read_fitted(
    content: bytes | Path, shape: tuple[int, ...], fitting: Fitting, border: Border | None = None
) -> tuple[np.ndarray, bool]:
    """One picture fitted as `fitting` says, uint8 (C, H, W), and whether it was inverted.

    `border` describes the set's images and decides `invert="auto"`; without it, auto never inverts.

    Raises:
        BadFile: the file is empty, truncated, too large or not a picture.
    """
    pixels = read_image(content, shape, fitting.fit, grey=fitting.grey)
    proposed = border is not None and proposed_invert(pixels, border)
    inverted = proposed if fitting.invert == "auto" else fitting.invert == "yes"
    return (255 - pixels if inverted else pixels), inverted


class Preview(NamedTuple):
    """A thumbnail (H, W, 3) uint8 of a file, and its original width and height."""

    picture: np.ndarray
    size: tuple[int, int]


def read_preview(content: bytes, side: int) -> Preview:
    """A thumbnail at most `side` pixels wide and high.

    Raises:
        BadFile: the file is empty, truncated, too large or not a picture.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with open_picture(content) as picture:
            small = flatten(picture, read_colour("white")).convert("RGB")
            small.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
            return Preview(np.asarray(small), picture.size)


def decode(
    content: bytes | Path, shape: tuple[int, ...], fit: Fit, background: str, *, grey: bool = False
) -> np.ndarray:
    """`read_image` for threads; the caller suppresses warnings."""
    colour = read_colour(background)
    with open_picture(content, shape) as picture:
        flat = flatten(picture, colour)
        return fit_picture(flat.convert("L") if grey else flat, shape, fit, colour)


@contextlib.contextmanager
def open_picture(content: bytes | Path, shape: tuple[int, ...] | None = None) -> Iterator[Image.Image]:
    """A picture decoded and upright, roughly as large as `shape` needs it; translates every failure into a BadFile.

    Raises:
        BadFile: the file is empty, truncated, too large or not a picture.
    """
    name = content.name if isinstance(content, Path) else "the image"
    try:
        with _open(content, name, shape) as picture:
            picture.load()
            yield ImageOps.exif_transpose(picture)
    except (BadFile, BadValue):
        raise
    except UnidentifiedImageError:
        raise _bad_file(name, "it is not a picture of a known kind (PNG, JPEG, WebP, BMP, GIF, TIFF)") from None
    except Image.DecompressionBombError:
        raise _bad_file(name, f"it has too many pixels to open; {SHRINK}") from None
    except MemoryError:
        raise _bad_file(name, f"it does not fit into memory; {SHRINK}") from None
    except Exception as error:
        # Pillow's decoders raise almost any exception on hostile bytes.
        raise _bad_file(name, _fault(error)) from error


def read_colour(background: str) -> tuple[int, int, int]:
    """A colour's red, green and blue, 0..255.

    Raises:
        BadValue: the text is not a colour.
    """
    try:
        red, green, blue = ImageColor.getrgb(background)[:3]
    except ValueError:
        raise BadValue(
            "background = {value!r} is not a colour; use white, black or #rrggbb", value=background
        ) from None
    return red, green, blue


def _bad_file(name: str, reason: str) -> BadFile:
    return BadFile("{name} cannot be read: {reason}", name=name, reason=reason)


def _open(content: bytes | Path, name: str, shape: tuple[int, ...] | None) -> Image.Image:
    """The opened picture; its size is known from the header, and nothing is decoded yet."""
    size = content.stat().st_size if isinstance(content, Path) else len(content)
    if size == 0:
        raise _bad_file(name, "it is empty; save or copy it again")
    if size > MAX_BYTES:
        raise _bad_file(name, f"it is larger than {MAX_BYTES // 2**20} MB; {SHRINK}")
    picture = Image.open(io.BytesIO(content) if isinstance(content, bytes) else content, formats=FORMATS)
    width, height = picture.size
    if width * height > MAX_PIXELS:
        megapixels = width * height / 1e6
        raise _bad_file(name, f"it has {megapixels:.0f} megapixels; {SHRINK}")
    if shape is not None and picture.format in ("JPEG", "MPO"):
        picture.draft("RGB", (4 * shape[2], 4 * shape[1]))  # decodes a large photograph at a fraction of its size
    return picture


def _fault(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, IsADirectoryError | PermissionError):
        return "it is not a readable file"
    return "it is damaged or truncated; save or copy it again"


def flatten(picture: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    """A picture of any mode as 8-bit L or RGB without alpha."""
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        return Image.fromarray(_to_bytes(np.asarray(picture)))
    if picture.has_transparency_data:
        canvas = Image.new("RGBA", picture.size, (*colour, 255))
        canvas.alpha_composite(picture.convert("RGBA"))
        return canvas.convert("RGB")
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")


def _to_bytes(values: np.ndarray) -> np.ndarray:
    """Greys of more than 8 bits (H, W) as uint8.

    16-bit values keep their scale (65535 is white), as do floats in [0, 1] and values in [0, 255]; any other range is
    stretched from its minimum to its maximum.
    """
    if values.dtype.itemsize == 2:
        return np.rint(values.view(f"{values.dtype.byteorder}u2") / 257).astype(np.uint8)
    values = np.nan_to_num(values.astype(np.float64), posinf=0, neginf=0)
    low, high = float(values.min()), float(values.max())
    if low >= 0 and values.dtype.kind == "f" and high <= 1:
        low, high = 0.0, 1.0
    elif low >= 0 and high <= 65535:
        low, high = 0.0, 255.0 if high <= 255 else 65535.0
    return np.rint((values - low) * (255 / max(high - low, 1e-12))).astype(np.uint8)
