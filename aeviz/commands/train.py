"""`aeviz train`: from settings to a trained run, in the foreground; `work` is the same in a process of the app's."""

import contextlib
import time
from pathlib import Path
from typing import Any

import click

from aeviz.commands.speak import finish, json_option
from aeviz.errors import BadFile
from aeviz.jobs import Job, Turn, Worker, at_work


@click.command()
@click.option("--dataset", default=None, help="Which images; see `aeviz data list`.")
@click.option("--variant", default=None, help="Which autoencoder.")
@click.option("--body", default=None, help="dense or conv.")
@click.option("--latent-dim", type=int, default=None, help="Numbers per code.")
@click.option("--epochs", type=int, default=None)
@click.option("--batch-size", type=int, default=None)
@click.option("--seed", type=int, default=None)
@click.option("--device", default=None, help="auto, cpu, cuda, cuda:N or mps.")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="A JSON file of settings to begin with.")
@click.option("--set", "overrides", multiple=True, metavar="PATH=JSON", help="Any setting: model.body.dropout=0.1")
@json_option
def train(config_file: Path | None, overrides: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Train an autoencoder here and now."""
    from aeviz import training

    recipe = training.Recipe.parse(_recipe(config_file, overrides, options))
    run = training.prepare(recipe)
    _train_here(run, as_json)


def _train_here(run: Any, as_json: bool) -> None:
    """Train a run in this process, saying each epoch, and end with its status."""
    from aeviz import training

    click.echo(f"run {run.id}", err=True)
    with at_work(run) as worker:
        worker.report = _spoken(run, worker)  # type: ignore[method-assign]
        training.work(run, worker)
    result = summary(run)
    status = run.status()
    finish(as_json, result, f"{status.state} after {status.epoch} epochs: {run.path}  {status.message}".strip())
    if status.state == "diverged":
        if as_json:
            click.echo(f"aeviz: {status.message}", err=True)
        click.get_current_context().exit(2)


def summary(run: Any) -> dict[str, Any]:
    """What `train --json` says of a run."""
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


def _spoken(run: Any, worker: Worker) -> Any:
    """The worker's report, with a line on the terminal at every epoch's end."""
    report, spoken = worker.report, run.written_status().epoch

    def speak(**changes: Any) -> None:
        nonlocal spoken
        report(**changes)
        if changes.get("epoch", 0) <= spoken:
            return
        spoken = changes["epoch"]
        line = run.metrics()[-1]
        if line["epoch"] == spoken and "val" in line:
            click.echo(
                f"epoch {spoken}/{changes['epochs']}  train {line['train']['total']:.4g}  val {line['val']['total']:.4g}"
                f"  {line['val']['psnr'] or 0:.2f} dB  {line['images_per_s'] or 0:,.0f} images/s",
                err=True,
            )

    return speak


def _recipe(config_file: Path | None, overrides: tuple[str, ...], options: dict[str, Any]) -> dict[str, Any]:
    """The settings of a file, then of the options, then of every --set."""
    from aeviz import files
    from aeviz.config import override, read_overrides

    values: dict[str, Any] = {"model": {"variant": "autoencoder", "body": {"name": "dense"}}}
    if config_file is not None:
        try:
            read = files.read_json(config_file)
        except (ValueError, OSError) as error:
            raise BadFile("{file} is no JSON of settings: {reason}", file=config_file, reason=error) from None
        if not isinstance(read, dict):
            raise BadFile("{file} holds no settings", file=config_file)
        values = values | {name: read[name] for name in ("data", "model", "training", "seed") if name in read}
        values["data"] = {name: value for name, value in values.get("data", {}).items() if name in ("name", "params")}
        values["model"] = {name: value for name, value in values["model"].items() if name != "sample_shape"}
        values["model"].setdefault("body", {"name": "dense"})
    places = {
        "dataset": ["data", "name"], "variant": ["model", "variant"], "latent_dim": ["model", "latent_dim"],
        "epochs": ["training", "epochs"], "batch_size": ["training", "batch_size"], "seed": ["seed"],
        "device": ["training", "device"],
    }  # fmt: skip
    for option, path in places.items():
        if options[option] is not None:
            override(values, path, options[option])
    if options["body"] is not None and options["body"] != values["model"].get("body", {}).get("name"):
        values["model"]["body"] = {"name": options["body"]}
    for path, value in read_overrides(overrides):
        override(values, path, value)
    return values


@click.command(hidden=True)
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--device", required=True)
def work(path: Path, device: str) -> None:
    """Train a prepared run once its device is free; imports nothing heavy while it waits."""
    from aeviz.errors import Stopped

    with contextlib.suppress(Stopped), at_work(Job(path)) as worker:
        queue = path.parent / ".queue" / device.replace(":", "-")
        with Turn(queue, time.time(), path.name).wait(worker):
            worker.report(state="running", message="Starting…")
            from aeviz import training
            from aeviz.runs import Run

            training.work(Run(path), worker)
