"""Streaming: a set read from its memory-mapped file while training, against the same set resident on the device."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
import torch

from aeviz import training
from aeviz.data import Dataset
from aeviz.data.splits import hold_out, make_splits
from aeviz.training.batches import feed
from bench.measure import Say, Setup, counted, cut, interleave, median_and_range, ratio, temporary_runs, trainer_of
from bench.table import Table
from bench.training import make_recipe

SIDE, BLOB = 64, 8
CHUNK = 4096
BATCH_SIZE = 128
WARM_UP_IMAGES = 4096
AIM = 0.70
BODIES = ("dense", "conv")
RESIDENT, STREAMED, COLD = "resident", "streamed", "streamed, file not in memory"


@contextmanager
def written_blobs(images: int, seed: int) -> Iterator[Path]:
    """A file of blobs under noise (images, 1, 64, 64) uint8, as an own set is kept, gone afterwards."""
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory(prefix="aeviz-bench-") as folder:
        path = Path(folder) / "images.npy"
        array = np.lib.format.open_memmap(path, "w+", np.uint8, (images, 1, SIDE, SIDE))
        for start in range(0, images, CHUNK):
            n = len(array[start : start + CHUNK])
            blobs = rng.integers(0, 192, (n, 1, BLOB, BLOB), np.uint8).repeat(SIDE // BLOB, 2).repeat(SIDE // BLOB, 3)
            array[start : start + n] = blobs + rng.integers(0, 64, blobs.shape, np.uint8)
        array.flush()
        del array
        yield path


def mapped(path: Path) -> Dataset:
    """The file as a data set of its own mapping."""
    images = np.load(path, mmap_mode="r", allow_pickle=False)
    train, test = hold_out("blobs", len(images))
    return Dataset(
        name="blobs", label="Blobs 64 x 64", params={}, images=images, labels=np.full(len(images), -1), classes=(),
        columns={}, splits=make_splits("blobs", len(train), len(test)), hash="blobs", own=True,
    )  # fmt: skip


def train_speed(path: Path, body: str, epochs: int, setup: Setup, way: str) -> float:
    """Images per second over the training steps, the set held or streamed."""
    if way == COLD:
        _let_go(path)
    share = feed.SHARE if way == RESIDENT else 0.0
    recipe = make_recipe(body, BATCH_SIZE, epochs, setup)
    with mock.patch.object(feed, "SHARE", share):
        dataset = mapped(path)
        trainer = trainer_of(training.prepare(recipe, dataset), dataset)
        trainer.train()
    return len(trainer.epoch_seconds) * len(dataset.rows("train")) / sum(trainer.epoch_seconds)


def compare(images: int, setup: Setup, epochs: int, say: Say) -> dict[str, dict[str, list[float]]]:
    """Images per second (repeats,) of every network and way."""
    torch.set_num_threads(setup.threads)
    ways = [RESIDENT, STREAMED, *([COLD] if hasattr(os, "posix_fadvise") else [])]
    found = {}
    say(f"streaming: writing {images:,} images")
    with written_blobs(images, setup.seed) as path, temporary_runs():
        for body in BODIES:
            say(f"streaming: {body}")
            _warm_up(path, body, setup)
            sides = [lambda body=body, way=way: train_speed(path, body, epochs, setup, way) for way in ways]
            found[body] = dict(zip(ways, interleave(sides, setup.repeats), strict=True))
    return found


def table(found: dict[str, dict[str, list[float]]], images: int, setup: Setup, epochs: int) -> Table:
    """A row per network and way; the ratio is of images per second, to the resident way."""
    rows = []
    for body, ways in found.items():
        for way, speeds in ways.items():
            shown = median_and_range(speeds, lambda speed: f"{speed / 1000:.1f}k")
            rows.append((body, way, shown, f"{ratio(speeds, ways[RESIDENT]):.2f}"))
    title = (
        f"Streaming: {images:,} images of {SIDE} x {SIDE}, batch {BATCH_SIZE}, {counted(epochs, 'epoch')}, "
        f"precision {setup.precision}; aims at {AIM:.2f}; {setup.described()}"
    )
    return Table(title, ("network", "images", "images/s", "ratio"), rows)


def _warm_up(path: Path, body: str, setup: Setup) -> None:
    dataset = cut(mapped(path), WARM_UP_IMAGES)
    trainer_of(training.prepare(make_recipe(body, BATCH_SIZE, 1, setup), dataset), dataset).train()


def _let_go(path: Path) -> None:
    """Ask the system to forget what it holds of the file."""
    with open(path, "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
