"""Our few lines of JavaScript: what the browser knows and the server needs."""

import base64
import binascii
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from aeviz.ui import state

STATIC = Path(__file__).resolve().parents[3] / "static"

_viewport = st.components.v2.component("aeviz_viewport", js=(STATIC / "viewport.js").read_text())
_map_bridge = st.components.v2.component("aeviz_map_bridge", js=(STATIC / "map_bridge.js").read_text())


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


@dataclass(frozen=True)
class MapNews:
    """What a person has done on a map: rows (M,) picked just now, None for nothing new; where they look, {} for all."""

    picked: np.ndarray | None
    view: dict[str, Any]


def map_news(chart: str, space: str, size: int) -> MapNews:
    """Hear from the map.

    Args:
        chart: the chart's key.
        space: names the map; a view of another one is not taken for it.
        size: rows there are; ids outside are dropped.
    """
    told = _map_bridge(
        data={"chart": chart, "space": space, "size": size}, key=f"{chart}_bridge",
        on_picked_change=_nothing, on_view_change=_nothing,
    )  # fmt: skip
    return MapNews(_picked(told.picked, size), _view(told.view, space))


def _picked(told: Any, size: int) -> np.ndarray | None:
    if told is None:
        return None
    if told == "none":
        return np.empty(0, np.int64)
    try:
        bits = np.frombuffer(base64.b64decode(str(told), validate=True), np.uint8)
    except (binascii.Error, ValueError):
        return None  # nothing our script would send
    rows = np.flatnonzero(np.unpackbits(bits, bitorder="little"))
    return rows[rows < size]


def _view(told: Any, space: str) -> dict[str, Any]:
    """A view as our script sends it: two ranges, or a camera of three points."""
    try:
        view = json.loads(told) if told else {}
        if view.get("space") != space:
            return {}
        if "camera" in view:
            parts = {name: view["camera"][name] for name in ("eye", "center", "up")}
            return {"camera": {name: {axis: float(part[axis]) for axis in "xyz"} for name, part in parts.items()}}
        return {axis: [float(end) for end in view[axis]] for axis in ("x", "y") if axis in view}
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}
