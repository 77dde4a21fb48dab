"""Shape an autoencoder and watch it learn."""

import streamlit as st

from aeviz.ui.components import recipe as recipes
from aeviz.ui.components.live import live_panel
from aeviz.ui.components.network import network_view
from aeviz.ui.components.start import train_button, view_picker
from aeviz.ui.frame import controls_and_canvas, page

with page("train"):
    controls, canvas = controls_and_canvas(3)
    with controls:
        recipe, info = recipes.recipe_form()
        train_button(recipe, info)
        st.caption(recipes.device_line(recipe))
    with canvas:
        run = view_picker()
        if run:
            live_panel(run)
        else:
            network_view(recipe, recipes.sample_shape(recipe, info))
