"""Page layout shared by all pages: title, columns, error messages and empty states."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aeviz.errors import AevizError
from aeviz.runs import Run
from aeviz.ui import cache, menu, state, words


@contextlib.contextmanager
def page(name: str) -> Iterator[None]:
    """Draw a page's title, then its body; show an `AevizError` as a message."""
    entry = menu.MENU[name]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.title(entry.title, anchor=False, width="content")
        st.caption(entry.answers, width="content")
    problem = state.recall("problem")
    if problem:
        st.error(words.sentence(problem), icon=":material/error:")
        state.remember("problem", None)
    with show_errors():
        yield


@contextlib.contextmanager
def show_errors() -> Iterator[None]:
    """Show an `AevizError` raised in this part of the page as a message in its place."""
    try:
        yield
    except AevizError as error:
        st.error(words.sentence(error), icon=":material/error:")


def catch_errors(callback: Callable[..., None]) -> Callable[..., None]:
    """Wrap a callback so that an `AevizError` is shown at the top of the page."""

    def guarded(*arguments: Any) -> None:
        try:
            callback(*arguments)
        except AevizError as error:
            state.remember("problem", str(error))

    return guarded


def redraw() -> None:
    """Redraw the whole page from within a fragment.

    The browser may have requested the fragment before it received the new page address. The old run in that address
    would then look like a choice of the user, so the address is written first.
    """
    state.write_address()
    st.rerun()


def visible_slot(controls: DeltaGenerator, canvas: DeltaGenerator) -> DeltaGenerator:
    """A container for the page's main button: in the controls, or above the canvas on narrow windows."""
    return (canvas if state.is_narrow() else controls).container()


def controls_and_canvas(share: int = 4, fold: bool = True) -> tuple[DeltaGenerator, DeltaGenerator]:
    """A narrow column of controls and a wide canvas; on narrow windows the controls are above it, folded if `fold`."""
    if state.is_narrow() and not fold:
        return st.container(), st.container()
    if state.is_narrow():
        return st.expander("Settings", icon=":material/tune:", key="settings"), st.container()
    controls, canvas = st.columns([1, share], gap="large")
    return controls, canvas


def require_run() -> Run:
    """The selected run; without a trained one, show what to do and stop the page."""
    run = state.current_run()
    if run is None:
        empty_state("No run selected. Train an autoencoder first; on the digits it takes a few seconds.")
        st.stop()
    if not run.has_weights():
        empty_state("This run has no trained weights yet.", "Open its training")
        st.stop()
    _note_missing_images(run)
    return run


def _note_missing_images(run: Run) -> None:
    """Note if the run's data set is missing, and whether stored test images are shown instead."""
    name, here = run.config().data.name, cache.images_if_here(run)
    if here is None:
        st.caption(f":material/no_photography: The images of this run (data set {words.plain(name)}) are not here.")
    elif here.kept:
        st.caption(
            f":material/luggage: The data set {words.plain(name)} is not here; "
            f"showing the {len(here):,} test images stored with the run."
        )


def empty_state(sentence: str, label: str = "Train an autoencoder") -> None:
    """Show what is missing, and a button that opens the page Train."""
    st.space("medium")
    with st.container(horizontal_alignment="center"):
        st.markdown(f"### :material/hourglass_empty: {sentence}", text_alignment="center")
        if st.button(label, type="primary", key="empty_state", icon=menu.MENU["train"].icon):
            menu.go("train")
