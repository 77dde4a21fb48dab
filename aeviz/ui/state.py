"""What the person chose, for as long as their tab is open; every key of the session lives here."""

from typing import Any

import streamlit as st

from aeviz.runs import Run, find, list_runs

RUN = "run"


def choose_run(run: Run | None) -> None:
    """Make a run the one that is worked on; to be called before the picker is drawn, or from a callback."""
    st.session_state[RUN] = run.id if run else None


def choose_next(run: Run) -> None:
    """Make a run the one that is worked on from the next script run on; for when the picker is drawn already."""
    remember("next", run.id)


def follow_address(known: list[str]) -> None:
    """Let the address and the choice agree, before the picker is drawn.

    A value we did not write (a link, the back button) is a choice; a missing one (a page switch) is written anew.
    """
    asked = st.query_params.get(RUN)
    following = recall("next")
    remember("next", None)
    if following in known:
        st.session_state[RUN] = following
    elif asked in known and asked != recall("address"):
        st.session_state[RUN] = asked
    elif st.session_state.get(RUN) not in known:
        st.session_state[RUN] = known[0] if known else None


def write_address() -> None:
    """Put the choice into the address, after the picker is drawn."""
    chosen = st.session_state.get(RUN)
    if chosen:
        st.query_params[RUN] = chosen
    remember("address", chosen)


def current_run() -> Run | None:
    """The run that is worked on."""
    chosen = st.session_state.get(RUN)
    return find(chosen) if chosen and any(run.id == chosen for run in list_runs()) else None


def is_narrow() -> bool:
    """Whether the window is narrow, as a phone's: what the browser has told, and before that what it calls itself."""
    return bool(recall("narrow", "Mobi" in (st.context.headers.get("User-Agent") or "")))


def recall(key: str, default: Any = None) -> Any:
    """A choice that belongs to no widget."""
    return st.session_state.get(f"aeviz.{key}", default)


def remember(key: str, value: Any) -> None:
    """Keep a choice that belongs to no widget."""
    st.session_state[f"aeviz.{key}"] = value
