"""One image to begin with: a test image by its number, or one of a person's own."""

import numpy as np
import streamlit as st

from aeviz import data
from aeviz.data import pictures
from aeviz.errors import BadFile
from aeviz.runs import Run
from aeviz.ui import cache, show, words
from aeviz.ui.components.pictures import TYPES

SIDE = 160  # pixels that a picture has at least, to stay sharp


def one_image(run: Run, label: str, key: str, place: int = 0) -> np.ndarray | None:
    """An image (C, H, W) uint8, None while there is none; without a choice the first test image of class `place`."""
    here = cache.images_if_here(run)
    slot, beside = st.columns([2, 3], gap="small", vertical_alignment="bottom")
    with beside, st.container(gap="xxsmall"):
        number = _numbered(here, label, key, place) if here else None
        with st.container(horizontal=True, gap="xxsmall"):
            if here:
                st.button("", icon=":material/casino:", key=f"{key}.draw", on_click=_draw, args=(f"{key}.row", len(here.rows("test"))), help="Another test image by chance.")  # fmt: skip
            own = _own(run, key)
    image = np.asarray(here.images[here.rows("test")[number]]) if here and own is None and number is not None else own
    with slot:
        _picture(image, label)
    return image


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
    scale = -(-SIDE // max(image.shape[1:]))
    show.picture(pictures.encode_png(pictures.mosaic(image[None], columns=1, scale=scale, gap=0)), label)
