"""The images shown on a page: test images, or the user's own."""

from dataclasses import dataclass, field

import numpy as np
import streamlit as st

from aeviz.data import Dataset, Fitting, pictures, read_image
from aeviz.runs import Run
from aeviz.ui import cache, forms, state, words
from aeviz.ui.components.images import your_images
from aeviz.ui.components.images.class_labels import labels_of, user_labels
from aeviz.ui.components.images.gallery import gallery

FROM_SET = "Test images"
TYPES = ["png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff"]
STRIP = 52  # pixels
COUNT, MOST = 12, 24  # test images shown, and maximum number of opened ones
ROWS, PLACE, DRAW = "pictures.rows", "pictures.place", "pictures.draw"


@dataclass(frozen=True)
class Chosen:
    """Images (n, C, H, W) uint8 fitted to a run's network, their names, and the index of the selected one.

    `labels` (n,) are from the data set or the user, -1 if unknown.
    `files` are the user's own files, empty for test images; `inverted` (n,) says which were inverted.
    `captions` (n,) are short enough for thumbnails.
    """

    pixels: np.ndarray
    names: list[str]
    labels: np.ndarray
    picked: int = 0
    files: tuple[your_images.YourImage, ...] = ()
    fitting: Fitting = field(default_factory=Fitting)
    inverted: tuple[bool, ...] = ()
    captions: tuple[str, ...] = ()

    def fitted(self, run: Run) -> np.ndarray:
        """The same images fitted to a run with another image shape."""
        shape = run.config().data.shape
        if shape == self.pixels.shape[1:]:
            return self.pixels
        if not self.files:
            return np.stack([_resized(image, shape) for image in self.pixels])
        return np.stack(
            [
                fit(one, shape, self.fitting.model_copy(update={"invert": "yes" if turned else "no"}))[0]
                for one, turned in zip(self.files, self.inverted, strict=True)
            ]
        )


def _resized(image: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return read_image(pictures.encode_png(pictures.mosaic(image[None], columns=1, gap=0)), shape)


def fit(
    one: your_images.YourImage, shape: tuple[int, ...], fitting: Fitting, run: Run | None = None
) -> tuple[np.ndarray, bool]:
    """Fit an image to a shape; returns it and whether it was inverted, which may depend on the images of `run`."""
    border = cache.border_of(run) if run else None
    return cache.fitted(one.digest, shape, fitting.model_dump_json(), border, one.content)


def fitted_images(run: Run, fitting: Fitting) -> Chosen:
    """The user's own images, fitted to a run's network."""
    shape, files = run.config().data.shape, tuple(your_images.kept())
    read = [fit(one, shape, fitting, run) for one in files]
    pixels = np.stack([image for image, _ in read]) if read else np.empty((0, *shape), np.uint8)
    names = [one.name for one in files]
    labels, turned = user_labels(run, pixels), tuple(turned for _, turned in read)
    return Chosen(pixels, names, labels, your_images.picked(), files, fitting, turned, tuple(names))


def set_images(run: Run) -> Chosen:
    """Select test images: random, best or worst reconstructed, or opened from another view."""
    dataset = cache.images_of(run)
    orders = ["mixed", "worst", "best", *(["picked"] if _opened_rows(run) else [])]
    forms.init_state("pictures.order", orders[0], orders)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        order = st.selectbox(
            "Which", orders, key="pictures.order", format_func=words.label, persist_state="session",
            help="Worst and best by reconstruction error.",
        )  # fmt: skip
        if order == "mixed":
            st.button(
                "",
                icon=":material/casino:",
                key="pictures.others",
                on_click=_draw_others,
                help="Pick other random images.",
            )
    if order == "picked":
        return chosen_rows(run, dataset, np.array(_opened_rows(run)))
    rows = dataset.rows("test")
    if order == "mixed":
        drawn = np.random.default_rng(state.recall(DRAW, 0)).permutation(rows)
        return chosen_rows(run, dataset, np.sort(drawn[:COUNT]))
    ranks = np.argsort(cache.errors(run, "test"))
    return chosen_rows(run, dataset, rows[ranks[::-1][:COUNT] if order == "worst" else ranks[:COUNT]])


def _draw_others() -> None:
    state.remember(DRAW, state.recall(DRAW, 0) + 1)


def chosen_rows(run: Run, dataset: Dataset, rows: np.ndarray) -> Chosen:
    """Images of a data set by row."""
    names = [name_of(dataset, row) for row in rows]
    place = max(0, min(state.recall(PLACE, 0), len(rows) - 1))
    captions = tuple(
        dataset.classes[label] if label >= 0 else name for label, name in zip(dataset.labels[rows], names, strict=True)
    )
    pixels = np.ascontiguousarray(dataset.images[rows])
    return Chosen(pixels, names, labels_of(run, pixels, dataset.labels[rows]), place, captions=captions)


def open_image(run: Run, row: int) -> None:
    """Add an image to the opened ones and select it; call it from a callback."""
    asked = [other for other in _opened_rows(run) if other != row]
    state.remember(ROWS, (run.id, [row, *asked][:MOST]))
    state.remember(PLACE, 0)
    st.session_state["pictures.order"] = "picked"


def _opened_rows(run: Run) -> list[int]:
    id, rows = state.recall(ROWS, ("", []))
    return rows if id == run.id else []


def name_of(dataset: Dataset, row: int) -> str:
    """An image's file name or row, with its class."""
    label = dataset.labels[row]
    file = dataset.files[row] if dataset.files else f"#{row}"
    return f"{file} · {dataset.classes[label]}" if label >= 0 else file


def strip(chosen: Chosen, key: str) -> None:
    """Draw thumbnails in a row; a click selects one, and own images can be removed."""
    gallery(
        chosen.pixels, key=key, side=STRIP, notes=chosen.names, picked=chosen.picked, row=True,
        on_picked=your_images.pick if chosen.files else lambda place: state.remember(PLACE, place),
        on_removed=your_images.remove if chosen.files else None,
    )  # fmt: skip


def as_colour(image: np.ndarray) -> np.ndarray:
    """Convert a greyscale image (1, H, W) to (3, H, W)."""
    return np.repeat(image, 3, axis=0) if len(image) == 1 else image
