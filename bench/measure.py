"""What every benchmark needs: the data, a folder for runs, honest clocks, medians of interleaved repeats, a table."""

import dataclasses
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeVar

import torch

from aeviz import data
from aeviz.jobs import Worker
from aeviz.models import Autoencoder
from aeviz.models.device import device_name, keep_memory
from aeviz.runs import Run
from aeviz.training.autotune import resolve
from aeviz.training.loop import Trainer

CARRIED_IMAGES = 20_000
JUDGED_ROWS = 1000
Precision = Literal["auto", "float32", "bfloat16"]
Say = Callable[[str], None]
R = TypeVar("R")


@dataclass(frozen=True)
class Setup:
    """Where and how often to measure; all sides get the same device, threads and seed."""

    device: str
    threads: int
    repeats: int
    seed: int = 0
    precision: Precision = "auto"  # aeviz's
    rival_precision: Precision = "float32"

    def described(self) -> str:
        """The machine's part of a table's title."""
        threads, repeats = counted(self.threads, "thread"), counted(self.repeats, "interleaved repeat")
        return f"medians of {repeats}; {device_name(self.device)}, {threads}"


class Result(NamedTuple):
    """One training: images per second while training, seconds in all, its precision, and the MSE per pixel at its end."""

    images_per_s: float
    seconds: float
    precision: str
    val_mse: float
    test_mse: float


class TimedTrainer(Trainer):
    """aeviz's trainer, with a clock around each epoch's steps (light metrics and status lines included)."""

    def __init__(self, *arguments: Any) -> None:
        self.epoch_seconds: list[float] = []
        super().__init__(*arguments)

    def _train_epoch(self) -> None:
        self.epoch_seconds.append(timed(super()._train_epoch, self.device))


def trainer_of(run: Run, dataset: data.Dataset) -> TimedTrainer:
    """The trainer as `aeviz train` makes it, whatever is chosen by measuring at the start included."""
    keep_memory()
    resolved = resolve(run.config())
    torch.set_num_threads(resolved.threads)
    run.write_config(run.config().model_copy(update={"resolved": resolved}))
    return TimedTrainer(run, dataset, resolved.device, Worker(run))


def result_of(
    model: Autoencoder, dataset: data.Dataset, precision: str, epoch_seconds: list[float], seconds: float
) -> Result:
    """What a training has come to; every side's network is judged by this code, in float32, outside the clock."""
    speed = len(epoch_seconds) * len(dataset.rows("train")) / sum(epoch_seconds)
    return Result(speed, seconds, precision, mse_of(model, dataset, "val"), mse_of(model, dataset, "test"))


@torch.no_grad()
def mse_of(model: Autoencoder, dataset: data.Dataset, split: Literal["val", "test"]) -> float:
    """The MSE per pixel over a split."""
    model.eval()
    device = next(model.parameters()).device
    rows, total = dataset.rows(split), 0.0
    for start in range(0, len(rows), JUDGED_ROWS):
        images = dataset.images[rows[start : start + JUDGED_ROWS]]
        x = torch.from_numpy(images).to(device).float() / 255.0
        total += float((model.decode(model.code(x)) - x).square().flatten(1).mean(1).sum())
    return total / len(rows)


def choose_data(images: int | None = None) -> data.Dataset:
    """Fashion-MNIST where AEVIZ_DATA holds it, else the carried shapes; with at most `images` training images."""
    dataset = whole_data()
    return dataset if images is None else cut(dataset, images)


def whole_data(images: int | None = None) -> data.Dataset:
    """The same, but a set that another process can load by its name: shapes where fewer images are wanted."""
    if images is None and data.DATASETS["fashion_mnist"].is_ready():
        return data.load("fashion_mnist")
    return data.load("shapes", {"count": images or CARRIED_IMAGES})


def cut(dataset: data.Dataset, images: int) -> data.Dataset:
    """The first rows of each split: at most `images` for training, a fifth of that for validation and for test."""
    most = {"train": images, "val": max(1, images // 5), "test": max(1, images // 5)}
    return dataclasses.replace(dataset, splits={name: rows[: most[name]] for name, rows in dataset.splits.items()})


@contextmanager
def temporary_runs() -> Iterator[None]:
    """Let runs land in a folder that is gone afterwards, not among the person's own."""
    before = os.environ.get("AEVIZ_RUNS")
    with tempfile.TemporaryDirectory(prefix="aeviz-bench-") as folder:
        os.environ["AEVIZ_RUNS"] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ["AEVIZ_RUNS"]
            else:
                os.environ["AEVIZ_RUNS"] = before


def counted(number: int, noun: str) -> str:
    """The number with its noun, in the plural where it is not one."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def wait_for(device: str) -> None:
    """Return once the device has done all it was given, so that a clock read now counts it."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(torch.device(device))
    elif device == "mps":
        torch.mps.synchronize()


def timed(work: Callable[[], Any], device: str) -> float:
    """Seconds the work took, until the device had done it."""
    wait_for(device)
    started = time.perf_counter()
    work()
    wait_for(device)
    return time.perf_counter() - started


def apart(work: Callable[..., R], *arguments: Any) -> R:
    """The result of work(*arguments) in a fresh process: no side meets what another has set or left in memory."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(work, *arguments).result()


def interleave(sides: Sequence[Callable[[], R]], repeats: int) -> list[list[R]]:
    """Results (repeats,) of each side, taken in turn; every other round backwards, so that none always goes first."""
    results: list[list[R]] = [[] for _ in sides]
    for repeat in range(repeats):
        numbers = range(len(sides)) if repeat % 2 == 0 else reversed(range(len(sides)))
        for number in numbers:
            results[number].append(sides[number]())
    return results


def ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """The median of the rounds' ratios: what slows a whole round, another program say, slows both its sides."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


def median_and_range(values: Sequence[float], shown: Callable[[float], str]) -> str:
    """The median, with the least and the greatest value in brackets where there is more than one."""
    middle = shown(statistics.median(values))
    return f"{middle} ({shown(min(values))} to {shown(max(values))})" if len(values) > 1 else middle
