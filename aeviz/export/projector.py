"""Codes, labels and thumbnails in the format of TensorBoard's projector."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from aeviz import results
from aeviz.data import Dataset, pictures
from aeviz.export.base import write_members
from aeviz.export.text import cell, readable
from aeviz.results import Codes
from aeviz.results.store import Report
from aeviz.runs import Run

MOST_POINTS = 10_000  # as many as its t-SNE uses; it shows up to 100,000
MOST_PIXELS = 8192  # along one side of the sprite, which must fit into a texture
CONFIG = """embeddings {{
  tensor_name: "codes"
  tensor_path: "vectors.tsv"
  metadata_path: "metadata.tsv"
  sprite {{
    image_path: "sprite.png"
    single_image_dim: {side}
    single_image_dim: {side}
  }}
}}
"""
README = """{title}: codes of {n:,} test images ({d} numbers each).

Unpacked in a folder: tensorboard --logdir FOLDER, and choose Projector.
Without TensorBoard: https://projector.tensorflow.org, Load, vectors.tsv and metadata.tsv; it shows no thumbnails.
"""


def write_projector(run: Run, out: Path, report: Report) -> str:
    """Write vectors, metadata, sprite and settings for test images, as a zip or a folder.

    Raises:
        MissingData: the images are not present.
    """
    dataset, coded = results.dataset_of(run), results.codes(run, "test", report)
    chosen = coded.first(MOST_POINTS)
    report(0, 0, "Drawing thumbnails")
    sprite, side = sprite_of(dataset, chosen.index)
    members: dict[str, bytes | str] = {
        "vectors.tsv": vectors(chosen.z),
        "metadata.tsv": metadata(dataset, chosen),
        "projector_config.pbtxt": CONFIG.format(side=side),
        "README.txt": README.format(title=readable(run.title()), n=len(chosen.z), d=chosen.z.shape[1]),
        "sprite.png": sprite,
    }
    write_members(out, members)
    whole = len(chosen.z) == len(coded.z)
    shown = f"all {len(coded.z):,}" if whole else f"{len(chosen.z):,} of the {len(coded.z):,}"
    return f"It holds {shown} test images, thumbnails of {side} x {side}."


def vectors(codes: np.ndarray) -> str:
    """Codes (N, D) as tab-separated lines."""
    return "".join("\t".join(f"{value:.6g}" for value in code) + "\n" for code in codes.tolist())


def metadata(dataset: Dataset, coded: Codes) -> str:
    """Number, label and file of each image as TSV; no header for a single column, where it would be read as data."""
    columns: dict[str, list[str]] = {"index": [str(row) for row in coded.index]}
    if dataset.classes:
        columns["label"] = [cell(dataset.classes[label]) if label >= 0 else "no label" for label in coded.labels]
    if dataset.files is not None:
        columns["file"] = [cell(dataset.files[row]) for row in coded.index]
    lines = list(zip(*columns.values(), strict=True))
    return "".join("\t".join(line) + "\n" for line in ([tuple(columns)] if len(columns) > 1 else []) + lines)


def sprite_of(dataset: Dataset, rows: np.ndarray) -> tuple[bytes, int]:
    """Thumbnails of rows (N,) as one PNG, and their side in pixels.

    The sheet is filled up to a square: the projector finds a thumbnail by the number of rows, where one would expect the
    number of columns. Thumbnails are squares as well, with black margins, since it draws them so.
    """
    columns = int(np.ceil(np.sqrt(len(rows))))
    side = max(1, min(max(dataset.shape[1:]), MOST_PIXELS // columns))
    sheet = np.zeros((columns * columns, dataset.shape[0], side, side), np.uint8)
    for place, image in enumerate(np.asarray(dataset.images[rows])):
        image = _fitted(image, side)
        top, left = ((side - length) // 2 for length in image.shape[1:])
        sheet[place, :, top : top + image.shape[1], left : left + image.shape[2]] = image
    content = io.BytesIO()
    Image.fromarray(pictures.mosaic(sheet, columns, gap=0)).save(content, "PNG")
    return content.getvalue(), side


def _fitted(image: np.ndarray, side: int) -> np.ndarray:
    """An image (C, H, W), made smaller if needed so that neither side is longer than `side`."""
    _, height, width = image.shape
    scale = side / max(height, width)
    return image if scale >= 1 else _resized(image, (max(1, int(width * scale)), max(1, int(height * scale))))


def _resized(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """An image (C, H, W) resized to (width, height)."""
    planes = [Image.fromarray(plane).resize(size, Image.Resampling.BOX) for plane in image]
    return np.stack([np.asarray(plane) for plane in planes])
