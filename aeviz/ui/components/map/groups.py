"""Groups A and B of selected images, and the direction between them."""

import numpy as np
import streamlit as st

from aeviz import results
from aeviz.latent.directions import METHODS
from aeviz.results import Split
from aeviz.runs import Run
from aeviz.runs.directions import list_directions, save_direction
from aeviz.ui import forms, state, words
from aeviz.ui.frame import catch_errors, redraw

GROUPS = ("A", "B")
A_TO_B = "A to B"


def _key(run: Run, split: Split, group: str) -> str:
    return f"group.{run.id}.{split}.{group}"


def _group(run: Run, split: Split, group: str) -> np.ndarray:
    return np.asarray(state.recall(_key(run, split, group), np.empty(0, np.int64)))


def group_buttons(run: Run, split: Split, picked: np.ndarray) -> None:
    """Draw buttons that make the selection group A or B."""
    for group in GROUPS:
        st.button(
            group, key=f"group.{group}", on_click=state.remember, args=(_key(run, split, group), picked),
            help=f"Use the selection as group {group}. A direction points from A to B.",
        )  # fmt: skip


def direction_line(run: Run, split: Split) -> None:
    """Show the groups' sizes and, if both exist, the actions for their direction."""
    a, b = (_group(run, split, group) for group in GROUPS)
    if not len(a) and not len(b):
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        sizes = [
            f"{name}: {len(rows):,} images" if len(rows) else f"{name}: none yet"
            for name, rows in zip(GROUPS, (a, b), strict=True)
        ]
        st.caption(" · ".join(sizes), width="content")
        if len(a) and len(b):
            with st.popover("Save direction", icon=":material/trending_flat:"):
                _form(run, split, a, b)
            st.button(
                "Use as map axis", icon=":material/straighten:", key="group.map", on_click=catch_errors(_map_along),
                args=(run, split, a, b),
                help="Show a map whose first axis points from the mean of A to the mean of B.",
            )  # fmt: skip
        st.button("Clear groups", icon=":material/close:", key="group.forget", on_click=_forget, args=(run, split))


def _forget(run: Run, split: Split) -> None:
    for group in GROUPS:
        state.remember(_key(run, split, group), np.empty(0, np.int64))


def _form(run: Run, split: Split, a: np.ndarray, b: np.ndarray) -> None:
    st.text_input("Name", key="group.name", placeholder="thicker", max_chars=80)
    method = st.segmented_control(
        "Method", list(METHODS), default="mean_difference", required=True, key="group.method",
        format_func=lambda name: METHODS[name][0]
    )  # fmt: skip
    st.button(
        "Save", type="primary", key="group.keep", on_click=catch_errors(_keep), args=(run, split, a, b, method),
        help="Saved directions can be applied on the page Walk.",
    )  # fmt: skip
    kept = state.recall("group.kept")
    if kept:
        st.caption(f"Saved as {words.plain(kept)}. Apply it to any image on the page Walk.")


def _keep(run: Run, split: Split, a: np.ndarray, b: np.ndarray, method: str) -> None:
    name = str(st.session_state["group.name"]).strip() or A_TO_B
    save_direction(run, results.direction(run, name, split, a, b, method))
    state.remember("group.kept", name)


def _map_along(run: Run, split: Split, a: np.ndarray, b: np.ndarray) -> None:
    """Switch to a map whose first axis is the direction."""
    found = results.direction(run, A_TO_B, split, a, b)
    state.remember(f"axes.{run.id}", list(found.vector))
    st.session_state["map.method"] = "custom"
    st.session_state["map.axes"] = [A_TO_B]
    ask_for_page()


def ask_for_page() -> None:
    """Request a redraw of the whole page from a callback within the map's fragment."""
    state.remember("map.page", True)


def page_if_asked() -> None:
    """Redraw the whole page if a callback has requested it."""
    if state.recall("map.page"):
        state.remember("map.page", False)
        redraw()


def follow_axes(vectors: list[list[float]]) -> None:
    """Select the axes of a link; call it before `axes_picker`."""
    state.remember("axes.linked", vectors)
    state.remember("axes.follow", True)


def _add_linked(known: dict[str, list[float]], d: int) -> None:
    """Add a link's axes to the named ones, and select them once."""
    names = []
    for number, vector in enumerate(state.recall("axes.linked", []), 1):
        if len(vector) == d:
            name = next(
                (each for each, other in known.items() if np.allclose(other, vector)), f"From the link, {number}"
            )
            known[name] = vector
            names.append(name)
    if state.recall("axes.follow") and names:
        st.session_state["map.axes"] = names
    state.remember("axes.follow", False)


def axes_picker(run: Run) -> list[list[float]]:
    """Select up to three directions as axes: saved ones, and the one between the groups."""
    known = {found.name: list(found.vector) for found in list_directions(run)}
    between = state.recall(f"axes.{run.id}")
    if between:
        known[A_TO_B] = between
    _add_linked(known, run.config().model.latent_dim)
    if not known:
        st.caption("To get an axis, select dots on any map as group A and others as group B.")
        return []
    forms.init_state("map.axes", list(known)[:1])
    st.session_state["map.axes"] = [name for name in st.session_state["map.axes"] if name in known]
    chosen = st.multiselect(
        "Axes", list(known), key="map.axes", max_selections=3, format_func=words.plain, persist_state="session"
    )  # fmt: skip
    return [known[name] for name in chosen]
