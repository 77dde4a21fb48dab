"""`aeviz direction`, `analogy`: directions that turn one kind of image into another, applied to your images."""

from pathlib import Path
from typing import Any

import click

from aeviz.commands.classes import class_number
from aeviz.commands.images import fitting_options, load_images
from aeviz.commands.output import finish, json_option, reporting
from aeviz.commands.save import FILM, out_option, save_rows, seconds_option
from aeviz.errors import BadValue

SHOWN = 4  # largest changes printed per direction


@click.command()
@click.argument("run")
@click.option("--from", "a", metavar="CLASS", help="A class, by its name or its number from 0.")
@click.option("--to", "b", metavar="CLASS", help="Another class.")
@click.option("--method", default="mean_difference", show_default=True, help="mean_difference or classifier_normal.")
@click.option("--name", help="Save it with the run under this name; without --from and --to, use the saved one.")
@click.option("--apply", "image", metavar="IMAGE", help="A file, or the number of a test image, to move along it.")
@click.option("--reach", default=2.0, show_default=True, type=click.FloatRange(0, 10), help="How far, either way.")
@click.option("--steps", default=9, show_default=True, type=click.IntRange(2, 64), help="Pictures along it.")
@seconds_option
@out_option(FILM, "With --apply: a .png strip, a .gif, .webp or .mp4 film, or .npz.", required=False)
@fitting_options
@json_option
def direction(
    run: str, a: str | None, b: str | None, method: str, name: str | None, image: str | None, reach: float, steps: int,
    seconds: float, out: Path | None, as_json: bool, **fitting: Any,
) -> None:  # fmt: skip
    """Find the direction from one class to another, to save it or to move an image along it; else list saved ones."""
    import numpy as np

    from aeviz import results
    from aeviz import runs as store
    from aeviz.runs.directions import check_length

    if (image is None) != (out is None):
        raise BadValue("--apply and --out belong together: an image to move, and the file to write")
    found = store.find(run)
    if a is None and b is None and name is None:
        return _list(found, as_json)
    found_direction = _find_or_make(found, a, b, method, name)
    text = _line(found_direction)
    if image is not None and out is not None:
        check_length(found, found_direction)
        start = results.encoded(found, *load_images(found, [image], **fitting))
        _write_shifted(found, start, np.array(found_direction.vector), np.linspace(-reach, reach, steps), out, seconds)
        text += f"\n{steps} steps from -{reach:g} to +{reach:g} written to {out}"
    return finish(as_json, {"run": found.id, "out": str(out) if out else None} | _entry(found_direction), text)


def _list(run: Any, as_json: bool) -> None:
    from aeviz.runs.directions import list_directions

    kept = list_directions(run)
    none = "no directions saved yet: aeviz direction RUN --from CLASS --to CLASS --name NAME"
    text = "\n".join(map(_line, kept)) or none
    finish(as_json, {"run": run.id, "directions": [_entry(each) for each in kept]}, text)


def _find_or_make(run: Any, a: str | None, b: str | None, method: str, name: str | None) -> Any:
    """The direction between two classes, saved if it has a name; or the saved one."""
    from aeviz import results
    from aeviz.runs.directions import find_direction, save_direction

    if a is None and b is None and name is not None:
        return find_direction(run, name)
    if a is None or b is None:
        raise BadValue("a direction needs two classes; give both --from and --to")
    classes, first, second = run.config().data.classes, class_number(run, a), class_number(run, b)
    between = f"{classes[first]} to {classes[second]}"[:80]
    with reporting(None) as report:
        found = results.class_direction(run, name or between, first, second, method, report=report)
    if name is not None:
        save_direction(run, found)
    return found


@click.command()
@click.argument("run")
@click.argument("a")
@click.argument("b")
@click.argument("c")
@click.option("--reach", default=1.5, show_default=True, type=click.FloatRange(0, 10), help="How far; 1 is A to B.")
@click.option("--steps", default=7, show_default=True, type=click.IntRange(2, 64), help="Pictures along the path.")
@seconds_option
@out_option(FILM, "A .png strip, a .gif, .webp or .mp4 film, or .npz.")
@fitting_options
@json_option
def analogy(
    run: str, a: str, b: str, c: str, reach: float, steps: int, seconds: float, out: Path, as_json: bool, **fitting: Any
) -> None:
    """What is to C as B is to A? Takes files, or numbers of test images."""
    import numpy as np

    from aeviz import results
    from aeviz import runs as store

    found = store.find(run)
    start = results.encoded(found, *load_images(found, [a, b, c], **fitting))
    amounts = np.linspace(0, reach, steps)
    _write_shifted(found, start, start.z[1] - start.z[0], amounts, out, seconds)
    text = f"{steps} steps from C to C + {reach:g} (B - A) written to {out}"
    finish(as_json, {"run": found.id, "out": str(out), "amounts": amounts.tolist()}, text)


def _write_shifted(run: Any, start: Any, vector: Any, amounts: Any, out: Path, seconds: float) -> None:
    """Decode the last encoded image plus multiples of a vector (D,), and write the result."""
    import numpy as np

    from aeviz import results
    from aeviz.latent.conditioning import condition_shift
    from aeviz.latent.directions import shift

    codes = np.concatenate([shift(start.z[-1:], vector, amount) for amount in amounts])
    turn = condition_shift(start.condition, results.model_of(run).n_classes)
    x_hat = results.decode_codes(run, codes, turn and turn.at(amounts))
    save_rows(out, x_hat[None], {"amount": amounts, "z": codes, "vector": vector, "x_hat": x_hat}, seconds)


def _entry(found: Any) -> dict[str, Any]:
    """A direction in --json."""
    return {name: getattr(found, name) for name in ("name", "method", "source", "specificity", "changes")}


def _line(found: Any) -> str:
    specific = "unknown" if found.specificity is None else f"{found.specificity:.0%}"
    most = ", ".join(f"{name} {change:+.2f}" for name, change in list(found.changes.items())[:SHOWN])
    return f"{found.name}: {found.source}, {found.method}, specificity {specific}; changes in std. dev.: {most}"
