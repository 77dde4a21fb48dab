"""A person's own images on the map: dropped on it, uploaded or photographed, each where its code belongs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from aeviz import data
from aeviz.errors import BadFile
from aeviz.results import Map, MapRequest
from aeviz.runs import Run
from aeviz.ui import state, words
from aeviz.ui.components.map_scene import stars_of
from aeviz.ui.components.map_view import Dropped
from aeviz.ui.components.pictures import TYPES

MOST = 24  # images on the map at once; the oldest make room
TOO_LARGE = "is larger than 20 MB; upload it on the page Reconstruct, or shrink it first"


def take(run: Run, files: Sequence[Dropped]) -> None:
    """Make files fit the run's network and put them on the map; what cannot be read is named with its reason."""
    kept, problems = list(_kept(run)), []
    for file in files:
        try:
            if file.content is None:
                raise BadFile(TOO_LARGE)
            kept.append((file.name, data.read_image(file.content, run.config().data.shape)))
        except BadFile as error:
            problems.append((file.name, str(error)))
    state.remember(_key(run), kept[-MOST:])
    state.remember("newcomers.problems", problems)


def _key(run: Run) -> str:
    return f"newcomers.{run.id}"


def _kept(run: Run) -> list[tuple[str, np.ndarray]]:
    return list(state.recall(_key(run), []))


def _clear(run: Run) -> None:
    state.remember(_key(run), [])


def stars(run: Run, request: MapRequest, drawn: Map) -> list[dict[str, Any]]:
    """A person's images as the map shows them."""
    kept = _kept(run)
    return stars_of(run, request, drawn, [name for name, _ in kept], [pixels for _, pixels in kept])


def newcomers_line(run: Run) -> None:
    """The way to bring images, and what is on the map already."""
    for name, reason in state.recall("newcomers.problems", []):
        st.error(f"**{words.plain(name)}** {words.plain(reason)}")
    kept = _kept(run)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.popover("Place images of yours", icon=":material/add_photo_alternate:"):
            files = st.file_uploader("Your images", type=TYPES, accept_multiple_files=True, key="newcomers.files")
            photo = (
                st.camera_input("A photograph", key="newcomers.photo")
                if st.toggle("Camera", key="newcomers.camera")
                else None
            )
            _take_new(run, [*(files or []), *([photo] if photo else [])])
        if kept:
            st.caption(", ".join(words.plain(name) for name, _ in kept))
            st.button("Clear", icon=":material/close:", key="newcomers.clear", on_click=_clear, args=(run,))


def _take_new(run: Run, files: Sequence[Any]) -> None:
    """Take what was not taken before: a widget goes on holding its files."""
    seen = state.recall("newcomers.seen", set())
    new = [file for file in files if file.file_id not in seen]
    if not new:
        return
    state.remember("newcomers.seen", seen | {file.file_id for file in new})
    take(run, [Dropped(file.name, file.size, file.getvalue()) for file in new])
    st.rerun(scope="fragment")
