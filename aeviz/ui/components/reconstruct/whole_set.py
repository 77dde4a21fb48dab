"""View Whole test set: an error histogram that filters the images below it."""

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from aeviz import plots
from aeviz.data import Dataset, pictures
from aeviz.runs import Run
from aeviz.ui import cache, words
from aeviz.ui.components.export_buttons import export_menu
from aeviz.ui.components.images.gallery import gallery
from aeviz.ui.components.images.pictures import name_of
from aeviz.ui.components.posters import Row, poster

MOST = 60  # images shown
SIDE, ROOM = 64, 380  # pixels
ACROSS = 10  # pairs per row of the exported picture
ALL = -1


def set_view(run: Run, on_opened: Callable[[Run, int], None]) -> None:
    """Draw test images by reconstruction error; a click passes the image's row to `on_opened`."""
    dataset = cache.images_if_here(run)
    if dataset is None:
        st.info("The images of this run are not here. Add your own instead.", icon=":material/no_photography:")
        return
    errors, rows = cache.errors(run, "test"), dataset.rows("test")
    mine = _of_class(run, dataset, rows)
    within = _range(run, errors, mine)
    found = np.flatnonzero(mine & (errors >= within[0]) & (errors <= within[1]))
    order = np.argsort(errors[found], kind="stable")
    worst, description = _worst_first(len(found), int(mine.sum()))
    shown = rows[found[order[::-1] if worst else order][:MOST]]
    if not len(shown):
        st.info("No image has an error in this range. Move the ends of the slider.", icon=":material/filter_alt:")
        return
    x = np.asarray(dataset.images[np.sort(shown)])[np.argsort(np.argsort(shown))]
    rebuilt = cache.rebuild(run, x, dataset.labels[shown])
    pairs = np.stack([pictures.to_pixels(rebuilt.x), pictures.to_pixels(rebuilt.x_hat)], axis=1)  # (n, 2, C, H, W)
    captions = [words.number(error) for error in rebuilt.numbers()["mse"]]
    _mosaic(dataset, shown, pairs, captions, lambda row: on_opened(run, row))
    with st.container(horizontal_alignment="right"):
        _export(dataset, rows, errors, pairs, captions, description, plots.error_histogram(errors, mine, within))


def _of_class(run: Run, dataset: Dataset, rows: np.ndarray) -> np.ndarray:
    """Select a class; returns a mask (n,) of the rows."""
    labels = dataset.labels[rows]
    if not dataset.classes:
        return np.ones(len(rows), bool)
    kinds = [ALL, *range(len(dataset.classes))]
    names = ["All", *(words.plain(name) for name in dataset.classes)]
    kind = st.pills(
        "Class", kinds, default=ALL, required=True, key=f"errors.class.{run.id}",
        format_func=lambda number: names[number + 1], label_visibility="collapsed"
    )  # fmt: skip
    return np.ones(len(rows), bool) if kind == ALL else labels == kind


def _range(run: Run, errors: np.ndarray, mine: np.ndarray) -> tuple[float, float]:
    """Select a range of errors with a slider below the histogram."""
    slot = st.container()
    low, high = plots.error_range(errors)
    chosen = st.slider(
        "Errors", low, high, (low, high), (high - low) / 200, format="%.3g", key=f"errors.range.{run.id}",
        label_visibility="collapsed"
    )  # fmt: skip
    with slot:
        figure = plots.error_histogram(errors, mine, chosen, height=150)
        st.plotly_chart(
            figure,
            key="errors.histogram",
            config={"displayModeBar": False},
            alt="Histogram of test image errors",
        )
    return chosen


def _worst_first(found: int, of: int) -> tuple[bool, str]:
    """Select the order; returns whether the worst come first, and a description."""
    with st.container(horizontal=True, vertical_alignment="center"):
        order = st.segmented_control(
            "Order", ["worst", "best"], default="worst", required=True, key="errors.order", format_func=words.label,
            persist_state="session", label_visibility="collapsed", width="content",
        )  # fmt: skip
        all_of = f"{of:,} test images" if found == of else f"{found:,} test images with errors in this range"
        description = f"The {order} {MOST} of {all_of}" if found > MOST else words.capitalised(all_of)
        st.caption(f"{description}, each beside its reconstruction. Click one to enlarge it.")
    return order == "worst", description


def _mosaic(
    dataset: Dataset, rows: np.ndarray, pairs: np.ndarray, captions: list[str], on_opened: Callable[[int], None]
) -> None:
    gallery(
        pairs.reshape(-1, *pairs.shape[2:]), parts=2, key="errors.mosaic", side=SIDE, height=ROOM,
        on_picked=lambda place: on_opened(int(rows[place])),
        labels=captions,
        notes=[f"{name_of(dataset, row)} · MSE {error}" for row, error in zip(rows, captions, strict=True)],
    )  # fmt: skip


def _export(
    dataset: Dataset, rows: np.ndarray, errors: np.ndarray, pairs: np.ndarray, captions: list[str], description: str,
    histogram: go.Figure
) -> None:  # fmt: skip
    """Export the shown images and the errors of the whole test set."""
    seam = [(0, 0)] * 3 + [(0, 1)]
    joined = np.concatenate([np.pad(pairs[:, 0], seam, constant_values=255), pairs[:, 1]], axis=-1)  # (n, C, H, 2W + 1)
    lines = [
        Row(joined[start : start + ACROSS], below=captions[start : start + ACROSS])
        for start in range(0, len(joined), ACROSS)
    ]
    labels = dataset.labels[rows]
    names = np.array([dataset.classes[label] if label >= 0 else "" for label in labels])
    export_menu(
        "errors", pairs, {"index": rows, "label": labels, "error": errors},
        {"index": rows, "label": names, "error": errors},
        picture=lambda: poster(lines, f"{description}, each beside its reconstruction, with its mean squared error"),
        plot=histogram,
    )  # fmt: skip
