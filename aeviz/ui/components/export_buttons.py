"""Export menu of a view: its images as picture or film, its plot, and its numbers as table or arrays."""

import csv
import io
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from aeviz import plots
from aeviz.data import animation
from aeviz.export.text import cell
from aeviz.ui.components.bridges import bridge, joined
from aeviz.ui.serve.addresses import address

PLOT = (800, 400)  # pixels; a PNG has twice as many
FILMS = {"GIF": "image/gif", "WebP": "image/webp", "MP4": "video/mp4"}

_saver = bridge("aeviz_plot_saver", joined("map/base.js", "app/plot_saver.js"))


def export_menu(
    name: str, images: np.ndarray, numbers: Mapping[str, np.ndarray], table: Mapping[str, np.ndarray], *,
    film: bool = False, picture: Callable[[], bytes] | None = None, plot: go.Figure | None = None,
) -> None:  # fmt: skip
    """Draw the menu of files that can be downloaded.

    Args:
        name: file name without extension.
        images: (R, S, C, H, W) uint8, rows of pictures.
        numbers: arrays of the NPZ by name.
        table: columns (n,) of the CSV by name; (n, D) becomes D columns.
        film: whether the S images of a row are frames of a film.
        picture: makes a labelled PNG, instead of the bare images.
        plot: a figure to export as SVG and PNG.
    """
    films = [form for form in FILMS if film and (form != "MP4" or animation.has_ffmpeg())]
    with st.popover("Export", icon=":material/download:", key=f"take.{name}"):
        _save(name, "Picture", "PNG", picture or (lambda: animation.encode_rows(images, ".png")), "image/png")
        if plot is not None:
            _save_plot(name, plot)
        for form in films:
            _save(name, "Film", form, partial(animation.encode_rows, images, f".{form.lower()}"), FILMS[form])
        _save(name, "Table", "CSV", lambda: as_csv(table), "text/csv")
        _save(name, "Arrays", "NPZ", lambda: as_npz(numbers), "application/octet-stream")


def _save(name: str, what: str, form: str, make: Callable[[], bytes], kind: str) -> None:
    ending = form.lower()
    st.download_button(
        f"{what} · {form}", make, f"{name}.{ending}", kind, key=f"take.{name}.{ending}", on_click="ignore",
        width="stretch"
    )  # fmt: skip


def _save_plot(name: str, plot: go.Figure) -> None:
    """Offer a figure in print style; the browser renders the file."""
    width, height = PLOT
    _saver(
        data={
            "figure": str(plots.on_paper(plot).to_json()), "plotly": address("plotly.js"), "name": f"{name}-plot",
            "width": width, "height": height,
            "said": {"svg": "Plot · SVG", "png": "Plot · PNG"},
        },
        key=f"take.{name}.plot",
    )  # fmt: skip


def as_csv(table: Mapping[str, np.ndarray]) -> bytes:
    """Encode columns (n,) or (n, D) as CSV; the D columns are numbered from 1."""
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
    """Encode arrays as compressed NPZ."""
    out = io.BytesIO()
    np.savez_compressed(out, **numbers)  # type: ignore[arg-type]
    return out.getvalue()
