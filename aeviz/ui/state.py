"""What the person chose, for as long as their tab is open; every key of the session lives here."""

from typing import Any

import streamlit as st

from aeviz.runs import Run, find, list_runs

RUN = "run"


def choose_run(run: Run | None) -> None:
    """Make a run the one that is worked on; to be called before the picker is drawn, or from a callback."""
    st.session_state[RUN] = run.id if run else None


def current_run() -> Run | None:
    """The run that is worked on."""
    chosen = st.session_state.get(RUN)
    return find(chosen) if chosen and any(run.id == chosen for run in list_runs()) else None


def recall(key: str, default: Any = None) -> Any:
    """A choice that belongs to no widget."""
    return st.session_state.get(f"aeviz.{key}", default)


def remember(key: str, value: Any) -> None:
    """Keep a choice that belongs to no widget."""
    st.session_state[f"aeviz.{key}"] = value
