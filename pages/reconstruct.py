"""What the network keeps of an image: original, reconstruction and error side by side."""

import streamlit as st

from aeviz.ui import cache
from aeviz.ui.components.pictures import cards, image_picker
from aeviz.ui.frame import needed_run, page

with page("reconstruct"):
    run = needed_run()
    controls, canvas = st.columns([1, 4], gap="large")
    with controls:
        chosen = image_picker(run)
    with canvas:
        if chosen.names:
            cards(chosen, cache.rebuild(run, chosen.pixels))
        else:
            st.info("Upload one image or several; each is rebuilt and compared here.", icon=":material/upload:")
