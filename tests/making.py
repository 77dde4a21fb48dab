"""What tests are made of: a run that has learned a little."""

import json
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from aeviz import jobs, training
from aeviz.runs import Run, runs_root
from aeviz.training import Recipe


def trained(recipe: dict[str, Any]) -> Run:
    """The run of a recipe, trained here and now."""
    run = training.prepare(Recipe.parse(recipe))
    with jobs.hold_job(run) as worker:
        training.work(run, worker)
    return run


def small(variant: str = "vae", latent_dim: int = 3, dataset: str = "digits", **params: Any) -> Run:
    """A small dense network after one epoch on the CPU."""
    return trained({
        "data": {"name": dataset, "params": params},
        "model": {"variant": variant, "latent_dim": latent_dim, "body": {"name": "dense", "widths": [16]}},
        "training": {"epochs": 1, "device": "cpu"},
    })  # fmt: skip


def learned(recipe: dict[str, Any]) -> Run:
    """A run of this recipe as `trained` leaves it, for tests that do not ask how it learned: trained once, then copied."""
    words = json.dumps(recipe, sort_keys=True)
    if words not in _learned():
        run = trained(recipe)
        shutil.copytree(run.path, _folder() / run.id)
        _learned()[words] = run.id
        return run
    run = Run(runs_root() / _learned()[words])
    shutil.copytree(_folder() / run.id, run.path)
    return run


@cache
def _learned() -> dict[str, str]:
    """The IDs of the runs kept, by their recipes."""
    return {}


@cache
def _folder() -> Path:
    return Path(_temporary().name)


@cache
def _temporary() -> "tempfile.TemporaryDirectory[str]":
    """Gone when this process ends."""
    return tempfile.TemporaryDirectory()
