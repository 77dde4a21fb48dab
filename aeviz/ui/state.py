"""Session state that belongs to no widget: the selected run, and what pages remember."""

from typing import Any

import streamlit as st

from aeviz.runs import Run, list_runs

RUN = "run"


def choose_run(run: Run | None) -> None:
    """Select a run; the picker shows it on the next redraw."""
    _choose(run.id if run else None)


def _choose(id: str | None) -> None:
    """Select a run by ID and replace the picker, because the browser still sends the old picker's value."""
    remember("chosen", id)
    remember("pickers", recall("pickers", 0) + 1)


def picker() -> str:
    """The widget key of the current run picker."""
    return f"{RUN}.{recall('pickers', 0)}"


def choose_set(name: str) -> None:
    """Select a data set on the pages Data and Train; call it from a callback."""
    st.session_state["data.set"] = st.session_state["train.data"] = name


def follow_address(known: list[str]) -> str | None:
    """Synchronise page address, selection and picker before the picker is drawn.

    A run in the address that we did not write (from a link or the back button) is selected; a missing one (after a
    page switch) is written again. The picker's own value is not used: it is lost when a run's title changes.

    Returns:
        The ID in the address if there is no such run, else None.
    """
    asked = st.query_params.get(RUN)
    foreign = asked is not None and asked != recall("address")
    if foreign and asked in known:
        _choose(asked)
    elif recall("chosen") not in known:
        _choose(known[0] if known else None)
    if known:
        st.session_state[picker()] = recall("chosen")
    return asked if foreign and asked not in known else None


def picked() -> None:
    """Callback of the run picker."""
    remember("chosen", st.session_state[picker()])


def write_address() -> None:
    """Write the selected run into the page address, after the picker is drawn."""
    chosen = recall("chosen")
    if chosen:
        st.query_params[RUN] = chosen
    remember("address", chosen)


def current_run() -> Run | None:
    """The selected run, or None."""
    chosen = recall("chosen")
    return next((run for run in list_runs() if run.id == chosen), None) if chosen else None


def is_narrow() -> bool:
    """Whether the window is narrow, as reported by the browser, or before that guessed from its user agent."""
    return bool(recall("narrow", "Mobi" in (st.context.headers.get("User-Agent") or "")))


def recall(key: str, default: Any = None) -> Any:
    """Read a session value that belongs to no widget."""
    return st.session_state.get(f"aeviz.{key}", default)


def remember(key: str, value: Any) -> None:
    """Store a session value that belongs to no widget."""
    st.session_state[f"aeviz.{key}"] = value
