"""Page Reconstruct: image selection and views."""

import streamlit as st

from aeviz.runs import Run
from aeviz.ui import cache, forms
from aeviz.ui.components.images.inputs import image_inputs, show_import_problems
from aeviz.ui.components.images.pictures import FROM_SET, Chosen, open_image, set_images
from aeviz.ui.components.map.canvas import place_on_map
from aeviz.ui.components.reconstruct.compare_runs import runs_view
from aeviz.ui.components.reconstruct.single_image import image_view
from aeviz.ui.components.reconstruct.whole_set import set_view

PICKER = "pictures"
VIEW, ONE = "pictures.view", "One image"
VIEWS = {ONE: image_view, "All runs": runs_view, "On the map": place_on_map}
WHOLE = "Whole test set"


def image_picker(run: Run) -> Chosen:
    """Select the user's own images or, if available, test images."""
    here = cache.images_if_here(run)
    chosen = image_inputs(run, PICKER, {FROM_SET: lambda: set_images(run)} if here else None)
    show_import_problems()
    return chosen


def view_picker() -> str:
    """Select a view."""
    views = [*VIEWS, WHOLE]
    forms.init_state(VIEW, views[0], views)
    return st.segmented_control(
        "View", views, required=True, key=VIEW, label_visibility="collapsed", persist_state="session"
    ) or ONE  # fmt: skip


def _open(run: Run, row: int) -> None:
    """Open an image of the data set in the view One image."""
    open_image(run, row)
    st.session_state[VIEW], st.session_state[f"{PICKER}.way"] = ONE, FROM_SET


def view_of(view: str, run: Run, chosen: Chosen) -> None:
    """Draw the chosen view, or what to do if there is no image."""
    if view == WHOLE:
        set_view(run, _open)
    elif chosen.names:
        VIEWS[view](run, chosen)
    else:
        st.info(
            "Upload, draw, photograph or paste an image to reconstruct it here.", icon=":material/add_photo_alternate:"
        )
