"""Memory: how often a training holds its data, in a process of its own so that nothing else is counted."""

import contextlib
import ctypes
import gc
import json
import subprocess
import sys

import psutil
import torch

from aeviz import data, training
from aeviz.training import Recipe
from bench.measure import Setup, choose_data, temporary_runs, trainer_of, whole_data
from bench.table import Table

AIM = 1.5
SMALL = {"name": "dense", "widths": [32]}  # so that the data are what is counted
WARM_UP_IMAGES = 12_000  # enough for whole batches, in training as in validation
KINDS = ("images as uint8", "host, before training", "host, after training", "device")


def measure(setup: Setup, images: int | None = None) -> dict[str, float]:
    """Bytes by kind, of a training of the given size, in a fresh process."""
    line = [sys.executable, "-m", "bench.memory", setup.device, str(images or 0)]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def table(found: dict[str, float], setup: Setup) -> Table:
    """A row per kind; times is of the images as uint8."""
    rows = [(kind, f"{found[kind] / 2**20:.1f}", f"{found[kind] / found[KINDS[0]]:.2f}") for kind in KINDS]
    title = f"Memory: what a training of {found['count']:,.0f} images adds; aims at {AIM} times; {setup.described()}"
    return Table(title, ("held", "MB", "times"), rows)


def _bytes(device: str, images: int | None) -> dict[str, float]:
    """Private memory of this process (what is mapped from a file is not), and of the device."""
    _held(device, whole_data(WARM_UP_IMAGES))
    before = _now()
    dataset = choose_data(images)
    after, trained, on_device = _held(device, dataset)
    count = len(dataset.rows("train")) + len(dataset.rows("val")) + len(dataset.rows("test"))
    size = count * dataset.images[:1].size
    return {"count": count, **dict(zip(KINDS, (size, after - before, trained - before, on_device), strict=True))}


def _held(device: str, dataset: data.Dataset) -> tuple[float, float, float]:
    """Bytes of this process with the trainer made, and after its training, and the device's."""
    settings = {"epochs": 1, "batch_size": 512, "device": device, "precision": "float32"}
    recipe = Recipe.parse({"model": {"variant": "autoencoder", "body": SMALL}, "training": settings})
    with temporary_runs():
        trainer = trainer_of(training.prepare(recipe, dataset), dataset)
        made = _now()
        trainer.train()
        on_device = torch.cuda.memory_allocated(torch.device(device)) if device.startswith("cuda") else 0
        return made, _now(), on_device


def _now() -> float:
    """Bytes in use; what was freed but is kept for later is given back first."""
    gc.collect()
    with contextlib.suppress(AttributeError, OSError, TypeError):  # a system without glibc
        ctypes.CDLL(None).malloc_trim(0)
    return psutil.Process().memory_full_info().uss


if __name__ == "__main__":
    print(json.dumps(_bytes(sys.argv[1], int(sys.argv[2]) or None)))
