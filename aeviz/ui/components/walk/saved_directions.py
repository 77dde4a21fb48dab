"""The directions saved with a run: select, create from two classes, rename, delete."""

import streamlit as st

from aeviz import results
from aeviz.errors import AevizError
from aeviz.latent.directions import METHODS
from aeviz.runs import Run
from aeviz.runs.directions import (
    Direction,
    delete_direction,
    find_direction,
    list_directions,
    rename_direction,
    save_direction,
)
from aeviz.ui import cache, words
from aeviz.ui.frame import catch_errors

CHOSEN, NEW = "directions.chosen", "directions.new"
BETWEEN = ""  # entry for an unsaved direction between two classes


def direction_picker(run: Run) -> Direction | None:
    """Select a saved direction or one between two classes; None if there is neither or it cannot be computed."""
    offered = offered_directions(run)
    if not offered:
        return None
    if st.session_state.get(CHOSEN) not in offered:
        st.session_state[CHOSEN] = offered[0]
    chosen = st.selectbox(
        "Direction", offered, key=CHOSEN, persist_state="session",
        format_func=lambda name: name or "Between two classes",
        help="Directions saved with the run, or a new one. To use your own groups, select them on the page Map.",
    )  # fmt: skip
    if chosen == BETWEEN:
        return _between(run, run.config().data.classes)
    with st.popover("Rename or delete", icon=":material/edit:", width="stretch"):
        st.text_input("New name", key=NEW, placeholder=chosen, max_chars=80)
        with st.container(horizontal=True):
            st.button("Rename", key="directions.rename", on_click=catch_errors(_rename), args=(run, chosen))
            st.button(
                "Delete",
                key="directions.delete",
                icon=":material/delete:",
                on_click=catch_errors(_delete),
                args=(run, chosen),
            )
    return find_direction(run, chosen)


def offered_directions(run: Run) -> list[str]:
    """The names of the run's directions, and `BETWEEN` if it has two classes or more."""
    classes = run.config().data.classes if cache.images_if_here(run) else ()
    return [*(found.name for found in list_directions(run)), *([BETWEEN] if len(classes) > 1 else [])]


def _between(run: Run, classes: tuple[str, ...]) -> Direction | None:
    """The direction from one class to another, with a form to save it."""
    numbers = range(len(classes))
    a, b = (
        st.selectbox(
            label, numbers, index=place, key=f"directions.{label}.{len(classes)}", format_func=classes.__getitem__,
            persist_state="session",
        )
        for place, label in enumerate(("From class", "To class"))
    )  # fmt: skip
    method = st.selectbox(
        "Method", list(METHODS), key="directions.method", format_func=lambda name: METHODS[name][0],
        persist_state="session",
        help="The difference of the class means, or the normal of a plane that separates the classes.",
    )  # fmt: skip
    try:
        found = results.class_direction(run, f"{classes[a]} to {classes[b]}"[:80], a, b, method)
    except AevizError as error:
        st.error(words.sentence(error), icon=":material/error:")
        return None
    st.text_input("Name", key=NEW, placeholder=found.name, max_chars=80)
    st.button(
        "Save", icon=":material/bookmark_add:", key="directions.keep", on_click=catch_errors(_keep), args=(run, found),
        width="stretch",
        help="Save it with the run. Exports of the run include it.",
    )  # fmt: skip
    return found


def _keep(run: Run, found: Direction) -> None:
    named = Direction.parse(found.to_json() | {"name": _typed() or found.name})
    save_direction(run, named)
    _choose(named.name)


def _rename(run: Run, name: str) -> None:
    _choose(rename_direction(run, name, _typed() or name).name)


def _delete(run: Run, name: str) -> None:
    delete_direction(run, name)


def _choose(name: str) -> None:
    st.session_state[CHOSEN], st.session_state[NEW] = name, ""


def _typed() -> str:
    return str(st.session_state[NEW]).strip()
