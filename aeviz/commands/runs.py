"""`aeviz runs`, `show`, `resume`, `stop`, `delete`, `export`: managing and exporting runs."""

import time
from pathlib import Path
from typing import Any

import click

from aeviz.commands.maps import map_options, requested_map
from aeviz.commands.output import finish, job_option, json_option, reporting
from aeviz.errors import NotNow


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def runs(context: click.Context, as_json: bool) -> None:
    """All runs, newest first."""
    if context.invoked_subcommand is None:
        from aeviz import runs as store

        rows = [list_entry(run) for run in store.list_runs()]
        lines = [f"{row['run']:60} {row['state']:12} {row['psnr'] or 0:6.2f} dB  {row['title']}" for row in rows]
        for name in store.unreadable_runs():
            click.echo(f"aeviz: the folder {name} holds no readable run", err=True)
        finish(as_json, {"runs": rows}, "\n".join(lines) or "no runs yet: aeviz train --dataset digits")


def list_entry(run: Any) -> dict[str, Any]:
    """A run in `runs --json`."""
    config = run.config()
    return {
        "run": run.id,
        "title": run.note().title,
        "state": run.status().state,
        "data": config.data.name,
        "variant": config.model.variant,
        "latent_dim": config.model.latent_dim,
        "psnr": run.psnr(),
        "created": config.created,
    }


@runs.command("import")
@click.argument("archive", metavar="ZIP", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@json_option
def import_(archive: Path, as_json: bool) -> None:
    """Import a run from an exported zip."""
    from aeviz.runs.archive import import_run

    run = import_run(archive)
    finish(as_json, {"run": run.id, "path": str(run.path)}, f"loaded as {run.id}")


@click.command()
@click.argument("run")
@json_option
def show(run: str, as_json: bool) -> None:
    """Show a run's settings, state and last validation."""
    from aeviz import runs as store
    from aeviz.commands.train import summary

    found = store.find(run)
    config = found.config()
    result = list_entry(found) | summary(found) | {"config": config.to_json(), "note": found.note().note}
    created = time.strftime("%Y-%m-%d %H:%M", time.localtime(config.created))
    text = "\n".join(
        f"{name:12} {value}"
        for name, value in {
            "run": found.id,
            "created": created,
            "state": f"{result['state']} after {result['epoch']} of {config.training.epochs} epochs",
            "data": f"{config.data.name} {config.data.shape}",
            "model": config.model.to_json(),
            "training": config.training.to_json(),
            "validation": result["val"],
        }.items()
    )
    finish(as_json, result, text)


@click.command()
@click.argument("run")
@click.option("--epochs", type=int, default=None, help="Epochs in total, not in addition.")
@json_option
def resume(run: str, epochs: int | None, as_json: bool) -> None:
    """Resume a run that was stopped, paused or interrupted, or add epochs to a finished one."""
    from aeviz import runs as store
    from aeviz import training
    from aeviz.commands.train import _train_here

    found = store.find(run)
    world = training.join(found.config().training.device)
    if world.is_first:
        training.resume(found, epochs)
        resolved = found.config().resolved
        if resolved is not None and resolved.plain:
            click.echo("using torch's plain kernels: slower, but safe", err=True)
    world.broadcast(None)  # the other processes start once the run is set up to resume
    _train_here(found, as_json, world)


@click.command()
@click.argument("run")
@json_option
def stop(run: str, as_json: bool) -> None:
    """Ask a training to stop, and wait until it has stopped."""
    from aeviz import runs as store

    found = store.find(run)
    if not found.is_live():
        raise NotNow("the run {id} is not training; it is {state}", id=found.id, state=found.status().state)
    found.ask("stop")
    end = time.monotonic() + 60
    while found.is_live() and time.monotonic() < end:
        time.sleep(0.05)
    if found.is_live():
        raise NotNow("the run {id} was asked to stop but has not done so within a minute; wait for it", id=found.id)
    finish(as_json, {"run": found.id, "state": found.status().state}, f"{found.id} is {found.status().state}")


@click.command()
@click.argument("run")
@json_option
def delete(run: str, as_json: bool) -> None:
    """Delete a run with everything in it."""
    from aeviz import runs as store

    found = store.find(run)
    store.delete(found)
    finish(as_json, {"run": found.id, "deleted": True}, f"{found.id} is deleted")


@click.command()
@click.argument("run")
@click.option("--to", "kind", required=True, help="The format; an unknown one lists all formats.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The file to write, or a folder for projector and onnx; by default a file stored with the run.",
)
@map_options
@json_option
@job_option
def export(run: str, kind: str, out: Path | None, as_json: bool, job: Path | None, **which: Any) -> None:
    """Export a run.

    A web page shows a t-SNE, or a PCA if codes have few dimensions or are few, unless an option of `project` is given.
    """
    from aeviz import export as exports
    from aeviz import runs as store

    found, request, started = store.find(run), requested_map(**which), time.perf_counter()
    with reporting(job) as report:
        if out is None:
            out, note = exports.store_export(kind, found, report, request)
        else:
            note = exports.write_export(kind, found, out, report, request)
        report(1, 1, note)
    size, seconds = (
        sum(file.stat().st_size for file in (out.iterdir() if out.is_dir() else [out])),
        round(time.perf_counter() - started, 3),
    )
    result = {"run": found.id, "to": kind, "out": str(out), "bytes": size, "seconds": seconds, "note": note}
    finish(as_json, result, f"written to {out}, {size / 1e6:.2g} MB\n{note}".rstrip())
