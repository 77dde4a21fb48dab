"""`aeviz encode`, `reconstruct`, `score`: codes, reconstructions and metrics of a trained run."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aeviz.commands.classes import class_entry, class_labels, class_suffix, given_class_option
from aeviz.commands.images import fitting_options, read_images, report_skipped
from aeviz.commands.output import finish, job_option, json_option, reporting
from aeviz.commands.save import save_npz
from aeviz.errors import BadFile, BadValue

if TYPE_CHECKING:
    from aeviz.data.splits import Split

split_option = click.option("--split", default="test", show_default=True, type=click.Choice(["train", "val", "test"]))


@click.command()
@click.argument("run")
@click.option("--split", type=click.Choice(["train", "val", "test"]), help="Rows of the run's data set.")
@click.option("--images", multiple=True, type=click.Path(path_type=Path), help="Your own images; may be repeated.")
@click.argument("more", nargs=-1, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="An .npz of z, labels and index.")
@given_class_option
@fitting_options
@json_option
def encode(
    run: str,
    split: "Split | None",
    images: tuple[Path, ...],
    more: tuple[Path, ...],
    out: Path,
    as_json: bool,
    label: str | None,
    **fitting: Any,
) -> None:
    """Encode a split, or your own images."""
    import numpy as np

    from aeviz import results
    from aeviz import runs as store

    found, paths = store.find(run), [*images, *more]
    if bool(split) == bool(paths):
        raise BadValue("encode takes either --split or --images; give one of them")
    if split:
        with reporting(None) as report:
            codes = results.codes(found, split, report)
        arrays = {"z": codes.z, "labels": codes.labels.astype(np.int64), "index": codes.index.astype(np.int64)}
        skipped: list[dict[str, str]] = []
    else:
        pixels, read, skipped = read_images(found, paths, **fitting)
        report_skipped(skipped)
        if not read:
            raise BadFile("none of the {count} images could be read", count=len(paths))
        z = results.encode_images(found, pixels, class_labels(found, label, len(pixels)))
        arrays = {"z": z, "labels": np.full(len(z), -1, np.int64), "index": np.array(read, np.int64)}
    save_npz(out, arrays)
    result = {"run": found.id, "n": len(arrays["z"]), "out": str(out), "skipped": skipped}
    finish(as_json, result, f"{result['n']:,} codes written to {out}")


@click.command()
@click.argument("run")
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A folder for the pictures.")
@given_class_option
@fitting_options
@json_option
def reconstruct(
    run: str, images: tuple[Path, ...], out: Path, label: str | None, as_json: bool, **fitting: Any
) -> None:
    """Reconstruct your own images; unreadable ones are skipped and listed."""
    from aeviz import files, results
    from aeviz import runs as store
    from aeviz.data import pictures

    found = store.find(run)
    pixels, read, skipped = read_images(found, images, **fitting)
    rows = []
    out.mkdir(parents=True, exist_ok=True)
    if len(pixels):
        rebuilt = results.rebuild(found, pixels, class_labels(found, label, len(pixels)))
        for number, position in enumerate(read):
            target = out / f"{images[position].stem[:80]}-{position}.png"
            picture = pictures.mosaic(pictures.to_pixels(rebuilt.x_hat[number : number + 1]), columns=1, gap=0)
            files.write_bytes(target, pictures.encode_png(picture))
            numbers = {name: value[number] for name, value in rebuilt.numbers().items()}
            rows.append(
                {"file": str(images[position]), "out": str(target)}
                | numbers
                | class_entry(found, rebuilt.condition, number)
            )
    lines = [f"{row['file']}: MSE {row['mse']:.5f}{class_suffix(row)}, written to {row['out']}" for row in rows]
    finish(as_json, {"run": found.id, "images": rows, "skipped": skipped}, "\n".join(lines))
    report_skipped(skipped)
    if skipped:
        click.get_current_context().exit(2)


@click.command()
@click.argument("run")
@split_option
@json_option
@job_option
def score(run: str, split: "Split", as_json: bool, job: Path | None) -> None:
    """Evaluate a run on held-out images, next to PCA of equal size."""
    from aeviz import results
    from aeviz import runs as store

    found = store.find(run)
    with reporting(job) as report:
        numbers = results.score(found, split, report)
    lines = [f"{'':16} {'model':>9} {'PCA':>9}"]
    for name in ("mse", "psnr", "ssim", "knn", "linear", "trustworthiness"):
        mine, rival = (
            f"{value:9.4f}" if value is not None else "      n/a" for value in (numbers[name], numbers["pca"][name])
        )
        lines.append(f"{name:16} {mine} {rival}")
    finish(as_json, {"run": found.id} | numbers, "\n".join(lines))
