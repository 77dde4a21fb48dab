"""Images from numpy arrays: .npy and .npz files, never unpickled."""

import contextlib
import math
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aeviz import files
from aeviz.data.importing.entries import clean_text, open_zip
from aeviz.errors import BadFile

SUFFIXES = (".npy", ".npz")
IMAGE_NAMES = ("x_train", "train_images", "images", "x", "data", "arr_0")
LABEL_NAMES = ("y_train", "train_labels", "labels", "y", "targets", "target", "label")
TEST_IMAGE_NAMES = ("x_test", "test_images")
TEST_LABEL_NAMES = ("y_test", "test_labels")
MAX_ARRAY_BYTES = 8 * 2**30
CHANNELS = (1, 3, 4)
SCANNED_ROWS = 1024


@dataclass(frozen=True)
class ArrayPart:
    """Images (N, H, W, C) of any numeric type, and their labels (N,) as text if known."""

    name: str
    images: np.ndarray
    labels: list[str] | None
    is_test: bool


def are_arrays(sources: list[Path]) -> bool:
    """Whether all sources are array files."""
    return all(source.is_file() and source.suffix.lower() in SUFFIXES for source in sources)


def read_arrays(sources: list[Path]) -> tuple[list[ArrayPart], float]:
    """The images in array files, and the factor that scales their values to 255.

    A file with one array is that array; of several, arrays are recognised by Keras' names (x_train, y_train, x_test,
    y_test) or as images and labels. Accepts uint8, bool, uint16 (65535 is white), floats in [0, 1], and numbers in
    [0, 255].

    Raises:
        BadFile: a file holds no images in a known form.
        BadArchive: an .npz looks like a zip bomb.
    """
    arrays: dict[str, np.ndarray] = {}
    for source in sources:
        arrays |= _load(source)
    train = _part(arrays, IMAGE_NAMES, LABEL_NAMES, is_test=False) or _only(arrays)
    test = _part(arrays, TEST_IMAGE_NAMES, TEST_LABEL_NAMES, is_test=True)
    parts = [train] if test is None else [train, test]
    return parts, _scale([part.images for part in parts])


def to_bytes(values: np.ndarray, scale: float) -> np.ndarray:
    """One image (H, W, C) as uint8."""
    return values if values.dtype == np.uint8 else np.rint(values * np.float64(scale)).astype(np.uint8)


def _load(path: Path) -> dict[str, np.ndarray]:
    try:
        if path.suffix.lower() == ".npy":
            return {path.stem.lower(): np.load(path, mmap_mode="r", allow_pickle=False)}
        with open_zip(path) as archive:
            files.check_zip(archive, MAX_ARRAY_BYTES)
        with _opened(path) as bundle:
            return {name.lower(): bundle[name] for name in bundle.files}
    except (
        ValueError,
        EOFError,
        OSError,
        MemoryError,
        KeyError,
        TypeError,
        SyntaxError,
        zipfile.BadZipFile,
        zlib.error,
    ):
        raise BadFile(
            "{name} cannot be read as arrays: it must hold plain numbers (no Python objects) and be complete",
            name=path.name,
        ) from None


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[np.lib.npyio.NpzFile]:
    with np.load(path, allow_pickle=False) as bundle:
        yield bundle


def _only(arrays: dict[str, np.ndarray]) -> ArrayPart:
    """The only array of images, whatever its name."""
    known = TEST_IMAGE_NAMES + TEST_LABEL_NAMES + LABEL_NAMES
    candidates = [name for name, array in arrays.items() if array.ndim in (3, 4) and name not in known]
    if len(candidates) != 1:
        raise BadFile(
            "it is not clear which array holds the images (there are: {names}); call it images, or x_train and x_test",
            names=", ".join(f"{name} {array.shape}" for name, array in arrays.items()) or "none",
        )
    part = _part(arrays, tuple(candidates), LABEL_NAMES, is_test=False)
    assert part is not None
    return part


def _part(
    arrays: dict[str, np.ndarray], image_names: tuple[str, ...], label_names: tuple[str, ...], is_test: bool
) -> ArrayPart | None:
    name = next((name for name in image_names if name in arrays and arrays[name].ndim >= 3), None)
    if name is None:
        return None
    images = _channels_last(name, arrays[name])
    labels = next((arrays[key] for key in label_names if key in arrays), None)
    return ArrayPart(name, images, None if labels is None else _label_texts(labels, len(images)), is_test)


def _channels_last(name: str, array: np.ndarray) -> np.ndarray:
    """A view as (N, H, W, C) of (N, H, W), (N, H, W, C) or (N, C, H, W), where C is 1, 3 or 4."""
    if array.ndim == 3 and array.size:
        return array[..., None]
    if array.ndim == 4 and array.size:
        is_last, is_first = array.shape[3] in CHANNELS, array.shape[1] in CHANNELS
        if is_first and (not is_last or array.shape[2] == array.shape[3]):
            return array.transpose(0, 2, 3, 1)
        if is_last:
            return array
    raise BadFile(
        "the array {name} has the shape {shape}; images come as (N, H, W), (N, H, W, C) or (N, C, H, W), "
        "where C is 1, 3 or 4",
        name=name,
        shape=array.shape,
    )


def _label_texts(labels: np.ndarray, n: int) -> list[str]:
    if labels.size != n or labels.dtype.kind not in "iubfUS":
        raise BadFile(
            "there are {labels} labels for {n} images; give one number or text for each", labels=labels.size, n=n
        )
    flat = labels.reshape(-1)  # Keras stores (N, 1)
    if flat.dtype.kind == "f":
        return [_float_label(value) for value in flat.tolist()]
    if flat.dtype.kind == "S":
        return [clean_text(text.decode(errors="replace")) for text in flat.tolist()]
    return [clean_text(str(value)) for value in flat.tolist()]


def _float_label(value: float) -> str:
    """A class number stored as a float; NaN means no label."""
    if not math.isfinite(value):
        return ""
    return str(int(value)) if value == int(value) else str(value)


def _scale(parts: list[np.ndarray]) -> float:
    """The factor that scales all values to 255, inferred from their type and range."""
    kinds = {part.dtype for part in parts}
    if len(kinds) > 1:
        raise BadFile(
            "the training and the test images are of different types ({kinds}); store both as one",
            kinds=", ".join(sorted(str(kind) for kind in kinds)),
        )
    kind = kinds.pop()
    if kind == np.uint8:
        return 1.0
    if kind == np.bool_:
        return 255.0
    if kind == np.uint16:
        return 1 / 257
    if kind.kind not in "iuf":
        raise BadFile("arrays of {dtype} hold no images; use uint8, or floats in [0, 1]", dtype=kind)
    low, high = _range(parts)
    if not (low >= 0 and high <= 255):
        raise BadFile(
            "the array's values run from {low:g} to {high:g}; floats in [0, 1] or numbers in [0, 255] are accepted, "
            "without NaN",
            low=low,
            high=high,
        )
    return 255.0 if kind.kind == "f" and high <= 1 else 1.0


def _range(parts: list[np.ndarray]) -> tuple[float, float]:
    """The minimum and the maximum; NaN if any value is NaN."""
    lows, highs = [], []
    for part in parts:
        for start in range(0, len(part), SCANNED_ROWS):
            lows.append(float(part[start : start + SCANNED_ROWS].min()))
            highs.append(float(part[start : start + SCANNED_ROWS].max()))
    return float(np.min(lows)), float(np.max(highs))
