"""Output files: arrays, and rows of pictures in the format given by the file extension."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from aeviz.errors import BadValue

PICTURE, FILM = (".png", ".npz"), (".png", ".gif", ".webp", ".mp4", ".npz")

Option = Callable[[Callable[..., None]], Callable[..., None]]

seconds_option = click.option(
    "--seconds", default=0.1, show_default=True, type=click.FloatRange(0.02, 10), help="Duration of a frame."
)


def out_option(endings: tuple[str, ...], help: str, *, required: bool = True) -> Option:
    """The output file, whose name must have one of these extensions."""

    def check(context: click.Context, parameter: click.Parameter, out: Path | None) -> Path | None:
        if out is not None and out.suffix.lower() not in endings:
            raise BadValue(
                "{name} does not have a supported extension; use {known}", name=out.name, known=", ".join(endings)
            )
        return out

    return click.option("--out", required=required, type=click.Path(path_type=Path), callback=check, help=help)


def save_npz(out: Path, arrays: dict[str, Any]) -> None:
    """Write arrays to an .npz file, creating its folder if necessary."""
    import numpy as np

    from aeviz import files

    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    out.parent.mkdir(parents=True, exist_ok=True)
    files.write_bytes(out, buffer.getvalue())


def save_rows(out: Path, rows: Any, arrays: dict[str, Any], seconds: float = 0.1) -> None:
    """Write rows of images (R, S, C, H, W) in [0, 1] as a picture or an animation, or as .npz with all arrays."""
    from aeviz.data import to_pixels
    from aeviz.data.animation import write_rows

    if out.suffix.lower() == ".npz":
        save_npz(out, arrays)
    else:
        write_rows(to_pixels(rows), out, seconds)
