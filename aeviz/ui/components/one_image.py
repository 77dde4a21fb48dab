"""One image to begin with: a test image by its number, or one of a person's own."""

import numpy as np
import streamlit as st

from aeviz import data
from aeviz.data import pictures
from aeviz.errors import BadFile
from aeviz.runs import Run
from aeviz.ui import cache, show, words
from aeviz.ui.components.pictures import TYPES

SIDE = 76  # pixels


def one_image(run: Run, label: str, key: str, place: int = 0) -> np.ndarray | None:
    """An image (C, H, W) uint8, None while there is none; without a choice the first test image of class `place`."""
    here = cache.images_if_here(run)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        slot = st.container(width=SIDE)
        with st.container(gap="xxsmall"):
            st.caption(label)
            with st.container(horizontal=True, gap="xxsmall", vertical_alignment="center"):
                number = _numbered(here, key, place) if here else None
                own = _own(run, key)
    image = own
    if own is None and here is not None and number is not None:
        image = np.asarray(here.images[here.rows("test")[number]])
    with slot:
        _picture(image, label)
    return image


def _numbered(here: data.Dataset, key: str, place: int) -> int | None:
    """Which test image, and another one by chance."""
    rows, slot = here.rows("test"), f"{key}.row"
    if not len(rows):
        return None
    if st.session_state.get(slot, 0) >= len(rows):
        del st.session_state[slot]
    number = st.number_input(
        "Number", 0, len(rows) - 1, _first_of_class(here.labels[rows], place), key=slot, persist_state="session",
        label_visibility="collapsed", width="stretch",
    )  # fmt: skip
    st.button("", icon=":material/casino:", key=f"{key}.draw", on_click=_draw, args=(slot, len(rows)), help="Another test image by chance.")  # fmt: skip
    return number


def _first_of_class(labels: np.ndarray, place: int) -> int:
    """The first row of the class that comes so late, or, without classes, as late a row."""
    firsts = np.unique(labels[labels >= 0], return_index=True)[1]
    return int(firsts[place % len(firsts)]) if len(firsts) > 1 else place % len(labels)


def _own(run: Run, key: str) -> np.ndarray | None:
    """An image of a person's own, made to fit the network."""
    with st.popover("", icon=":material/upload:", help="An image of yours."):
        file = st.file_uploader("Your image", type=TYPES, key=f"{key}.file")
        st.caption(f"Made to fit the network: {words.shape(run.config().data.shape)}.")
    if file is None:
        return None
    try:
        return data.read_image(file.getvalue(), run.config().data.shape)
    except BadFile as error:
        st.error(f"**{words.plain(file.name)}** {words.plain(error)}")
        return None


def _draw(slot: str, count: int) -> None:
    st.session_state[slot] = int(np.random.default_rng().integers(count))


def _picture(image: np.ndarray | None, label: str) -> None:
    if image is None:
        st.markdown("### :material/image:", text_alignment="center")
        return
    scale = max(1, SIDE // max(image.shape[1:]))
    show.picture(pictures.encode_png(pictures.mosaic(image[None], columns=1, scale=scale, gap=0)), label, SIDE)
