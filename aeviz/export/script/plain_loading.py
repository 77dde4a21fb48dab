"""Loading each data set, in plain functions whose source is copied into exported scripts.

All return images (N, C, H, W) uint8, labels (N,), and the number of training images, which come first.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from aeviz.data.importing.entries import natural_key
from aeviz.data.importing.layout import PICTURE_SUFFIXES
from aeviz.data.sources.carried import PATCH, PER_TILE, crop_places
from aeviz.data.sources.shapes import BATCH, draw_factors, draw_images
from aeviz.data.splits import TEST_SHARE, hold_out

Loaded = tuple[np.ndarray, np.ndarray, int]


def digits() -> Loaded:
    """Handwritten digits of 8 x 8 pixels, from scikit-learn; a fifth is held out for testing."""
    from sklearn.datasets import load_digits

    bundle = load_digits()
    train, test = hold_out("digits", len(bundle.target))
    order = np.concatenate([train, test])
    images = np.rint(bundle.images[order] * 255 / 16).astype(np.uint8)[:, None]
    return images, bundle.target[order], len(train)


def photo_patches() -> Loaded:
    """Crops of two photographs from scikit-learn; the crops of one tile stay together."""
    from sklearn.datasets import load_sample_images

    photos = np.stack(load_sample_images().images)
    places = crop_places(len(photos))
    train, test = hold_out("photo_patches", len(places))
    by_crop = [places[tiles].swapaxes(0, 1).reshape(-1, 3) for tiles in (train, test)]
    photo, top, left = np.concatenate(by_crop).T
    windows = np.lib.stride_tricks.sliding_window_view(photos, (PATCH, PATCH), axis=(1, 2))
    return np.ascontiguousarray(windows[photo, top, left]), photo, len(train) * PER_TILE


def shapes(count: int, size: int, channels: int, seed: int) -> Loaded:
    """Squares, ellipses, hearts and triangles, drawn."""
    rows = np.arange(count)
    parts = [draw_images(rows[start : start + BATCH], size, channels, seed) for start in range(0, count, BATCH)]
    return np.concatenate(parts), draw_factors(seed, rows)["shape"], count - max(1, round(TEST_SHARE * count))


def mnist_format(name: str) -> Loaded:
    """One of torchvision's sets in MNIST's format."""
    from torchvision import datasets

    parts: list[Any] = [getattr(datasets, name)("data", train=part, download=True) for part in (True, False)]
    images = np.concatenate([part.data.numpy() for part in parts])[:, None]  # (N, H, W) -> (N, 1, H, W)
    return images, np.concatenate([part.targets.numpy() for part in parts]), len(parts[0])


def cifar10() -> Loaded:
    """Colour photographs in ten classes."""
    from torchvision.datasets import CIFAR10

    parts = [CIFAR10("data", train=part, download=True) for part in (True, False)]
    images = np.concatenate([part.data for part in parts]).transpose(0, 3, 1, 2)  # (N, H, W, C) -> (N, C, H, W)
    return np.ascontiguousarray(images), np.concatenate([part.targets for part in parts]), len(parts[0])


def svhn() -> Loaded:
    """House numbers from street views."""
    from torchvision.datasets import SVHN

    parts = [SVHN("data", split=part, download=True) for part in ("train", "test")]
    return np.concatenate([part.data for part in parts]), np.concatenate([part.labels for part in parts]), len(parts[0])


def named_folder() -> Path:
    """The folder given on the command line."""
    if len(sys.argv) != 2:
        sys.exit(f"Give the folder of the images: python {sys.argv[0]} FOLDER")
    return Path(sys.argv[1])


def folder_of_images(folder: Path, name: str, channels: int, height: int, width: int) -> Loaded:
    """Pictures below a folder, cropped to the centre and resized; the first folder on a picture's path is its class."""
    from PIL import Image, ImageOps

    found = [path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES]
    found.sort(key=lambda path: natural_key(path.as_posix()))
    classes = sorted({path.parts[0] for path in found if len(path.parts) > 1}, key=natural_key)
    train, test = hold_out(name, len(found))
    images = np.empty((len(found), channels, height, width), np.uint8)
    labels = np.full(len(found), -1)
    for place, row in enumerate([*train, *test]):
        with Image.open(folder / found[row]) as picture:
            upright = ImageOps.exif_transpose(picture).convert("RGBA")
        on_white = Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright)
        whole = on_white.convert("L" if channels == 1 else "RGB")
        pixels = np.asarray(ImageOps.fit(whole, (width, height), Image.Resampling.LANCZOS))
        images[place] = pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)
        if len(found[row].parts) > 1:
            labels[place] = classes.index(found[row].parts[0])
    return images, labels, len(train)
