"""What tests are made of: a run that has learned a little."""

from typing import Any

from aeviz import jobs, training
from aeviz.runs import Run
from aeviz.training import Recipe


def trained(recipe: dict[str, Any]) -> Run:
    """The run of a recipe, trained here and now."""
    run = training.prepare(Recipe.parse(recipe))
    with jobs.at_work(run) as worker:
        training.work(run, worker)
    return run
