"""`aeviz traverse`, `manifold`, `mean`: sweep the axes of the latent space, decode a plane, average classes."""

from pathlib import Path
from typing import Any

import click

from aeviz.commands.classes import class_number, class_option
from aeviz.commands.images import fitting_options, load_images
from aeviz.commands.latent import split_option
from aeviz.commands.output import finish, json_option, reporting
from aeviz.commands.save import PICTURE, out_option, save_rows
from aeviz.errors import UnknownName


@click.command()
@click.argument("run")
@click.argument("image", default="0")
@click.option(
    "--axes",
    "kind",
    default="dimensions",
    show_default=True,
    type=click.Choice(["dimensions", "principal"]),
    help="Dimensions of the code, or the directions along which codes vary most.",
)
@click.option(
    "--order", default="effect", show_default=True, type=click.Choice(["effect", "variance", "kl"]), help="Sorted by."
)
@click.option("--count", default=64, show_default=True, type=click.IntRange(1), help="At most this many axes.")
@click.option("--steps", default=9, show_default=True, type=click.IntRange(2, 64), help="Pictures per axis.")
@out_option(PICTURE, "A .png with one row per axis, or .npz.")
@fitting_options
@json_option
def traverse(
    run: str, image: str, kind: Any, order: Any, count: int, steps: int, out: Path, as_json: bool, **fitting: Any
) -> None:
    """Sweep every axis over the data's range through an image: a file, or the number of a test image."""
    from aeviz import results
    from aeviz import runs as store
    from aeviz.results.generated.sweeps import axis_name, sweep

    found = store.find(run)
    with reporting(None) as report:
        known = results.axes(found, kind, order, report)
    start = results.encoded(found, *load_images(found, [image], **fitting))
    swept = sweep(start.z[0], known, steps, count)
    flat = swept.z.reshape(-1, start.z.shape[1])
    x_hat = results.decode_codes(found, flat, None if start.condition is None else start.condition.repeat(len(flat)))
    rows = x_hat.reshape(*swept.z.shape[:2], *x_hat.shape[1:])  # (M, S, C, H, W)
    names = [axis_name(kind, int(number)) for number in swept.chosen]
    save_rows(out, rows, {"axis": names, "value": swept.values, "z": swept.z, "x_hat": rows})
    judged = [
        {"axis": name, "effect": float(known.effect[number]), "variance": float(known.variance[number])}
        for name, number in zip(names, swept.chosen, strict=True)
    ]
    lines = [f"{row['axis']:6} effect {row['effect']:.4f}, variance {row['variance']:.3g}" for row in judged]
    finish(as_json, {"run": found.id, "out": str(out), "axes": judged}, "\n".join([*lines, f"written to {out}"]))


@click.command()
@click.argument("run")
@click.option("--across", help="An axis: PC 1, z1, ... or a direction saved with the run; PC 1 unless given.")
@click.option("--up", help="Another axis; PC 2 unless given.")
@click.option("--through", metavar="IMAGE", help="A file, or the number of a test image; the mean unless given.")
@click.option("--size", default=20, show_default=True, help="Pictures per side, 2 to 40.")
@class_option("For a conditional network: the class to decode; by default the image's, or the first")
@out_option(PICTURE, "A .png of all, or .npz.")
@fitting_options
@json_option
def manifold(
    run: str,
    across: str | None,
    up: str | None,
    through: str | None,
    size: int,
    label: str | None,
    out: Path,
    as_json: bool,
    **fitting: Any,
) -> None:
    """Decode a grid over two directions, as far as the data extend."""
    from aeviz import results
    from aeviz import runs as store

    found = store.find(run)
    plane = {name: _axis(found, wanted) for name, wanted in (("across", across), ("up", up)) if wanted is not None}
    if through is not None:
        start = results.encoded(found, *load_images(found, [through], **fitting))
        plane |= {"centre": start.z[0]} | ({} if start.condition is None else {"label": int(start.condition[0])})
    if label is not None:
        plane["label"] = class_number(found, label)
    grid = results.manifold(found, **plane, size=size)
    save_rows(out, grid.x_hat, vars(grid))
    spans = {"x": [float(grid.xs[0]), float(grid.xs[-1])], "y": [float(grid.ys[-1]), float(grid.ys[0])]}
    text = f"{size} x {size} pictures written to {out}: " + ", ".join(
        f"{name} from {low:.2f} to {high:.2f}" for name, (low, high) in spans.items()
    )
    finish(as_json, {"run": found.id, "out": str(out), "size": size} | spans, text)


def _axis(run: Any, name: str) -> Any:
    """The direction of this name, with or without quotes."""
    from aeviz import results
    from aeviz.results.generated.sweeps import named_axes

    known = {label.strip("“”"): vector for label, vector in named_axes(run, results.axes(run, "principal")).items()}
    if name not in known:
        raise UnknownName("no axis is called {name!r}; there are: {known}", name=name, known=", ".join(known))
    return known[name]


@click.command()
@click.argument("run")
@class_option("A class, all of them unless given")
@split_option
@out_option(PICTURE, "A .png with mean pixels above decoded mean codes, or .npz.")
@json_option
def mean(run: str, label: str | None, split: Any, out: Path, as_json: bool) -> None:
    """Average the images of each class: in pixels, and in codes."""
    import numpy as np

    from aeviz import results
    from aeviz import runs as store

    found = store.find(run)
    number = None if label is None else class_number(found, label)
    with reporting(None) as report:
        means = results.class_means(found, split, report)
    chosen = slice(None) if number is None else means.labels == number
    pixels, x_hat = means.images[chosen], means.decoded[chosen]
    classes = found.config().data.classes
    names, counts = [classes[each] for each in means.labels[chosen]], means.counts[chosen]
    arrays = {"label": names, "count": counts, "pixels": pixels, "x_hat": x_hat, "z": means.z[chosen]}
    save_rows(out, np.stack([pixels, x_hat]), arrays)
    rows = [{"label": name, "count": int(count)} for name, count in zip(names, counts, strict=True)]
    lines = [f"{row['label']}: the mean of {row['count']:,} {split} images" for row in rows]
    finish(as_json, {"run": found.id, "out": str(out), "classes": rows}, "\n".join([*lines, f"written to {out}"]))
