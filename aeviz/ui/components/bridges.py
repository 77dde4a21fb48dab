"""Helpers for our own components: their scripts, and checked data from the browser."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from aeviz.ui import state
from aeviz.ui.serve.addresses import address
from aeviz.ui.serve.scripts import loader

STATIC = Path(__file__).resolve().parents[3] / "static"


def joined(*names: str) -> str:
    """Concatenate files of `static/`."""
    return "\n".join((STATIC / name).read_text() for name in names)


def bridge(name: str, script: str, css: str = "", isolate_styles: bool = True) -> Any:
    """Register a component whose script and style browsers cache."""
    return st.components.v2.component(name, js=loader(script, css), isolate_styles=isolate_styles)


_viewport = bridge("aeviz_viewport", joined("app/viewport.js"))


@dataclass(frozen=True)
class Dropped:
    """A file received from the browser; `content` is None if it was too large to send."""

    name: str
    size: int
    content: bytes | None


def nothing() -> None:
    """Callback that does nothing: Streamlit returns a component's value only if a callback is set."""


def receive(key: str, name: str, read: Callable[[Any], Any], use: Callable[[Any], object]) -> None:
    """Parse a component's value with `read` and pass it to `use`; ignore values our script would never send."""
    value = st.session_state[key][name]
    try:
        news = read(value)
    except (ValueError, TypeError, KeyError, AttributeError, binascii.Error):
        return
    use(news)


def files_of(value: Any) -> list[Dropped]:
    """Parse files sent by `readFile` in the browser.

    Raises:
        ValueError, TypeError, KeyError: the value is malformed.
    """
    return [Dropped(str(file["name"]), int(file["size"]), content_of(file["content"])) for file in value["files"]]


def content_of(text: str | None) -> bytes | None:
    """Decode base64."""
    return None if text is None else base64.b64decode(str(text), validate=True)


def notice_viewport(page: str) -> None:
    """Ask the browser whether the window is narrow; drawn once per run by the main script.

    The script also gets the page and the last started training, to scroll to the top when they change.
    """
    with st.container(height=1, border=False, key="viewport"):
        value = _viewport(
            data={
                "narrow": state.is_narrow(), "page": page, "begun": state.recall("begun"),
                "plotly": address("plotly.js")
            },
            key="viewport_bridge", on_narrow_change=nothing,
        )  # fmt: skip
    if value.narrow is not None and value.narrow != state.is_narrow():
        state.remember("narrow", bool(value.narrow))
        st.rerun()
