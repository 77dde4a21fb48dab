"""`aeviz data`: list data sets, download public ones, import your own."""

import shutil
from pathlib import Path

import click

from aeviz.commands.output import finish, job_option, json_option, reporting


@click.group()
def data() -> None:
    """List, download, import and delete data sets."""


@data.command("list")
@json_option
def list_(as_json: bool) -> None:
    """All sets: bundled, public, your own."""
    from aeviz import data as catalog

    infos = catalog.list_data()
    rows = [
        {
            "name": info.name,
            "n": info.n,
            "shape": list(info.shape) if info.shape else None,
            "classes": info.classes,
            "own": info.own,
            "ready": info.ready,
        }
        for info in infos
    ]
    lines = [f"{info.name:20} {'ready' if info.ready else 'not here':9} {info.label}" for info in infos]
    finish(as_json, {"data": rows}, "\n".join(lines))


@data.command()
@click.argument("name")
@json_option
@job_option
def get(name: str, as_json: bool, job: Path | None) -> None:
    """Download a public set, once."""
    from aeviz import data as catalog

    with reporting(job) as report:
        catalog.download(name, report)
    finish(as_json, {"name": name, "ready": True}, f"{name} is ready.")


@data.command("import")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--name", required=True, help="What to call the set.")
@click.option("--size", default=32, show_default=True, help="Side of the stored images, 8 to 128 pixels.")
@click.option("--mode", default="rgb", show_default=True, help="rgb or grey.")
@click.option("--fit", default="crop", show_default=True, help="crop to the centre square, or pad to a square.")
@click.option("--background", default="white", show_default=True, help="Behind transparency and padding.")
@click.option(
    "--consume", type=click.Path(path_type=Path), hidden=True, help="A folder of uploads to remove at the end."
)
@json_option
@job_option
def import_(
    paths: tuple[Path, ...],
    name: str,
    size: int,
    mode: str,
    fit: str,
    background: str,
    consume: Path | None,
    as_json: bool,
    job: Path | None,
) -> None:
    """Import your own images: a zip, a folder, images, .npy or .npz."""
    from aeviz import data as catalog

    options = {"name": name, "size": size, "mode": mode, "fit": fit, "background": background}
    try:
        with reporting(job) as report:
            imported = catalog.import_data(list(paths), catalog.ImportSettings.parse(options), report)
    finally:
        if consume is not None:
            shutil.rmtree(consume, ignore_errors=True)
    result = {"name": imported.name, "n": imported.n, "shape": list(imported.shape), "classes": list(imported.classes)}
    skipped = [f"  skipped {row['file']}: {row['reason']}" for row in imported.skipped]
    text = f"{imported.n:,} images imported as {imported.name}, {len(skipped)} skipped."
    finish(as_json, result | {"skipped": imported.skipped}, "\n".join([text, *skipped]))


@data.command("delete")
@click.argument("name")
@json_option
def delete_(name: str, as_json: bool) -> None:
    """Delete one of your own sets."""
    from aeviz import data as catalog

    catalog.delete(name)
    finish(as_json, {"name": name, "deleted": True}, f"{name} is deleted.")
