"""Pages with several views: each has controls and a canvas."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from aeviz.runs import Run
from aeviz.ui import state


@dataclass(frozen=True)
class View:
    """A view of a page; `canvas` receives what `controls` returns."""

    label: str
    icon: str
    help: str
    controls: Callable[[Run], Any]
    canvas: Callable[[Run, Any], None]


def view_picker(views: Mapping[str, View], key: str) -> View:
    """Select a view of the page."""
    chosen = st.segmented_control(
        "View", list(views), default=next(iter(views)), required=True, key=key, label_visibility="collapsed",
        format_func=lambda name: views[name].label if state.is_narrow() else f"{views[name].icon} {views[name].label}",
        persist_state="session",
        help=" ".join(f"**{view.label}**: {view.help}" for view in views.values()),
    )  # fmt: skip
    return views[chosen]
