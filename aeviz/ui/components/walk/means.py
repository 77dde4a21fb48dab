"""View Mean: the mean of many images, in pixels and in codes."""

from typing import Literal

import numpy as np
import streamlit as st

from aeviz import results
from aeviz.data import Dataset, pictures
from aeviz.results import ClassMeans, Split
from aeviz.runs import Run
from aeviz.ui import cache, show, state, words
from aeviz.ui.components.export_buttons import export_menu
from aeviz.ui.components.map.selection import picked

EVERY, PICKED = -1, -2  # besides class numbers
SPLIT: Split = "test"
LARGE, CARD, SHOWN, STRIP_WIDTH = 320, 84, 40, 780  # pixels and counts
MOST_CARDS = 60
PIXELS, CODES = "Mean of the pixels", "Mean of the codes, decoded"


def means_controls(run: Run) -> tuple[int, Split]:
    """Select the images to average; returns them and the split of the selection on the map."""
    picks: dict[Split, np.ndarray] = {split: picked(run, split) for split in ("test", "val", "train")}
    split = max(picks, key=lambda name: len(picks[name]))
    classes = run.config().data.classes
    offered = [*([EVERY, *range(len(classes))] if classes else []), PICKED]
    chosen = st.selectbox(
        "Images", offered, key=f"means.of.{len(classes)}", persist_state="session",
        format_func=lambda number: (
            {EVERY: "Every class",
            PICKED: f"Selected on the map ({len(picks[split]):,})"}.get(number) or classes[number]
        ),
        help="The test images of a class, or the images selected on the page Map.",
    )  # fmt: skip
    st.caption(
        "The mean of the pixels blurs whatever does not line up. The mean of the codes is a single code, so its "
        "decoded image can stay sharp."
    )
    return chosen, split


def means_canvas(run: Run, asked: tuple[int, Split]) -> None:
    """Draw both means side by side."""
    chosen, split = asked
    dataset = cache.images_if_here(run)
    if dataset is None:
        st.info(
            "The images of this run are not here, so there is nothing to average.", icon=":material/no_photography:"
        )
    elif chosen == EVERY:
        _every_class(run)
    elif chosen == PICKED:
        rows = picked(run, split)
        if len(rows):
            _group(run, split, rows, dataset, f"{len(rows):,} selected images")
        else:
            st.info(
                "Nothing is selected. Draw around some dots on the page Map to see their mean here.",
                icon=":material/lasso_select:",
            )
    else:
        rows = dataset.rows(SPLIT)
        rows = rows[dataset.labels[rows] == chosen]
        name = run.config().data.classes[chosen]
        if len(rows):
            _group(run, SPLIT, rows, dataset, f"{len(rows):,} test images of {name}")
        else:
            st.info(f"No test image belongs to the class {words.plain(name)}.", icon=":material/category:")


def _every_class(run: Run) -> None:
    """Draw a card for each class: mean of the pixels, mean of the codes."""
    means, classes = cache.class_means(run, SPLIT), run.config().data.classes
    pairs = np.stack([pictures.to_pixels(means.images), pictures.to_pixels(means.decoded)], axis=1)  # (K, 2, C, H, W)
    st.caption(f"Left: {PIXELS.lower()}. Right: {CODES.lower()}.")
    with st.grid(min_column_width=2 * CARD, gap="small"):
        for label, count, pair in list(zip(means.labels.tolist(), means.counts, pairs, strict=True))[:MOST_CARDS]:
            with st.container(border=True, gap="xxsmall"):
                show.picture(_side_by_side(pair, CARD), f"{PIXELS} and of the codes")
                st.caption(f"**{words.plain(classes[label])}** · {count:,}")
    _export(pairs, means, classes)


def _export(pairs: np.ndarray, means: ClassMeans, classes: tuple[str, ...]) -> None:
    numbers = {"label": np.array([classes[label] for label in means.labels]), "count": means.counts, "z": means.z}
    export_menu("means", pairs.swapaxes(0, 1), numbers | {"pixels": means.images, "x_hat": means.decoded}, numbers)


def _group(run: Run, split: Split, rows: np.ndarray, dataset: Dataset, description: str) -> None:
    found = results.selection(run, split, rows, dataset)
    pair = np.stack([pictures.to_pixels(found.image), pictures.to_pixels(found.decoded)])
    for place, (column, image, name) in enumerate(zip(st.columns(2), pair, (PIXELS, CODES), strict=True)):
        with column, st.container(horizontal_alignment="right" if place == 0 and not state.is_narrow() else "left"):
            width: int | Literal["stretch"] = "stretch" if state.is_narrow() else LARGE
            show.picture(_side_by_side(image[None], LARGE), name, width)
            st.caption(name, width=width, text_alignment="center")
    few = rows[np.linspace(0, len(rows) - 1, min(SHOWN, len(rows))).astype(np.int64)]
    columns = max(10, len(few) // 2)
    scale = -(-STRIP_WIDTH // (columns * dataset.shape[2]))
    strip = pictures.mosaic(np.ascontiguousarray(dataset.images[few]), columns, scale)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"Of {words.plain(description)}" + (f"; {len(few)} of them:" if len(few) < len(rows) else ":"),
            width="stretch",
        )
        export_menu(
            "mean",
            pair[None],
            {"pixels": found.image, "x_hat": found.decoded, "z": found.code},
            {"z": found.code[None]},
        )
    show.picture(pictures.encode_png(strip), f"Some of {description}")


def _side_by_side(images: np.ndarray, side: int) -> bytes:
    """Images (n, C, H, W) side by side as PNG, each enlarged to at least `side` pixels."""
    return pictures.encode_png(pictures.mosaic(images, len(images), -(-side // max(images.shape[2:])), gap=4))
