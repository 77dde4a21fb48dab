"""Training: aeviz's own loop against its rivals and against the limit, on the same network and images."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from aeviz import training
from aeviz.data import Dataset
from aeviz.training import Recipe
from bench.limit import limit
from bench.measure import (
    Result,
    Say,
    Setup,
    apart,
    counted,
    cut,
    interleave,
    median_and_range,
    ratio,
    result_of,
    trainer_of,
    wait_for,
)
from bench.rivals import INSTALL, RIVALS, Rival
from bench.table import Table

BODIES: dict[str, dict[str, Any]] = {
    "dense": {"name": "dense", "widths": [512, 128]},
    "conv": {"name": "conv", "channels": [16, 32, 64]},
}
LIMITS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
LATENT_DIM, LEARNING_RATE = 32, 1e-3
WARM_UP_BATCHES = 8
HEADER = ("network", "batch", "loop", "precision", "images/s", "whole, s", "MSE val", "MSE test", "ratio", "of whole")


@dataclass(frozen=True)
class Comparison:
    """All sides' results (repeats,) for one network and batch size, and the limits' images per second (repeats,)."""

    body: str
    batch_size: int
    aeviz: list[Result]
    rivals: dict[str, list[Result]]
    limits: dict[str, list[float]]

    def ratio(self, rival: str) -> float:
        """How many times as many images per second aeviz trains."""
        return ratio(_speeds(self.aeviz), _speeds(self.rivals[rival]))

    def ratio_of_whole(self, rival: str) -> float:
        """How many times as long the rival takes from beginning to end."""
        return ratio(*([each.seconds for each in results] for results in (self.rivals[rival], self.aeviz)))


def train_ours(recipe: Recipe, dataset: Dataset) -> Result:
    """Train as `aeviz train` does: what is measured at the start, validation, best weights, checkpoint, preview."""
    run = training.prepare(recipe, dataset)
    started = time.perf_counter()
    trainer = trainer_of(run, dataset)
    trainer.train()
    wait_for(recipe.training.device)
    seconds = time.perf_counter() - started
    resolved = run.config().resolved
    assert resolved is not None
    return result_of(trainer.model, dataset, resolved.precision, trainer.epoch_seconds, seconds)


def train_side(side: str, recipe: Recipe, dataset: Dataset, setup: Setup) -> Result:
    """Train as one side does, after a few steps to warm up."""
    torch.set_num_threads(setup.threads)
    small = cut(dataset, WARM_UP_BATCHES * recipe.training.batch_size)
    for images in (small, dataset):
        if side == "aeviz":
            result = train_ours(recipe, images)
        else:
            result = RIVALS[side].train(recipe, images, setup.rival_precision)
    return result


def compare(
    dataset: Dataset, setup: Setup, bodies: list[str], batch_sizes: list[int], epochs: int, say: Say
) -> list[Comparison]:
    """Train every network at every batch size on every side that is here."""
    torch.set_num_threads(setup.threads)
    rivals = []
    for rival in RIVALS.values():
        if rival.is_here():
            rivals.append(rival)
        else:
            say(f"training: {rival.name} is not installed and left out; to have it: {INSTALL}")
    comparisons = []
    for body in bodies:
        for batch_size in batch_sizes:
            say(f"training: {body}, batch {batch_size}")
            comparisons.append(_compare(dataset, make_recipe(body, batch_size, epochs, setup), rivals, setup))
    return comparisons


def make_recipe(body: str, batch_size: int, epochs: int, setup: Setup) -> Recipe:
    """The settings all sides are given; precision and threads stand in it for aeviz."""
    settings = {
        "epochs": epochs,
        "batch_size": batch_size,
        "optimizer": "adam",
        "learning_rate": LEARNING_RATE,
        "device": setup.device,
        "precision": setup.precision,
        "threads": setup.threads,
    }
    model = {"variant": "autoencoder", "latent_dim": LATENT_DIM, "body": BODIES[body]}
    return Recipe.parse({"model": model, "training": settings, "seed": setup.seed})


def table(comparisons: list[Comparison], dataset: Dataset, setup: Setup, epochs: int) -> Table:
    """A row per side, network and batch size; ratios are aeviz's, above 1 where it is faster than the row's side."""
    rows: list[tuple[str, ...]] = []
    for each in comparisons:
        head = (each.body, str(each.batch_size))
        rows.append((*head, "aeviz", *_cells(each.aeviz, each.aeviz), "", ""))
        for name, results in each.rivals.items():
            ratios = f"{each.ratio(name):.2f}", f"{each.ratio_of_whole(name):.2f}"
            rows.append((*head, RIVALS[name].label, *_cells(results, each.aeviz), *ratios))
        for name, speeds in each.limits.items():
            share = f"{ratio(_speeds(each.aeviz), speeds):.2f}"
            rows.append((*head, "products alone", name, _shown(speeds), "", "", "", share, ""))
    images = len(dataset.rows("train"))
    title = f"Training: {dataset.label}, {images:,} images, {counted(epochs, 'epoch')}; {setup.described()}"
    return Table(title, HEADER, rows)


def _compare(dataset: Dataset, recipe: Recipe, rivals: list[Rival], setup: Setup) -> Comparison:
    sides = ["aeviz", *(rival.name for rival in rivals)]
    trained = [lambda side=side: apart(train_side, side, recipe, dataset, setup) for side in sides]
    limits = [lambda dtype=dtype: limit(recipe, dataset, dtype) for dtype in LIMITS.values()]
    results: list[list[Any]] = interleave([*trained, *limits], setup.repeats)
    ours, theirs, speeds = results[0], results[1 : len(sides)], results[len(sides) :]
    return Comparison(
        body=recipe.model["body"]["name"],
        batch_size=recipe.training.batch_size,
        aeviz=ours,
        rivals={rival.name: found for rival, found in zip(rivals, theirs, strict=True)},
        limits=dict(zip(LIMITS, speeds, strict=True)),
    )


def _cells(results: list[Result], ours: list[Result]) -> tuple[str, ...]:
    """Precision, images/s, seconds and errors; validation's with its difference from aeviz's in percent."""
    val, test, our_val = _median(results, "val_mse"), _median(results, "test_mse"), _median(ours, "val_mse")
    difference = "" if results is ours else f" ({100 * (val / our_val - 1):+.1f} %)"
    precision = "/".join(sorted({result.precision for result in results}))
    seconds = f"{_median(results, 'seconds'):.2f}"
    return precision, _shown(_speeds(results)), seconds, f"{val:.5f}{difference}", f"{test:.5f}"


def _speeds(results: list[Result]) -> list[float]:
    return [result.images_per_s for result in results]


def _shown(speeds: Sequence[float]) -> str:
    return median_and_range(speeds, lambda speed: f"{speed / 1000:.1f}k")


def _median(results: list[Result], name: str) -> float:
    return statistics.median(getattr(result, name) for result in results)
