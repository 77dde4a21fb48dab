"""Test images and codes stored with a run, so that it can be explored without its data set."""

import numpy as np
import torch
from safetensors.torch import load_file, save

from aeviz import files
from aeviz.data import Dataset
from aeviz.errors import BadFile
from aeviz.runs.run import Run

NAME = "kept.safetensors"
MOST = 2000  # images
MOST_BYTES = 32 * 2**20


def store_images(run: Run, dataset: Dataset) -> None:
    """Store up to 2,000 test images (N, C, H, W), the first of a fixed shuffle, with their labels and index."""
    rows = dataset.rows("test")
    most = min(MOST, MOST_BYTES // int(np.prod(dataset.shape)))
    rows = np.sort(np.random.default_rng(0).permutation(rows)[:most])
    tensors = {
        "images": torch.from_numpy(np.ascontiguousarray(dataset.images[rows])),
        "labels": torch.from_numpy(dataset.labels[rows].astype(np.int64)),
        "index": torch.from_numpy(rows.astype(np.int64)),
    }
    files.write_bytes(run.path / NAME, save(tensors))


def has_stored_images(run: Run) -> bool:
    """Whether images are stored with the run."""
    return (run.path / NAME).exists()


def load_stored_images(run: Run) -> Dataset | None:
    """The images stored with the run as a set of test images only, or None if there are none.

    Raises:
        BadFile: they do not match the run.
    """
    if not has_stored_images(run):
        return None
    config = run.config().data
    try:
        tensors = {name: tensor.numpy() for name, tensor in load_file(run.path / NAME).items()}
        images, labels, index = (tensors[name] for name in ("images", "labels", "index"))
        fits = images.shape == (len(labels), *config.shape) and images.dtype == np.uint8 and len(index) == len(labels)
        fits = fits and bool(((labels >= -1) & (labels < max(1, len(config.classes)))).all())
    except (KeyError, ValueError, TypeError, OSError) as error:
        raise BadFile("the images stored with {run} cannot be read: {reason}", run=run.id, reason=error) from None
    if not fits:
        raise BadFile("the images stored with {run} do not fit its network", run=run.id)
    none = np.empty(0, np.int64)
    return Dataset(
        name=config.name,
        label=config.name,
        params=config.params,
        images=images,
        labels=labels if config.classes else np.full(len(labels), -1),
        classes=config.classes,
        columns={},
        splits={"train": none, "val": none, "test": np.arange(len(labels))},
        hash=config.hash,
        kept=True,
        files=tuple(f"#{number}" for number in index),
    )
