"""`aeviz sample`, `walk`: new images from a run, and paths between your images."""

from pathlib import Path
from typing import Any

import click

from aeviz.commands.classes import class_number, class_option
from aeviz.commands.images import fitting_options, load_images
from aeviz.commands.output import finish, job_option, json_option, reporting
from aeviz.commands.save import FILM, out_option, save_npz, seconds_option
from aeviz.errors import BadValue


@click.command()
@click.argument("run")
@click.option("--from", "sampler", default="mixture", show_default=True, help="What to draw from.")
@click.option("--count", default=64, show_default=True, help="1 to 400.")
@click.option("--seed", default=0, show_default=True)
@click.option("--temperature", default=1.0, show_default=True, help="Lower is more typical, higher more varied.")
@click.option("--components", default=10, show_default=True, help="Gaussians in a mixture.")
@class_option("A class")
@click.option("--out", type=click.Path(path_type=Path), help="A .png of all, or a folder with one picture each.")
@click.option("--score", "is_scored", is_flag=True, help="Also measure how good they are, compared with real images.")
@json_option
@job_option
def sample(run: str, out: Path | None, is_scored: bool, as_json: bool, job: Path | None, **options: Any) -> None:
    """Generate new images at random."""
    from aeviz import results
    from aeviz import runs as store

    if out is None and not is_scored:
        raise BadValue("sample takes --out, --score or both; give one of them")
    found = store.find(run)
    label = None if options["label"] is None else class_number(found, options["label"])
    request = results.SampleRequest.parse(options | {"label": label})
    with reporting(job) as report:
        drawn = results.samples(found, request, report) if out else None
        score = results.sample_score(found, request, report) if is_scored else None
    if drawn is not None and out is not None:
        _write_samples(drawn, out)
    result = (
        {"run": found.id, **request.to_json(), "out": str(out) if out else None}
        | _nearest_training(drawn)
        | {"score": score}
    )
    text = [f"{request.count} samples written to {out}"] if out else []
    finish(as_json, result, "\n".join(text + _score_lines(score)))


def _nearest_training(drawn: Any) -> dict[str, Any]:
    """The rows of the training images most similar to the samples, and their distances."""
    if drawn is None or drawn.nearest is None:
        return {"nearest": None, "distance": None}
    return {"nearest": drawn.nearest.tolist(), "distance": drawn.distance.tolist()}


def _write_samples(drawn: Any, out: Path) -> None:
    """Write one picture of all samples, or a folder with one each."""
    import math

    from aeviz import files
    from aeviz.data import pictures

    pixels = pictures.to_pixels(drawn.x_hat)
    if out.suffix.lower() == ".png":
        out.parent.mkdir(parents=True, exist_ok=True)
        columns = math.ceil(math.sqrt(len(pixels)))
        files.write_bytes(out, pictures.encode_mosaic(pixels, columns, scale=2, format="png"))
        return
    if out.suffix:
        raise BadValue("samples are written to a .png or a folder, not to {name}", name=out.name)
    out.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(pixels):
        picture = pictures.mosaic(image[None], columns=1, gap=0)
        files.write_bytes(out / f"{number:03}.png", pictures.encode_png(picture))


def _score_lines(score: dict[str, Any] | None) -> list[str]:
    if score is None:
        return []
    floor = score["floor"]
    numbers = [
        f"{name:12} {score[name]:9.3f} {floor[name]:9.3f}" if score[name] is not None else f"{name:12}       n/a"
        for name in ("frechet", "precision", "recall")
    ]
    head = f"by the features of the {score['features']}, {score['n']:,} images each"
    return [head, f"{'':12} {'samples':>9} {'train':>9}", *numbers]


@click.command()
@click.argument("run")
@click.argument("images", metavar="IMAGE IMAGE...", nargs=-1, required=True)
@click.option("--road", default="straight", show_default=True, help="straight, spherical, data or geodesic.")
@click.option("--steps", default=16, show_default=True, help="3 to 64.")
@seconds_option
@out_option(FILM, "A .png strip, a .gif, .webp or .mp4 film, or .npz.")
@fitting_options
@json_option
def walk(
    run: str, images: tuple[str, ...], road: str, steps: int, seconds: float, out: Path, as_json: bool, **fitting: Any
) -> None:
    """Walk from one image to another, through two to four of them: your own files, or numbers of test images."""
    from aeviz import results
    from aeviz import runs as store
    from aeviz.data import to_pixels
    from aeviz.data.animation import write_frames

    found = store.find(run)
    stops = results.encoded(found, *load_images(found, images, **fitting))
    with reporting(None) as report:
        walked = results.walk(found, stops.z, road, steps, report, stops.condition)
        x_hat = results.decode_codes(found, walked.z, walked.condition)
    if out.suffix.lower() == ".npz":
        known = {name: values for name, values in vars(walked).items() if values is not None}
        save_npz(out, known | {"x_hat": x_hat})
    else:
        write_frames(to_pixels(x_hat), out, seconds)
    far = None if walked.distance is None else walked.distance.tolist()
    text = f"{steps} steps written to {out}"
    text += f", at most {max(far):.1f} times as far from the data as its neighbours" if far else ""
    finish(as_json, {"run": found.id, "road": road, "steps": steps, "out": str(out), "distance": far}, text)
