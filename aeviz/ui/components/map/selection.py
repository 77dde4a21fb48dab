"""The selection on the map: images, counts, labels, groups and downloads; independent of colour and method."""

import csv
import io
import zipfile

import numpy as np
import streamlit as st

from aeviz import data, results
from aeviz.data import Dataset, own_labels, pictures
from aeviz.latent.projections.polygon import within
from aeviz.results import Map, Split
from aeviz.runs import Run
from aeviz.ui import cache, show, state, words
from aeviz.ui.components.map import groups
from aeviz.ui.components.map.groups import direction_line, group_buttons
from aeviz.ui.components.map.view import Picked
from aeviz.ui.frame import catch_errors

SHOWN = 20  # images in the strip
STRIP_WIDTH = 960
HINTS = {
    2: ":material/lasso_select: Draw around dots to see their images here. Click a dot to see its neighbours, "
    "Shift-click to select it. Scroll to zoom.",
    3: ":material/touch_app: Click a dot to see its neighbours, Shift-click to select it and see its image here. "
    "Drag to rotate, scroll to zoom.",
}
MOST_NAMED = 3


def picked(run: Run, split: Split) -> np.ndarray:
    """The selected rows (M,) of a run's split."""
    return np.asarray(state.recall(_key(run, split), np.empty(0, np.int64)))


def receive(run: Run, split: Split, drawn: Map, picked: Picked) -> None:
    """Store a selection made on a map, as dots or as an outline."""
    dots = picked.dots if picked.outline is None else within(drawn.points, picked.outline)
    state.remember(_key(run, split), np.sort(drawn.index[dots]))


def _key(run: Run, split: Split) -> str:
    return f"picked.{run.id}.{split}"


def _clear(run: Run, split: Split) -> None:
    state.remember(_key(run, split), np.empty(0, np.int64))


def selection_strip(run: Run, split: Split, picked: np.ndarray, dims: int) -> None:
    """Draw the selection with its actions, or a hint how to select in 2-D or 3-D."""
    direction_line(run, split)
    if not len(picked):
        st.caption(HINTS[dims])
        return
    dataset = cache.images_if_here(run)
    if dataset is None:
        st.caption(
            f"{len(picked):,} selected. Their images (data set {words.plain(run.config().data.name)}) are not here."
        )
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{len(picked):,} selected**", width="content")
        group_buttons(run, split, picked)
        with st.popover("Label", icon=":material/label:", help="Label these images yourself."):
            _label_form(dataset, picked)
        st.download_button(
            "Table", lambda: table(run, dataset, picked), "selection.csv", "text/csv", icon=":material/table:",
            key="save.table",
            on_click="ignore", help="Index, label, file and code of each selected image.",
        )  # fmt: skip
        st.download_button(
            "Images", lambda: images_zip(dataset, picked), "selection.zip", "application/zip", icon=":material/image:",
            key="save.images", on_click="ignore", help="Each selected image as a PNG.",
        )  # fmt: skip
        st.button("Clear selection", icon=":material/deselect:", key="let_go", on_click=_clear, args=(run, split))
    means, pictures_of_it = (
        st.columns([1, 5], vertical_alignment="center", gap="medium")
        if not state.is_narrow()
        else (st.container(), st.container())
    )
    with means:
        _means(run, split, picked, dataset)
    with pictures_of_it:
        st.caption(_counts(dataset, picked))
        _mosaic(run, dataset, picked)


def _label_form(dataset: Dataset, picked: np.ndarray) -> None:
    """Draw the form that labels the selection."""
    st.text_input("Label", key="label.name", max_chars=own_labels.LONGEST, placeholder="odd ones")
    st.button("Apply", type="primary", key="label.give", on_click=catch_errors(_give), args=(dataset, picked))
    st.caption("Saved with the data set; you can colour the map by it. An empty label removes the existing one.")


def _give(dataset: Dataset, picked: np.ndarray) -> None:
    own_labels.label_images(dataset, picked, str(st.session_state["label.name"]))
    groups.ask_for_page()


def _means(run: Run, split: Split, picked: np.ndarray, dataset: Dataset) -> None:
    """Draw the mean image and the decoded mean code."""
    found = results.selection(run, split, picked, dataset)
    both = pictures.to_pixels(np.stack([found.image, found.decoded]))
    scale = max(1, 72 // max(both.shape[-2:]))
    picture = pictures.mosaic(both, columns=2, scale=scale, gap=4)
    show.picture(pictures.encode_png(picture), "Mean image and decoded mean code", picture.shape[1])
    st.caption("Mean image, decoded mean code")


def _mosaic(run: Run, dataset: Dataset, picked: np.ndarray) -> None:
    strip, width = _strip(run, dataset, picked[:SHOWN])
    show.picture(strip, "Selected images, their reconstructions below", "stretch" if len(picked) >= 10 else width)
    if len(picked) > SHOWN:
        with st.expander(f"All {len(picked):,} originals", on_change="rerun", key="all_selected") as everything:
            if everything.open:
                few = picked[:1000]
                show.picture(data.encode_mosaic(np.asarray(dataset.images[few]), columns=40), "All selected images")
                if len(picked) > len(few):
                    st.caption(f"Showing the first {len(few):,} of {len(picked):,}. The download contains all of them.")


def _strip(run: Run, dataset: Dataset, rows: np.ndarray) -> tuple[bytes, int]:
    """Images above their reconstructions as WebP, and the width in pixels."""
    x = np.ascontiguousarray(dataset.images[rows])
    back = pictures.to_pixels(cache.rebuild(run, x, dataset.labels[rows]).x_hat)
    scale = max(1, STRIP_WIDTH // (max(len(rows), 10) * x.shape[-1]))
    strip = pictures.originals_over_reconstructions(x, back, columns=len(rows), scale=scale)
    return pictures.encode_webp(strip), strip.shape[1]


def _counts(dataset: Dataset, rows: np.ndarray) -> str:
    """The classes of the rows, most frequent first."""
    labels, counts = np.unique(dataset.labels[rows], return_counts=True)
    if not dataset.classes or (labels < 0).all():
        return ""
    named = [
        (dataset.classes[label] if label >= 0 else "no label", count)
        for label, count in zip(labels, counts, strict=True)
    ]
    named.sort(key=lambda pair: -pair[1])
    rest = [f"{len(named) - MOST_NAMED} more"] if len(named) > MOST_NAMED else []
    return " · ".join([f"{words.plain(name)} ({count:,})" for name, count in named[:MOST_NAMED]] + rest)


def table(run: Run, dataset: Dataset, rows: np.ndarray) -> bytes:
    """A CSV of index, label, file and code; text that a spreadsheet would read as a formula is quoted."""
    z = results.encode_images(run, np.ascontiguousarray(dataset.images[rows]), dataset.labels[rows])
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["index", "label", "file", *(f"z{number}" for number in range(1, z.shape[1] + 1))])
    for position, row in enumerate(rows):
        label = dataset.classes[dataset.labels[row]] if dataset.labels[row] >= 0 else ""
        file = dataset.files[row] if dataset.files else ""
        writer.writerow(
            [row, _escape_formula(label), _escape_formula(file), *(f"{value:.6g}" for value in z[position])]
        )
    return out.getvalue().encode()


def _escape_formula(text: str) -> str:
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def images_zip(dataset: Dataset, rows: np.ndarray) -> bytes:
    """A zip of PNGs named by index."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for row in rows:
            picture = pictures.mosaic(np.asarray(dataset.images[row : row + 1]), columns=1, gap=0)
            archive.writestr(f"{row}.png", pictures.encode_png(picture))
    return buffer.getvalue()
