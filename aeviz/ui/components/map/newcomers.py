"""A person's own images on the map: dropped on it or brought in any other way, each where its code belongs."""

from typing import Any

import streamlit as st

from aeviz.results import Map, MapRequest
from aeviz.runs import Run
from aeviz.ui.components.images import brought
from aeviz.ui.components.images.arriving import arrivals_of_images, fitting_now, say_problems
from aeviz.ui.components.images.pictures import brought_images, strip
from aeviz.ui.components.map.scenes import stars_of


def stars(run: Run, request: MapRequest, drawn: Map) -> list[dict[str, Any]]:
    """A person's images as the map shows them."""
    chosen = brought_images(run, fitting_now())
    return stars_of(run, request, drawn, chosen)


def newcomers_line(run: Run) -> None:
    """The way to bring images, and what is on the map already."""
    say_problems()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.popover("Place images of yours", icon=":material/add_photo_alternate:"):
            chosen = arrivals_of_images(run, "newcomers")
        if chosen.files:
            strip(chosen, "newcomers.strip")
            st.button("Clear", icon=":material/close:", key="newcomers.clear", on_click=brought.clear)
