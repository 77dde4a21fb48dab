"""What the person chose, for as long as their tab is open; every key of the session lives here."""

from typing import Any

import streamlit as st

from aeviz.runs import Run, list_runs

RUN = "run"


def choose_run(run: Run | None) -> None:
    """Make a run the one that is worked on; the picker shows it from its next drawing on."""
    _choose(run.id if run else None)


def _choose(id: str | None) -> None:
    """A choice made elsewhere than in the picker gets a fresh picker: the browser still tells what the old one showed."""
    remember("chosen", id)
    remember("pickers", recall("pickers", 0) + 1)


def picker() -> str:
    """The key of the present picker of the run."""
    return f"{RUN}.{recall('pickers', 0)}"


def choose_set(name: str) -> None:
    """Make a data set the one to look at and to train on; to be called from a callback."""
    st.session_state["data.set"] = st.session_state["train.data"] = name


def follow_address(known: list[str]) -> str | None:
    """Let the address, the choice and the picker agree, before the picker is drawn; a run asked for that is not here.

    A value we did not write (a link, the back button) is a choice; a missing one (a page switch) is written anew. The
    picker's own memory is not trusted: it forgets a run whose title has changed.
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
    """The person has picked a run."""
    remember("chosen", st.session_state[picker()])


def write_address() -> None:
    """Put the choice into the address, after the picker is drawn."""
    chosen = recall("chosen")
    if chosen:
        st.query_params[RUN] = chosen
    remember("address", chosen)


def current_run() -> Run | None:
    """The run that is worked on."""
    chosen = recall("chosen")
    return next((run for run in list_runs() if run.id == chosen), None) if chosen else None


def is_narrow() -> bool:
    """Whether the window is narrow, as a phone's: what the browser has told, and before that what it calls itself."""
    return bool(recall("narrow", "Mobi" in (st.context.headers.get("User-Agent") or "")))


def recall(key: str, default: Any = None) -> Any:
    """A choice that belongs to no widget."""
    return st.session_state.get(f"aeviz.{key}", default)


def remember(key: str, value: Any) -> None:
    """Keep a choice that belongs to no widget."""
    st.session_state[f"aeviz.{key}"] = value
