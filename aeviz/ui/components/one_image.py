"""One image to begin with: a test image by its number, or one of a person's own."""

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aeviz import data
from aeviz.data import pictures
from aeviz.runs import Run
from aeviz.ui import cache, forms, show, state, words
from aeviz.ui.components.arriving import arrivals_of_images, fitting_now, say_problems
from aeviz.ui.components.pictures import brought_images

OF_SET = -1  # among the numbers of what was brought: none of them
SIDE = 160  # pixels that a picture has at least, to stay sharp
NARROW = 96  # pixels it takes on a narrow window


def one_image(run: Run, label: str, key: str, place: int = 0) -> np.ndarray | None:
    """An image (C, H, W) uint8, None while there is none; without a choice the first test image of class `place`."""
    here = cache.images_if_here(run)
    slot, beside = _places()
    with beside, st.container(gap="xxsmall"):
        image = _own(run, key, bool(here))
        if image is None and here:
            image = _of_set(here, label, key, place)
    with slot:
        _picture(image, label)
    return image


def _places() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Where the picture stands, and what chooses it; beside each other on a narrow window, too, where columns would not."""
    if not state.is_narrow():
        slot, beside = st.columns([2, 3], gap="small", vertical_alignment="bottom")
        return slot, beside
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
    return row.container(width=NARROW), row.container(width="stretch")


def images_of_yours(run: Run, key: str) -> None:
    """The way to bring images; each place that wants one offers them from then on."""
    with st.popover("Images of yours", icon=":material/add_photo_alternate:", width="stretch"):
        arrivals_of_images(run, f"{key}.yours")
        say_problems()


def _of_set(here: data.Dataset, label: str, key: str, place: int) -> np.ndarray | None:
    """A test image by its number, or by chance."""
    number = _numbered(here, label, key, place)
    rows = here.rows("test")
    st.button(
        "", icon=":material/casino:", key=f"{key}.draw", on_click=_draw, args=(f"{key}.row", len(rows)), help="Another test image by chance."
    )  # fmt: skip
    return None if number is None else np.asarray(here.images[rows[number]])


def _numbered(here: data.Dataset, label: str, key: str, place: int) -> int | None:
    """Which test image."""
    rows, slot = here.rows("test"), f"{key}.row"
    if not len(rows):
        return None
    if st.session_state.get(slot, 0) >= len(rows):
        del st.session_state[slot]
    return st.number_input(
        label, 0, len(rows) - 1, _first_of_class(here.labels[rows], place), key=slot, persist_state="session",
        help=f"The number of a test image, of {len(rows):,}.",
    )  # fmt: skip


def _first_of_class(labels: np.ndarray, place: int) -> int:
    """The first row of the class that comes so late, or, without classes, as late a row."""
    firsts = np.unique(labels[labels >= 0], return_index=True)[1]
    return int(firsts[place % len(firsts)]) if len(firsts) > 1 else place % len(labels)


def _own(run: Run, key: str, has_set: bool) -> np.ndarray | None:
    """One of the images a person has brought, made to fit the network; None where a test image is wanted."""
    brought = brought_images(run, fitting_now())
    if not brought.names:
        return None
    names = dict(enumerate(brought.names))
    options = [*([OF_SET] if has_set else []), *names]
    forms.begin(f"{key}.source", options[0], options)
    chosen = st.selectbox(
        "Image", options, key=f"{key}.source", format_func=lambda number: words.plain(names.get(number, "Test image")),
        label_visibility="collapsed", persist_state="session",
    )  # fmt: skip
    return None if chosen == OF_SET else np.asarray(brought.pixels[chosen])


def _draw(slot: str, count: int) -> None:
    st.session_state[slot] = int(np.random.default_rng().integers(count))


def _picture(image: np.ndarray | None, label: str) -> None:
    if image is None:
        st.markdown("### :material/image:", text_alignment="center")
        return
    scale = -(-SIDE // max(image.shape[1:]))
    show.picture(pictures.encode_png(pictures.mosaic(image[None], columns=1, scale=scale, gap=0)), label)
