"""The user's own images placed on the map."""

from typing import Any

import streamlit as st

from aeviz.results import Map, MapRequest
from aeviz.runs import Run
from aeviz.ui.components.images import your_images
from aeviz.ui.components.images.inputs import fitting_now, image_inputs, show_import_problems
from aeviz.ui.components.images.pictures import fitted_images, strip
from aeviz.ui.components.map.scenes import stars_of


def stars(run: Run, request: MapRequest, drawn: Map) -> list[dict[str, Any]]:
    """The user's images as markers on the map."""
    chosen = fitted_images(run, fitting_now())
    return stars_of(run, request, drawn, chosen)


def placed_images_row(run: Run) -> None:
    """Draw the popover to add images, and thumbnails of those on the map."""
    show_import_problems()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.popover("Your images", icon=":material/add_photo_alternate:"):
            chosen = image_inputs(run, "newcomers")
        if chosen.files:
            strip(chosen, "placed_images.strip")
            st.button("Clear", icon=":material/close:", key="placed_images.clear", on_click=your_images.clear)
