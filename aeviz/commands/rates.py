"""`aeviz rates`: a good initial learning rate, found by a short sweep."""

from pathlib import Path
from typing import Any

import click

from aeviz.commands.output import finish, job_option, json_option, reporting
from aeviz.commands.train import recipe_values, train

OPTIONS = [option for option in train.params if option.name != "as_json"]


@click.command(params=OPTIONS)
@json_option
@job_option
def rates(
    config_file: Path | None, overrides: tuple[str, ...], as_json: bool, job: Path | None, **options: Any
) -> None:
    """Sweep learning rates on a throwaway network and suggest one."""
    from aeviz import data, files, training
    from aeviz.models.device import resolve_device
    from aeviz.training.rate_finder import find_rate

    with reporting(job) as report:
        recipe = training.Recipe.parse(recipe_values(config_file, overrides, options))
        report(0, 1, "Loading images")
        dataset = data.load(recipe.data.name, recipe.data.params)
        device = resolve_device(recipe.training.device)
        sweep = find_rate(recipe, dataset, device, lambda done, total: report(done, total, "Trying learning rates"))
        result = {
            "rates": sweep.rates.tolist(),
            "losses": sweep.losses.tolist(),
            "suggestion": sweep.suggestion,
            "loss": recipe.training.loss,
            "learning_rate": recipe.training.learning_rate,
        }
        if job is not None:
            files.write_json(job / "sweep.json", result)
    finish(as_json, result, f"Start with a learning rate of {sweep.suggestion:g}.")
