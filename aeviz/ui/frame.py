"""The frame of every page: its title, and errors said kindly."""

import contextlib
from collections.abc import Iterator
from typing import NoReturn

import streamlit as st

from aeviz.errors import AevizError
from aeviz.runs import Run
from aeviz.ui import menu, state, words


@contextlib.contextmanager
def page(name: str) -> Iterator[None]:
    """Draw a page's head, then its body; what a person can cause is said in one sentence."""
    entry = menu.MENU[name]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.title(entry.title, anchor=False, width="content")
        st.caption(entry.answers, width="content")
    try:
        yield
    except AevizError as error:
        st.error(words.plain(error), icon=":material/error:")


def needed_run() -> Run:
    """The run a page is about; without one, the page says how to get one and ends there."""
    run = state.current_run()
    if run is None:
        nothing_yet("No run is chosen yet. Train an autoencoder first, it takes a few seconds on the digits.")
    if not run.has_weights():
        nothing_yet("This run has learned nothing yet. Watch it on the page Train.")
    return run


def nothing_yet(sentence: str, page_name: str = "train", label: str = "Train an autoencoder") -> NoReturn:
    """An empty page: what is missing, and the button that helps."""
    st.space("medium")
    with st.container(horizontal_alignment="center"):
        st.markdown(f"### :material/hourglass_empty: {sentence}", text_alignment="center")
        if st.button(label, type="primary", key="nothing_yet"):
            menu.go(page_name)
    st.stop()
