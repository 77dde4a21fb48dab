"""Our few lines of JavaScript: what the browser knows and the server needs."""

from pathlib import Path

import streamlit as st

from aeviz.ui import state

STATIC = Path(__file__).resolve().parents[3] / "static"

_viewport = st.components.v2.component("aeviz_viewport", js=(STATIC / "viewport.js").read_text())


def _nothing() -> None:
    """Streamlit hands a value back only to those who listen for it."""


def notice_viewport(page: str) -> None:
    """Learn whether the window is narrow; drawn once a run by the main script.

    With the page that is open, and the training begun last: the browser shows it from the top.
    """
    with st.container(height=1, border=False, key="viewport"):
        told = _viewport(
            data={"narrow": state.is_narrow(), "page": page, "begun": state.recall("begun")},
            key="viewport_bridge",
            on_narrow_change=_nothing,
        )
    if told.narrow is not None and told.narrow != state.is_narrow():
        state.remember("narrow", bool(told.narrow))
        st.rerun()
