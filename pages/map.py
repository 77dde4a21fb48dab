"""How the network sees the images: their codes as a map."""

import streamlit as st

from aeviz.ui.components.maps import map_canvas, map_controls
from aeviz.ui.frame import needed_run, page

with page("map"):
    run = needed_run()
    controls, canvas = st.columns([1, 4], gap="large")
    with controls:
        request, colours = map_controls(run)
    with canvas:
        map_canvas(run, request, colours)
