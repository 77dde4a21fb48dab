"""Take it along: any strip, grid or mosaic as a picture, a film where it moves, and the numbers behind it."""

import csv
import io
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import streamlit as st

from aeviz.data import animation
from aeviz.export.text import cell

FILMS = {"GIF": "image/gif", "WebP": "image/webp", "MP4": "video/mp4"}


def take_along(
    name: str, images: np.ndarray, numbers: Mapping[str, np.ndarray], table: Mapping[str, np.ndarray], *, film: bool = False
) -> None:  # fmt: skip
    """A button that opens what can be saved.

    Args:
        name: of the files.
        images: (R, S, C, H, W) uint8, rows of pictures.
        numbers: arrays for the NPZ, by name.
        table: the columns of the CSV, all of one length, a column (n, D) as D of them.
        film: whether the S pictures of a row follow each other in time.
    """
    films = [form for form in FILMS if film and (form != "MP4" or animation.has_ffmpeg())]
    with st.popover("Take it along", icon=":material/download:", key=f"take.{name}"):
        _save(name, "Picture", "PNG", lambda: animation.encode_rows(images, ".png"), "image/png")
        for form in films:
            _save(name, "Film", form, partial(animation.encode_rows, images, f".{form.lower()}"), FILMS[form])
        _save(name, "Table", "CSV", lambda: as_csv(table), "text/csv")
        _save(name, "Arrays", "NPZ", lambda: as_npz(numbers), "application/octet-stream")


def _save(name: str, what: str, form: str, make: Callable[[], bytes], kind: str) -> None:
    ending = form.lower()
    st.download_button(
        f"{what} · {form}", make, f"{name}.{ending}", kind, key=f"take.{name}.{ending}", on_click="ignore", width="stretch"
    )  # fmt: skip


def as_csv(table: Mapping[str, np.ndarray]) -> bytes:
    """A table whose columns are arrays (n,) or (n, D), whose D are numbered from 1 as on screen."""
    names, columns = [], []
    for name, values in table.items():
        several = values.ndim > 1
        names += [f"{name}{number}" for number in range(1, values.shape[1] + 1)] if several else [name]
        columns += list(values.T) if several else [values]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(names)
    writer.writerows(zip(*([_cell(value) for value in column] for column in columns), strict=True))
    return out.getvalue().encode()


def _cell(value: object) -> object:
    if isinstance(value, float | np.floating):
        return f"{value:.6g}"
    return cell(value) if isinstance(value, str) else value


def as_npz(numbers: Mapping[str, np.ndarray]) -> bytes:
    """Arrays by name, packed."""
    out = io.BytesIO()
    np.savez_compressed(out, **numbers)  # type: ignore[arg-type]
    return out.getvalue()
