"""Your own images on the command line, read and fitted to a run's network as in the app."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from aeviz.errors import BadFile, BadValue, MissingData

NAMED = 3  # images listed in a message


def fitting_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options for fitting images; `read_images` takes them."""
    options = (
        click.option(
            "--fit", default="crop", show_default=True, type=click.Choice(["crop", "pad"]),
            help="Crop to the centre, or pad to show the whole picture.",
        ),
        click.option(
            "--invert/--no-invert", default=None,
            help="Invert dark and bright, or never do; by default if a picture's border is the inverse of the set's.",
        ),
        click.option("--grey", is_flag=True, help="Convert to grey."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def read_images(
    run: Any, paths: Sequence[Path], *, fit: str, invert: bool | None, grey: bool
) -> tuple[Any, list[int], list[dict[str, str]]]:
    """Images fitted to a run's network: pixels (n, C, H, W), their positions among the paths, and the skipped ones."""
    import numpy as np

    from aeviz import data

    shape, border = run.config().data.shape, _border(run) if paths and invert is None else None
    choice = {None: "auto", True: "yes", False: "no"}[invert]
    fitting = data.Fitting.parse({"fit": fit, "invert": choice, "grey": grey})
    pixels, read, turned, skipped = [], [], [], []
    for position, path in enumerate(paths):
        try:
            image, inverted = data.read_fitted(path, shape, fitting, border)
        except BadFile as error:
            skipped.append({"file": str(path), "reason": str(error)})
            continue
        pixels.append(image)
        read.append(position)
        turned += [path.name] if inverted and invert is None else []
    _report_inverted(turned)
    return np.stack(pixels) if pixels else np.empty((0, *shape), np.uint8), read, skipped


def load_images(run: Any, names: Sequence[str], **fitting: Any) -> tuple[Any, Any]:
    """Images (n, C, H, W) uint8 from paths, or test images by their numbers from 0 as in the app.

    Also returns their labels (n,), -1 for the user's own.

    Raises:
        BadFile: the first unreadable image.
        BadValue: there is no test image of this number.
        MissingData: the set's images are not present.
    """
    import numpy as np

    paths = {place: Path(name) for place, name in enumerate(names) if not name.isdecimal() or Path(name).exists()}
    pixels, _, skipped = read_images(run, list(paths.values()), **fitting)
    if skipped:
        raise BadFile("{reason}", reason=skipped[0]["reason"])
    own = {place: (image, -1) for place, image in zip(paths, pixels, strict=True)}
    found = [own[place] if place in own else _test_image(run, int(name)) for place, name in enumerate(names)]
    return np.stack([image for image, _ in found]), np.array([label for _, label in found])


def report_skipped(skipped: list[dict[str, str]]) -> None:
    """Report the skipped images and the reasons on stderr."""
    for row in skipped:
        click.echo(f"aeviz: {row['file']} was skipped: {row['reason']}", err=True)


def _border(run: Any) -> Any:
    """The border brightness of a run's images; None if they are not present."""
    from aeviz import data, results

    try:
        return data.border_of(results.dataset_of(run).images)
    except MissingData:
        return None


def _test_image(run: Any, number: int) -> tuple[Any, int]:
    from aeviz import results

    dataset = results.dataset_of(run)
    rows = dataset.rows("test")
    if number >= len(rows):
        raise BadValue(
            "there is no test image {number}, and no such file; there are {count}, counted from 0",
            number=number,
            count=len(rows),
        )
    return dataset.images[rows[number]], int(dataset.labels[rows[number]])


def _report_inverted(names: list[str]) -> None:
    """Report on stderr which images were inverted automatically."""
    if names:
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        click.echo(
            f"aeviz: inverted dark and bright in {', '.join(names[:NAMED])}{more}, to match the run's images; "
            "--no-invert leaves them as they are",
            err=True,
        )
