"""Our few lines of JavaScript: what the browser knows and the server needs."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from aeviz.ui import state
from aeviz.ui.serve import address, loader

STATIC = Path(__file__).resolve().parents[3] / "static"


def joined(*names: str) -> str:
    """These files of `static/`, one after another, as one script."""
    return "\n".join((STATIC / name).read_text() for name in names)


def bridge(name: str, script: str, css: str = "", isolate_styles: bool = True) -> Any:
    """A component whose script and style the browser fetches once."""
    return st.components.v2.component(name, js=loader(script, css), isolate_styles=isolate_styles)


_viewport = bridge("aeviz_viewport", joined("viewport.js"))


@dataclass(frozen=True)
class Dropped:
    """A file that came in through the browser; `content` is None where it was too large to send."""

    name: str
    size: int
    content: bytes | None


def nothing() -> None:
    """Streamlit runs the page again, and hands a value back, only for those who listen."""


def receive(key: str, name: str, read: Callable[[Any], Any], use: Callable[[Any], object]) -> None:
    """Check what the browser told, as everything from outside is checked: what our script would never send is no news."""
    told = st.session_state[key][name]
    try:
        news = read(told)
    except (ValueError, TypeError, KeyError, AttributeError, binascii.Error):
        return
    use(news)


def files_of(told: Any) -> list[Dropped]:
    """Files as `readFile` in the browser made them.

    Raises:
        ValueError, TypeError, KeyError: they are something else.
    """
    return [Dropped(str(file["name"]), int(file["size"]), content_of(file["content"])) for file in told["files"]]


def content_of(text: str | None) -> bytes | None:
    """Bytes from base64."""
    return None if text is None else base64.b64decode(str(text), validate=True)


def notice_viewport(page: str) -> None:
    """Learn whether the window is narrow; drawn once a run by the main script.

    With the page that is open, and the training begun last: the browser shows it from the top.
    """
    with st.container(height=1, border=False, key="viewport"):
        told = _viewport(
            data={
                "narrow": state.is_narrow(), "page": page, "begun": state.recall("begun"), "plotly": address("plotly.js")
            },
            key="viewport_bridge", on_narrow_change=nothing,
        )  # fmt: skip
    if told.narrow is not None and told.narrow != state.is_narrow():
        state.remember("narrow", bool(told.narrow))
        st.rerun()
