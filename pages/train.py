"""Page Train: configure an autoencoder and watch it train."""

import streamlit as st

from aeviz.ui import state, words
from aeviz.ui.components.live.live_settings import live_settings
from aeviz.ui.components.live.panel import live_panel
from aeviz.ui.components.train.network import network_view
from aeviz.ui.components.train.recipe import apply_layers, recipe_form
from aeviz.ui.components.train.start import train_button, view_picker
from aeviz.ui.frame import controls_and_canvas, page

with page("train"):
    controls, canvas = controls_and_canvas(3)
    with canvas:
        run = view_picker()
    if run:
        with controls:
            live_settings(run)
        with canvas:
            live_panel(run)
    else:
        with controls:
            filled = recipe_form(train_button, canvas.container() if state.is_narrow() else None)
        with canvas:
            if filled.problem and not (filled.outline and filled.outline.problem):
                st.error(words.sentence(filled.problem), icon=":material/error:")
            if filled.model and filled.outline:
                network_view("network", filled.model, filled.outline, apply_layers)
