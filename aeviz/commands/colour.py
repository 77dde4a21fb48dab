"""`aeviz colour`: what the points of a map can be coloured by, computed and stored."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aeviz.commands.latent import split_option
from aeviz.commands.output import finish, job_option, json_option, reporting

if TYPE_CHECKING:
    from aeviz.data.splits import Split


@click.command()
@click.argument("run")
@click.option("--name", required=True, help="Which colour: error, kmeans, preservation, stretch, ...")
@split_option
@click.option("--set", "overrides", multiple=True, metavar="SETTING=JSON", help="A setting of the colour: k=10")
@click.option("--method", default="pca", show_default=True, help="Which map, for colours that depend on one.")
@click.option("--dims", default=2, show_default=True, help="2 or 3.")
@click.option("--limit", type=int, default=None, help="At most this many codes on the map.")
@click.option(
    "--map-set", "map_overrides", multiple=True, metavar="SETTING=JSON", help="A setting of the map's method."
)
@json_option
@job_option
def colour(
    run: str,
    name: str,
    split: "Split",
    overrides: tuple[str, ...],
    method: str,
    dims: int,
    limit: int | None,
    map_overrides: tuple[str, ...],
    as_json: bool,
    job: Path | None,
) -> None:
    """Compute a value or class per image of a split, to colour the map by."""
    from aeviz import results
    from aeviz import runs as store

    found = store.find(run)
    map_settings = {"dims": dims} | _settings(map_overrides)
    shown = results.MapRequest.parse({"method": method, "split": split, "limit": limit, "settings": map_settings})
    with reporting(job) as report:
        coloured = results.colour(found, split, name, _settings(overrides), shown, report)
    summary = coloured.summary()
    spread = (
        f", {summary['min']:.4g} to {summary['max']:.4g}, mean {summary['mean']:.4g}"
        if summary["mean"] is not None
        else ""
    )
    text = f"{coloured.label}: {summary['n']:,} of {len(coloured.values):,} images{spread} {coloured.unit}".rstrip()
    finish(as_json, {"run": found.id, "name": name} | summary, f"{text}\n{coloured.note}".rstrip())


def _settings(pairs: tuple[str, ...]) -> dict[str, Any]:
    from aeviz.config import override, read_overrides

    settings: dict[str, Any] = {}
    for path, value in read_overrides(pairs):
        override(settings, path, value)
    return settings
