"""Training: aeviz's own loop against the tutorial's, torchvision dataset + DataLoader + Adam, on the same network."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn, optim
from torch.utils.data import DataLoader

from aeviz import training
from aeviz.data import Dataset
from aeviz.jobs import Worker
from aeviz.models import Autoencoder, build
from aeviz.training import Recipe
from aeviz.training.evaluate import evaluate
from aeviz.training.feed import Feed
from aeviz.training.loop import Trainer
from bench.measure import Setup, Table, counted, cut, interleave, median_and_range, ratio, wait_for

BODIES: dict[str, dict[str, Any]] = {
    "dense": {"name": "dense", "widths": [512, 128]},
    "conv": {"name": "conv", "channels": [16, 32, 64]},
}
LATENT_DIM, LEARNING_RATE = 32, 1e-3
WARM_UP_BATCHES = 8
LOG_EVERY = 100  # batches, as in PyTorch's quickstart

Say = Callable[[str], None]


class Result(NamedTuple):
    """One training: images per second while training, seconds in all, and the MSE per pixel it ended with."""

    images_per_s: float
    seconds: float
    val_mse: float
    test_mse: float


@dataclass(frozen=True)
class Comparison:
    """Both sides' results (repeats,) for one network and batch size."""

    body: str
    batch_size: int
    aeviz: list[Result]
    tutorial: list[Result]

    def ratio(self) -> float:
        """How many times as many images per second aeviz trains."""
        return ratio([each.images_per_s for each in self.aeviz], [each.images_per_s for each in self.tutorial])


class TimedTrainer(Trainer):
    """aeviz's trainer, with a clock around each epoch's steps (light metrics and status lines included)."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.epoch_seconds: list[float] = []

    def _train_epoch(self) -> None:
        self.epoch_seconds.append(_timed(super()._train_epoch, self.device))


def train_ours(recipe: Recipe, dataset: Dataset) -> Result:
    """Train as `aeviz train` does: validation, best weights, checkpoint, preview and all."""
    run = training.prepare(recipe, dataset)
    device = recipe.training.device
    started = time.perf_counter()
    trainer = TimedTrainer(run, dataset, device, Worker(run))
    trainer.train()
    wait_for(device)
    return _result(trainer.model, dataset, device, trainer.epoch_seconds, time.perf_counter() - started)


def train_tutorial(recipe: Recipe, dataset: Dataset) -> Result:
    """Train as PyTorch's quickstart does: batches from a DataLoader, forward, backward, step; validation each epoch.

    https://docs.pytorch.org/tutorials/beginner/basics/quickstart_tutorial.html
    """
    settings, device = recipe.training, recipe.training.device
    train, val = in_torchvision(dataset, "train"), in_torchvision(dataset, "val")
    epoch_seconds: list[float] = []
    started = time.perf_counter()
    torch.manual_seed(recipe.seed)
    model = build(training.start.fitted_model(recipe, dataset.shape), settings.loss).to(device)
    optimizer = optim.Adam(model.parameters(), lr=settings.learning_rate)
    batches = DataLoader(train, batch_size=settings.batch_size, shuffle=True)
    val_batches = DataLoader(val, batch_size=settings.batch_size)
    for _ in range(settings.epochs):
        epoch_seconds.append(_timed(lambda: _tutorial_epoch(model, optimizer, batches, device), device))
        _tutorial_test(model, val_batches, device)
    wait_for(device)
    return _result(model, dataset, device, epoch_seconds, time.perf_counter() - started)


def in_torchvision(dataset: Dataset, split: Any) -> Any:
    """The split as torchvision's FashionMNIST with ToTensor, whose item code is used as it is; one channel only."""
    from torchvision.datasets import FashionMNIST, VisionDataset
    from torchvision.transforms import ToTensor

    class InHand(FashionMNIST):
        """Holds the given rows instead of reading files, so that both sides see the same images of any set."""

        def __init__(self) -> None:
            VisionDataset.__init__(self, root="", transform=ToTensor())
            rows = dataset.rows(split)
            self.data = torch.from_numpy(dataset.images[rows][:, 0])  # (N, 1, H, W) -> (N, H, W)
            self.targets = torch.from_numpy(dataset.labels[rows])

    return InHand()


def compare(
    dataset: Dataset, setup: Setup, bodies: list[str], batch_sizes: list[int], epochs: int, say: Say
) -> list[Comparison]:
    """Train every network at every batch size on both sides."""
    torch.set_num_threads(setup.threads)
    comparisons = []
    for body in bodies:
        for batch_size in batch_sizes:
            say(f"training: {body}, batch {batch_size}")
            recipe = make_recipe(body, batch_size, epochs, setup)
            small = cut(dataset, WARM_UP_BATCHES * batch_size)
            for train in (train_ours, train_tutorial):
                train(recipe, small)
            sides = [lambda r=recipe: train_ours(r, dataset), lambda r=recipe: train_tutorial(r, dataset)]
            comparisons.append(Comparison(body, batch_size, *interleave(sides, setup.repeats)))
    return comparisons


def make_recipe(body: str, batch_size: int, epochs: int, setup: Setup) -> Recipe:
    """The settings both sides are given."""
    settings = {
        "epochs": epochs,
        "batch_size": batch_size,
        "optimizer": "adam",
        "learning_rate": LEARNING_RATE,
        "device": setup.device,
    }
    model = {"variant": "autoencoder", "latent_dim": LATENT_DIM, "body": BODIES[body]}
    return Recipe.parse({"model": model, "training": settings, "seed": setup.seed})


def table(comparisons: list[Comparison], dataset: Dataset, setup: Setup, epochs: int) -> Table:
    """Two rows per network and batch size; the ratio is of images per second, above 1 where aeviz is faster."""
    rows = []
    for comparison in comparisons:
        head = (comparison.body, str(comparison.batch_size))
        rows.append((*head, "aeviz", *_cells(comparison.aeviz), f"{comparison.ratio():.2f}"))
        rows.append((*head, "tutorial", *_cells(comparison.tutorial), "1.00"))
    images = len(dataset.rows("train"))
    title = f"Training: {dataset.label}, {images:,} images, {counted(epochs, 'epoch')}, float32; {setup.described()}"
    header = ("network", "batch", "loop", "images/s", "whole, s", "MSE val", "MSE test", "ratio")
    return Table(title, header, rows)


def _tutorial_epoch(model: Autoencoder, optimizer: optim.Optimizer, batches: DataLoader, device: str) -> None:
    model.train()
    for number, (x, _) in enumerate(batches):
        x = x.to(device)
        optimizer.zero_grad()
        loss = _tutorial_loss(model, x)
        loss.backward()
        optimizer.step()
        if number % LOG_EVERY == 0:
            loss.item()


@torch.no_grad()
def _tutorial_test(model: Autoencoder, batches: DataLoader, device: str) -> float:
    model.eval()
    return sum(_tutorial_loss(model, x.to(device)).item() for x, _ in batches) / len(batches)


def _tutorial_loss(model: Autoencoder, x: Tensor) -> Tensor:
    # Summed over pixels as in aeviz: Adam's epsilon makes the scale matter a little.
    return nn.functional.mse_loss(model.decode(model.code(x)), x, reduction="sum") / len(x)


def _timed(work: Callable[[], None], device: str) -> float:
    wait_for(device)
    started = time.perf_counter()
    work()
    wait_for(device)
    return time.perf_counter() - started


def _result(model: Autoencoder, dataset: Dataset, device: str, epoch_seconds: list[float], seconds: float) -> Result:
    """Both sides' networks are judged by the same code, outside the clock."""
    speed = len(epoch_seconds) * len(dataset.rows("train")) / sum(epoch_seconds)
    errors = (evaluate(model, Feed(dataset, split, device))["mse"] for split in ("val", "test"))
    return Result(speed, seconds, *errors)


def _cells(results: list[Result]) -> tuple[str, ...]:
    speeds = median_and_range([result.images_per_s for result in results], lambda speed: f"{speed / 1000:.1f}k")
    seconds = f"{_median(results, 'seconds'):.2f}"
    return speeds, seconds, *(f"{_median(results, name):.5f}" for name in ("val_mse", "test_mse"))


def _median(results: list[Result], name: str) -> float:
    return statistics.median(getattr(result, name) for result in results)
