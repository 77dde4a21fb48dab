"""`aeviz train`: train a run in the foreground; `work` does the same in a background process of the app."""

import contextlib
import time
from pathlib import Path
from typing import Any

import click

from aeviz.commands.output import finish, json_option
from aeviz.errors import BadFile, UnknownName
from aeviz.jobs import Job, QueueTicket, Worker, hold_job

PARK_SECONDS = 120.0  # how long a paused training stays in memory
RECIPE = ("data", "model", "training", "seed")


@click.command()
@click.option("--dataset", default=None, help="Which images; see `aeviz data list`.")
@click.option("--variant", default=None, help="Which autoencoder.")
@click.option("--body", default=None, help="dense, conv, residual or custom.")
@click.option("--latent-dim", type=int, default=None, help="Dimensions of a code.")
@click.option("--epochs", type=int, default=None)
@click.option("--batch-size", type=int, default=None)
@click.option("--seed", type=int, default=None)
@click.option("--device", default=None, help="auto, cpu, cuda, cuda:N or mps.")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="A JSON file of settings to start from.")
@click.option("--set", "overrides", multiple=True, metavar="PATH=JSON", help="Any setting: model.body.dropout=0.1")
@json_option
def train(config_file: Path | None, overrides: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Train an autoencoder in this process; several processes started by torchrun train it together."""
    from aeviz import training
    from aeviz.runs import Run

    recipe = training.Recipe.parse(recipe_values(config_file, overrides, options))
    world = training.join(recipe.training.device)
    _train_here(
        Run(Path(world.broadcast(str(training.prepare(recipe).path) if world.is_first else ""))), as_json, world
    )


def _train_here(run: Any, as_json: bool, world: Any) -> None:
    """Train a run in this process, printing each epoch and the result; with several processes only the first prints."""
    from aeviz import training

    if not world.is_first:
        training.work(run, Worker(run), world=world)
        training.leave()
        return
    click.echo(f"run {run.id}", err=True)
    with hold_job(run) as worker:
        worker.report = _reporting_epochs(run, worker)  # type: ignore[method-assign]
        training.work(run, worker, world=world)
    training.leave()
    result = summary(run)
    status = run.status()
    finish(as_json, result, f"{status.state} after {status.epoch} epochs: {run.path}")
    if status.state == "diverged":
        click.echo(f"aeviz: {status.message}", err=True)
        click.get_current_context().exit(2)


def summary(run: Any) -> dict[str, Any]:
    """A run in `train --json`."""
    metrics, status, resolved = run.metrics(), run.status(), run.config().resolved
    epochs = [line for line in metrics if "val" in line]
    speeds = [line["images_per_s"] for line in epochs if line.get("images_per_s")]
    validation = epochs[-1]["val"] if epochs else {}
    return {
        "run": run.id,
        "path": str(run.path),
        "state": status.state,
        "epoch": status.epoch,
        "seconds": metrics[-1]["seconds"] if metrics else 0.0,
        "images_per_s": sum(speeds) / len(speeds) if speeds else None,
        "device": resolved.device if resolved else None,
        "val": {name: validation.get(name) for name in ("total", "mse", "psnr")},
    }


def _reporting_epochs(run: Any, worker: Worker) -> Any:
    """The worker's report, with a line on the terminal at the end of every epoch."""
    report, last_epoch = worker.report, run.written_status().epoch

    def report_epoch(**changes: Any) -> None:
        nonlocal last_epoch
        report(**changes)
        if changes.get("epoch", 0) <= last_epoch:
            return
        last_epoch = changes["epoch"]
        line = run.metrics()[-1]
        if line["epoch"] == last_epoch and "val" in line:
            click.echo(
                f"epoch {last_epoch}/{changes['epochs']}  train {line['train']['total']:.4g}  val {line['val']['total']:.4g}"
                f"  {line['val']['psnr'] or 0:.2f} dB  {line['images_per_s'] or 0:,.0f} images/s",
                err=True,
            )

    return report_epoch


def recipe_values(config_file: Path | None, overrides: tuple[str, ...], options: dict[str, Any]) -> dict[str, Any]:
    """The settings of a file, overridden by the options, then by every --set."""
    from aeviz.config import override, read_overrides

    values: dict[str, Any] = {"data": {}, "model": {}, "training": {}}
    if config_file is not None:
        values |= _read_config(config_file)
    values["model"].setdefault("body", {"name": "dense"})
    places = {
        "dataset": ["data", "name"], "variant": ["model", "variant"], "latent_dim": ["model", "latent_dim"],
        "epochs": ["training", "epochs"], "batch_size": ["training", "batch_size"], "seed": ["seed"],
        "device": ["training", "device"],
    }  # fmt: skip
    for option, path in places.items():
        if options[option] is not None:
            override(values, path, options[option])
    body = values["model"]["body"]
    if options["body"] is not None and not (isinstance(body, dict) and body.get("name") == options["body"]):
        values["model"]["body"] = {"name": options["body"]}
    for path, value in read_overrides(overrides):
        override(values, path, value)
    return values


def _read_config(path: Path) -> dict[str, Any]:
    """Read the settings in a JSON file, which may be a run's config.json.

    Raises:
        BadFile: it is not JSON, or holds something that is not a setting of a recipe or a run.
    """
    from aeviz import files
    from aeviz.runs import RunConfig

    try:
        read = files.read_json(path)
    except (ValueError, RecursionError) as error:
        raise BadFile("{file} is not a JSON file of settings: {reason}", file=path, reason=error) from None
    if read is None:
        raise BadFile("there is no file {file}; --config takes a JSON file of settings", file=path)
    if not isinstance(read, dict):
        raise BadFile("{file} holds no settings; it should be an object with data, model and training", file=path)
    for name, value in read.items():
        if name not in RunConfig.model_fields:
            raise BadFile("{file}: there is no setting {name}; remove it or check its spelling", file=path, name=name)
        if name in RECIPE[:3] and not isinstance(value, dict):
            raise BadFile("{file}: {name} = {value!r} holds no settings", file=path, name=name, value=value)
    recipe = {name: read[name] for name in RECIPE if name in read}
    recipe["data"] = {name: value for name, value in recipe.get("data", {}).items() if name in ("name", "params")}
    recipe["model"] = {name: value for name, value in recipe.get("model", {}).items() if name != "sample_shape"}
    return recipe


@click.command(hidden=True)
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--device", required=True)
def work(path: Path, device: str) -> None:
    """Train a prepared run once its device is free; imports nothing heavy while it waits."""
    from aeviz.errors import Paused, Stopped

    if not (path / "config.json").exists():
        raise UnknownName("{path} is not a run", path=path)
    with contextlib.suppress(Stopped, Paused), hold_job(Job(path)) as worker:
        queue = path.parent / ".queue" / device.replace(":", "-")
        with QueueTicket(queue, time.time(), path.name).wait(worker) as ticket:
            worker.report(state="running", message="Starting…")
            from aeviz import training
            from aeviz.runs import Run

            training.work(Run(path), worker, training.LiveControl(PARK_SECONDS, ticket.has_waiting))
