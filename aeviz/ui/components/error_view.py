"""The errors of the whole test set: a histogram that filters the pictures below it, the worst or the best first."""

from collections.abc import Callable

import numpy as np
import streamlit as st

from aeviz import plots
from aeviz.data import Dataset, pictures
from aeviz.runs import Run
from aeviz.ui import cache, words
from aeviz.ui.components.gallery import gallery
from aeviz.ui.components.pictures import name_of

MOST = 60  # pictures at once
SIDE, ROOM = 64, 380  # pixels
ALL = -1


def set_view(run: Run, on_opened: Callable[[Run, int], None]) -> None:
    """Which images of the test set are rebuilt well, and which are not; a click on one tells its row."""
    dataset = cache.images_if_here(run)
    if dataset is None:
        st.info("The images of this run are not here; bring some of yours instead.", icon=":material/no_photography:")
        return
    errors, rows = cache.errors(run, "test"), dataset.rows("test")
    mine = _of_class(run, dataset, rows)
    low, high = _range(run, errors, mine)
    within = np.flatnonzero(mine & (errors >= low) & (errors <= high))
    worst = _worst_first(len(within), int(mine.sum()))
    order = np.argsort(errors[within], kind="stable")
    _mosaic(run, dataset, rows[within[order[::-1] if worst else order][:MOST]], on_opened)


def _of_class(run: Run, dataset: Dataset, rows: np.ndarray) -> np.ndarray:
    """Which of the rows are of the class that is asked for."""
    labels = dataset.labels[rows]
    if not dataset.classes:
        return np.ones(len(rows), bool)
    kinds = [ALL, *range(len(dataset.classes))]
    names = ["All", *(words.plain(name) for name in dataset.classes)]
    kind = st.pills(
        "Class", kinds, default=ALL, required=True, key=f"errors.class.{run.id}", format_func=lambda number: names[number + 1], label_visibility="collapsed"
    )  # fmt: skip
    return np.ones(len(rows), bool) if kind == ALL else labels == kind


def _range(run: Run, errors: np.ndarray, mine: np.ndarray) -> tuple[float, float]:
    """The errors that are asked for, with the histogram above the slider that chooses them."""
    slot = st.container()
    low, high = plots.reach_of(errors)
    chosen = st.slider(
        "Errors", low, high, (low, high), (high - low) / 200, format="%.3g", key=f"errors.range.{run.id}", label_visibility="collapsed"
    )  # fmt: skip
    with slot:
        figure = plots.error_histogram(errors, mine, chosen, height=150)
        st.plotly_chart(
            figure,
            key="errors.histogram",
            config={"displayModeBar": False},
            alt="How many test images have which error",
        )
    return chosen


def _worst_first(found: int, of: int) -> bool:
    with st.container(horizontal=True, vertical_alignment="center"):
        order = st.segmented_control(
            "Order", ["worst", "best"], default="worst", required=True, key="errors.order", format_func=words.label,
            persist_state="session", label_visibility="collapsed", width="content",
        )  # fmt: skip
        shown = f"the {'worst' if order == 'worst' else 'best'} {MOST} of " if found > MOST else ""
        st.caption(f"{shown}{found:,} of {of:,} test images, each beside its reconstruction; a click shows it large.")
    return order == "worst"


def _mosaic(run: Run, dataset: Dataset, rows: np.ndarray, on_opened: Callable[[Run, int], None]) -> None:
    if not len(rows):
        st.info("No image has an error within this range; move the ends of the slider.", icon=":material/filter_alt:")
        return
    x = np.asarray(dataset.images[np.sort(rows)])[np.argsort(np.argsort(rows))]
    rebuilt = cache.rebuild(run, x, dataset.labels[rows])
    mse = rebuilt.numbers()["mse"]

    gallery(
        np.stack([x, pictures.to_pixels(rebuilt.x_hat)], axis=1).reshape(-1, *x.shape[1:]), parts=2, key="errors.mosaic", side=SIDE, height=ROOM, on_picked=lambda place: on_opened(run, int(rows[place])),
        labels=[words.number(error) for error in mse], notes=[f"{name_of(dataset, row)} · MSE {words.number(error)}" for row, error in zip(rows, mse, strict=True)],
    )  # fmt: skip
