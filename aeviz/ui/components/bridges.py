"""Our few lines of JavaScript: what the browser knows and the server needs."""

import base64
import binascii
from pathlib import Path

import numpy as np
import streamlit as st

from aeviz.ui import state

STATIC = Path(__file__).resolve().parents[3] / "static"

_viewport = st.components.v2.component("aeviz_viewport", js=(STATIC / "viewport.js").read_text())
_map_bridge = st.components.v2.component("aeviz_map_bridge", js=(STATIC / "map_bridge.js").read_text())


def _nothing() -> None:
    """Streamlit hands a value back only to those who listen for it."""


def notice_viewport(page: str) -> None:
    """Learn whether the window is narrow; drawn once a run by the main script, with the page that is open."""
    with st.container(height=1, border=False, key="viewport"):
        told = _viewport(
            data={"narrow": state.is_narrow(), "page": page}, key="viewport_bridge", on_narrow_change=_nothing
        )
    if told.narrow is not None and told.narrow != state.is_narrow():
        state.remember("narrow", bool(told.narrow))
        st.rerun()


def picked_rows(chart: str, size: int) -> np.ndarray | None:
    """The rows (M,) a person has just picked on a chart, empty for none; None where nothing was picked anew.

    Args:
        chart: the chart's key.
        size: rows there are; ids outside are dropped.
    """
    told = _map_bridge(data={"chart": chart, "size": size}, key=f"{chart}_bridge", on_picked_change=_nothing)
    if told.picked is None:
        return None
    if told.picked == "none":
        return np.empty(0, np.int64)
    try:
        bits = np.frombuffer(base64.b64decode(str(told.picked), validate=True), np.uint8)
    except (binascii.Error, ValueError):
        return None  # nothing our script would send
    rows = np.flatnonzero(np.unpackbits(bits, bitorder="little"))
    return rows[rows < size]
