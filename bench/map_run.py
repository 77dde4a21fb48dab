"""A run with a map of as many points as wanted, made through aeviz itself: drawing it is what remains to be timed."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from aeviz import data, jobs, results, training
from aeviz.data.folders import writable_root
from aeviz.data.importing.imports import ImportSettings
from aeviz.data.sources.own import Rows, write_own
from aeviz.results import MapRequest
from aeviz.runs import Run
from aeviz.training import Recipe
from bench.measure import temporary_runs

TRAIN, SIDE, CLASSES = 1000, 8, 10
LATENT_DIM = 8
REQUEST = MapRequest(method="pca", split="test", settings={"dims": 2})  # what the page begins with


@contextlib.contextmanager
def temporary_data() -> Iterator[Path]:
    """Let runs and sets land in a folder that is gone afterwards; gives the folder of the sets."""
    before = os.environ.get("AEVIZ_DATA")
    with tempfile.TemporaryDirectory(prefix="aeviz-bench-data-") as folder, temporary_runs():
        os.environ["AEVIZ_DATA"] = folder
        try:
            yield Path(folder)
        finally:
            if before is None:
                del os.environ["AEVIZ_DATA"]
            else:
                os.environ["AEVIZ_DATA"] = before


def make_run(points: int) -> Run:
    """A run of one epoch on a thousand images, with codes, map and its quality of so many test images kept."""
    name = _make_set(points)
    model: dict[str, Any] = {"latent_dim": LATENT_DIM, "body": {"name": "dense", "widths": [64]}}
    recipe = Recipe.parse(
        {"data": {"name": name}, "model": model, "training": {"epochs": 1, "device": "cpu", "threads": 1}}
    )
    run = training.prepare(recipe)
    with jobs.hold_job(run) as worker:
        training.work(run, worker)
    results.quality(run, REQUEST)  # codes and map first; else the page has the map judged while it is drawn
    return run


def kept_points(run: Run) -> Path:
    """The file of the run's map."""
    return next(run.results.glob("map-*.npz"))


def _make_set(points: int) -> str:
    """Images of ten classes, each a pattern of its own under noise: a thousand to train on, the others for test."""
    rng, count = np.random.default_rng(0), TRAIN + points
    labels = rng.integers(0, CLASSES, count)
    patterns = rng.integers(60, 196, (CLASSES, 1, SIDE, SIDE))
    images = np.empty((count, 1, SIDE, SIDE), np.uint8)
    for rows in np.array_split(np.arange(count), max(1, count // 50_000)):
        noise = rng.normal(0, 25, (len(rows), 1, SIDE, SIDE))
        images[rows] = np.clip(patterns[labels[rows]] + noise, 0, 255)
    rows = Rows([f"{row}.png" for row in range(count)], labels, {}, np.arange(count) >= TRAIN)
    name = f"points-{points}"
    folder = writable_root() / "own" / name
    folder.mkdir(parents=True)
    settings = ImportSettings(name=name, size=SIDE, mode="grey")
    write_own(folder, name, tuple(f"class {number}" for number in range(CLASSES)), settings, images, rows, _tell_nobody)
    assert len(data.load(name).rows("test")) == points
    return name


def _tell_nobody() -> None:
    """The report of writing, of which nobody wants to know."""
