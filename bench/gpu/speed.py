"""Images per second: the tutorial's loop, aeviz's plain steps, replayed ones, compiled ones, and the products alone."""

import statistics
import time
from functools import partial
from typing import Any

import torch

from aeviz import training
from aeviz.data import Dataset
from aeviz.jobs import Worker
from aeviz.models.device import keep_memory
from aeviz.runs import Resolved
from bench.gpu.blobs import blobs
from bench.gpu.parts import Found, Setting, Work
from bench.limit import limit
from bench.measure import Setup, TimedTrainer, cut, wait_for
from bench.rivals import train_tutorial
from bench.training import make_recipe

BATCHES = (512, 128, 4096)  # in the order in which they matter
IMAGES, EPOCHS = 60_000, 6
TUTORIAL_IMAGES = 16_384  # it takes a second for them
SIDES: dict[str, dict[str, Any]] = {
    "plain": {},
    "replayed": {"graphs": True},
    "replayed, bfloat16": {"graphs": True, "precision": "bfloat16"},
}
COMPILED: dict[str, dict[str, Any]] = {
    "compiled": {"compile": True, "precision": "bfloat16"},
    "compiled, replayed": {"compile": True, "graphs": True, "precision": "bfloat16"},
}


def works(setting: Setting) -> list[Work]:
    """All sides of each network and batch size; what has to be compiled comes last, as it takes longest."""
    dataset = blobs(300 if setting.small else IMAGES)
    bodies, batches = (["dense"], [64]) if setting.small else (["dense", "conv"], list(BATCHES))
    rows = [(body, batch) for batch in batches for body in bodies]
    found: list[Work] = []
    for body, batch in rows:
        found.append((f"{body} {batch}: tutorial", partial(tutorial, setting, dataset, body, batch)))
        found += [
            (f"{body} {batch}: {side}", partial(ours, setting, dataset, body, batch, SIDES[side])) for side in SIDES
        ]
    if setting.small:
        return found
    found += [
        (f"{body} {batch}: {side}", partial(ours, setting, dataset, body, batch, COMPILED[side]))
        for body, batch in rows
        for side in COMPILED
    ]
    return found + [(f"{body} 512: products alone", partial(products, setting, dataset, body, 512)) for body in bodies]


def tutorial(setting: Setting, dataset: Dataset, body: str, batch: int) -> Found:
    """PyTorch's quickstart loop, after a few batches to warm up."""
    some = cut(dataset, max(TUTORIAL_IMAGES, 4 * batch))
    recipe = make_recipe(body, batch, 1, setup(setting))
    train_tutorial(recipe, cut(dataset, 4 * batch), "float32")
    result = train_tutorial(recipe, some, "float32")
    return found(body, batch, "tutorial", "float32", result.images_per_s)


def ours(setting: Setting, dataset: Dataset, body: str, batch: int, how: dict[str, Any]) -> Found:
    """aeviz's trainer as a training runs it; the median epoch but the first, in which all is warmed up."""
    recipe = make_recipe(body, batch, 2 if setting.small else EPOCHS, setup(setting))
    run = training.prepare(recipe, dataset)
    device = "cuda:0" if setting.device == "cuda" else setting.device
    values = {"device": device, "device_name": device, "threads": recipe.training.threads, **how}
    if body == "conv" and how.get("precision") == "bfloat16":
        values["channels_last"] = True
    run.write_config(run.config().model_copy(update={"resolved": Resolved(**values)}))
    keep_memory()
    began = time.perf_counter()
    trainer = TimedTrainer(run, dataset, device, Worker(run))
    trainer.train()
    wait_for(device)
    whole = time.perf_counter() - began
    epoch = statistics.median(trainer.epoch_seconds[1:])
    speed = len(dataset.rows("train")) / epoch
    side = next(name for name, each in (SIDES | COMPILED).items() if each is how)
    more = {"epoch_seconds": epoch, "first_epoch_seconds": trainer.epoch_seconds[0], "whole_seconds": whole}
    return found(body, batch, side, values.get("precision", "float32"), speed) | more


def products(setting: Setting, dataset: Dataset, body: str, batch: int) -> Found:
    """The matrix products of a step alone, in bfloat16: the limit."""
    speed = limit(make_recipe(body, batch, 1, setup(setting)), dataset, torch.bfloat16)
    return found(body, batch, "products alone", "bfloat16", speed)


def setup(setting: Setting) -> Setup:
    """What all sides are given."""
    return Setup(setting.device, threads=torch.get_num_threads(), repeats=1)


def found(body: str, batch: int, side: str, precision: str, speed: float) -> Found:
    """A row of the table."""
    return {"body": body, "batch": batch, "side": side, "precision": precision, "images_per_s": round(speed)}
