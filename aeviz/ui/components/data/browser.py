"""Page Data: browse a data set, and start an import."""

import numpy as np
import streamlit as st

from aeviz import data, plots
from aeviz.data import DataInfo, Dataset
from aeviz.ui import cache, pick, show, words
from aeviz.ui.components.data import imports

CELLS = 96  # images per page
COLUMNS = 12
GRID_WIDTH = 780


def set_picker() -> DataInfo:
    """Select a data set; shows its description and a delete button for imported ones."""
    info = pick.data_picker("data.set")
    if info.description:
        st.caption(words.plain(info.description))
    if info.own:
        with st.popover("Delete this data set", icon=":material/delete:", width="stretch", key="data.delete"):
            st.markdown(f"Delete **{words.plain(info.name)}** and its {info.n:,} images? Runs trained on it are kept.")
            st.button("Delete data set", type="primary", key="data.delete.yes", on_click=_deleted, args=(info.name,))
    return info


def _deleted(name: str) -> None:
    """Delete a data set and reset the picker."""
    data.delete(name)
    del st.session_state["data.set"]
    st.toast("Data set deleted.", icon=":material/delete:")


def import_button() -> None:
    """Draw the button that opens the import dialog."""
    if st.button(
        "Import images",
        icon=":material/add_photo_alternate:",
        type="primary",
        width="stretch",
        key="data.import",
    ):
        imports.import_dialog()


def browse(info: DataInfo) -> None:
    """Draw a running import, then the data set's images and statistics."""
    working = imports.import_progress()
    if not info.ready:
        imports.download_box(info, working)
        return
    dataset = cache.dataset(info.name, info.params)
    _figures(dataset)
    grid, side = st.columns([5, 2], gap="large")
    with grid:
        _grid(dataset)
    with side:
        _mean(dataset)
        _counts(dataset)


def _figures(dataset: Dataset) -> None:
    sizes = {name: len(dataset.rows(name)) for name in ("train", "val", "test")}
    with st.container(horizontal=True, gap="medium"):
        st.metric("Images", f"{len(dataset):,}", width="content")
        st.metric("Size", words.shape(dataset.shape), width="content")
        st.metric("Train", f"{sizes['train']:,}", width="content", help="Used to train networks.")
        st.metric("Validation", f"{sizes['val']:,}", width="content", help="Used to select the best weights.")
        st.metric(
            "Test",
            f"{sizes['test']:,}",
            width="content",
            help="Used only for evaluation, never for training or selection.",
        )


def _grid(dataset: Dataset) -> None:
    """Draw one page of images, of all or one class."""
    rows = np.arange(len(dataset))
    with st.container(horizontal=True, vertical_alignment="center"):
        if dataset.classes:
            shown = st.selectbox(
                "Class", [-1, *range(len(dataset.classes))], key=f"data.class.{dataset.name}",
                label_visibility="collapsed", width=220,
                format_func=lambda number: "All classes" if number < 0 else words.plain(dataset.classes[number]),
            )  # fmt: skip
            rows = rows if shown < 0 else np.flatnonzero(dataset.labels == shown)
        pages = max(1, -(-len(rows) // CELLS))
        page = st.pagination(pages, key=f"data.page.{dataset.name}.{pages}") if pages > 1 else 1
    chosen = rows[(page - 1) * CELLS : page * CELLS]
    if not len(chosen):
        st.caption("No images of this class.")
        return
    scale = max(1, GRID_WIDTH // (COLUMNS * dataset.shape[-1]))
    images = np.ascontiguousarray(dataset.images[chosen])
    show.picture(data.encode_mosaic(images, columns=COLUMNS, scale=scale, gap=2), "A page of images")
    last = (page - 1) * CELLS + len(chosen)
    st.caption(f"{(page - 1) * CELLS + 1:,} to {last:,} of {len(rows):,}")


def _mean(dataset: Dataset) -> None:
    st.markdown("**Mean image**")
    mean = cache.mean_image(dataset.hash, dataset)
    scale = max(1, 140 // dataset.shape[-1])
    show.picture(data.encode_mosaic(mean[None], columns=1, scale=scale, gap=0), "Mean image", 140)


def _counts(dataset: Dataset) -> None:
    if not dataset.classes:
        return
    st.markdown("**Images per class**")
    counts = np.bincount(dataset.labels[dataset.labels >= 0], minlength=len(dataset.classes))
    st.plotly_chart(
        plots.counts_bars(dataset.classes, counts),
        key=f"counts.{dataset.name}",
        config={"displayModeBar": False},
        alt="Images per class",
    )
