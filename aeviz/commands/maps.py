"""`aeviz project` and `aeviz place`: maps of codes, and new images placed on them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from aeviz.commands.classes import class_entry, class_labels, class_suffix, given_class_option
from aeviz.commands.images import fitting_options, read_images, report_skipped
from aeviz.commands.latent import split_option
from aeviz.commands.output import finish, job_option, json_option, reporting
from aeviz.commands.save import save_npz

if TYPE_CHECKING:
    from aeviz.results import MapRequest


def map_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that select a map; `request_of` reads them."""
    options = (
        click.option(
            "--method", default="pca", show_default=True, help="pca, tsne, umap, axes (dimensions), lda or custom."
        ),
        click.option("--dims", default=2, show_default=True, help="2 or 3."),
        split_option,
        click.option("--limit", type=int, default=None, help="At most this many codes."),
        click.option(
            "--set", "overrides", multiple=True, metavar="SETTING=JSON", help="A setting of the method: perplexity=50"
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def request_of(method: str, dims: int, split: str, limit: int | None, overrides: tuple[str, ...]) -> "MapRequest":
    """The map that the options select."""
    from aeviz import results
    from aeviz.config import override, read_overrides

    settings: dict[str, Any] = {"dims": dims}
    for path, value in read_overrides(overrides):
        override(settings, path, value)
    return results.MapRequest.parse({"method": method, "split": split, "limit": limit, "settings": settings})


def requested_map(**which: Any) -> "MapRequest | None":
    """The same, or None if none of these options was given."""
    source = click.get_current_context().get_parameter_source
    given = any(source(name) is ParameterSource.COMMANDLINE for name in which)
    return request_of(**which) if given else None


@click.command()
@click.argument("run")
@map_options
@click.option("--go-on", is_flag=True, help="Continue a stopped map, or refine a finished one.")
@click.option("--out", type=click.Path(path_type=Path), help="An .npz of points, labels and index.")
@json_option
@click.option("--judge/--no-judge", default=True, hidden=True, help="Whether to measure the map's quality too.")
@job_option
def project(
    run: str, go_on: bool, out: Path | None, as_json: bool, judge: bool, job: Path | None, **which: Any
) -> None:
    """Compute a map of a split's codes."""
    import numpy as np

    from aeviz import results
    from aeviz import runs as store
    from aeviz.results.maps.frames import ignore_frame

    found, request = store.find(run), request_of(**which)
    on_frame = results.FrameFile(job).write if job else ignore_frame
    with reporting(job) as report:
        drawn = (results.resume_map if go_on else results.project)(found, request, report, on_frame)
        judged = results.quality(found, request, report) if judge else {}
    if out is not None:
        arrays = {"labels": drawn.labels.astype(np.int64), "index": drawn.index.astype(np.int64)}
        save_npz(out, {"points": drawn.points.astype(np.float32)} | arrays)
    n, seconds, trust, count = len(drawn.points), drawn.seconds, judged.get("trustworthiness"), judged.pop("judged", 0)
    head = {"run": found.id, "method": request.method, "dims": drawn.points.shape[1], "n": n}
    text = f"{n:,} points in {seconds:.1f} s, trustworthiness {'unknown' if trust is None else f'{trust:.3f}'}"
    text += f" (of {count:,} of them)" if 0 < count < n else ""
    requested = results.lowered_from(drawn, request)
    if requested is not None:
        text += f", perplexity lowered from {requested:g} to {drawn.notes['perplexity']:.3g} for so few codes"
    facts = {"out": str(out) if out else None, "seconds": round(seconds, 3)}
    finish(as_json, head | facts | judged, f"{text}, written to {out}" if out else text)


@click.command()
@click.argument("run")
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@map_options
@given_class_option
@fitting_options
@json_option
def place(
    run: str,
    images: tuple[Path, ...],
    label: str | None,
    as_json: bool,
    fit: str,
    invert: bool | None,
    grey: bool,
    **which: Any,
) -> None:
    """Place your own images on an existing map; unreadable ones are skipped and listed."""
    from aeviz import results
    from aeviz import runs as store

    found, request = store.find(run), request_of(**which)
    pixels, read, skipped = read_images(found, images, fit=fit, invert=invert, grey=grey)
    placed = results.place(found, request, pixels, class_labels(found, label, len(pixels)))
    drawn, rows = placed.drawn, []
    for number, position in enumerate(read):
        point = dict(zip("xyz", placed.points[number].tolist(), strict=False))
        near = [
            {"index": int(drawn.index[row]), "label": int(drawn.labels[row]), "distance": float(distance)}
            for row, distance in zip(placed.neighbours[number], placed.distances[number], strict=True)
        ]
        rows.append(
            {"file": str(images[position]), **point, "neighbours": near} | class_entry(found, placed.condition, number)
        )
    head = {"run": found.id, "method": request.method, "dims": placed.points.shape[1]}
    finish(as_json, head | {"points": rows, "skipped": skipped}, "\n".join(map(_line, rows)))
    report_skipped(skipped)
    if skipped:
        click.get_current_context().exit(2)


def _line(row: dict[str, Any]) -> str:
    place = ", ".join(f"{name} = {row[name]:.2f}" for name in "xyz" if name in row)
    nearest = ", ".join(f"{near['index']} (label {near['label']})" for near in row["neighbours"])
    return f"{row['file']}: {place}{class_suffix(row)}; nearest images: {nearest}"
