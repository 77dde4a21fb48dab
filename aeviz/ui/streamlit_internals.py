"""Every use of Streamlit's undocumented parts, with the reason; `tests/test_streamlit_internals.py` checks them.

Each may move in a new version of Streamlit. Nothing else in aeviz may import from Streamlit's submodules.
"""

import threading
from pathlib import Path

import streamlit as st
from streamlit import runtime
from streamlit.elements.lib.mutable_expander_container import ExpanderContainer
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

__all__ = ["ExpanderContainer", "font_file", "has_no_visitors", "is_host_allowed", "is_script_running"]

# ExpanderContainer: the return type of `st.expander`, which has no public name; for annotations only.
# is_host_allowed: applies `server.allowedHosts` to our own routes, which Streamlit checks only for its own.

SCRIPT_THREAD = "ScriptRunner.scriptThread"
FONTS = "static/static/media/SourceSans*Upright*"


def is_script_running() -> bool:
    """Whether a page script or fragment is running. Streamlit has no API for this, but names its script threads."""
    return any(thread.name == SCRIPT_THREAD for thread in threading.enumerate())


def has_no_visitors() -> bool:
    """Whether no session is connected. Streamlit has no public API for this."""
    return (
        not runtime.exists() or runtime.get_instance().state is not runtime.RuntimeState.ONE_OR_MORE_SESSIONS_CONNECTED
    )


def font_file() -> Path | None:
    """The font of Streamlit's pages, for exported figures, or None if it is not where it is expected."""
    return next(Path(st.__file__).parent.glob(FONTS), None)
