"""The map's rival: a kept map's points by Streamlit's own chart and its own selection, in a script of its own."""

import sys

import numpy as np
import streamlit as st

from aeviz import plots


@st.cache_data
def read(path: str) -> dict[str, np.ndarray]:
    """What is drawn of a kept map."""
    with np.load(path) as kept:
        return {name: kept[name] for name in ("points", "labels", "index")}


st.set_page_config(layout="wide")
if st.toggle("Map", key="ask"):
    drawn = read(sys.argv[1])
    figure = plots.latent_scatter(drawn["points"], drawn["labels"], index=drawn["index"], height=600)
    figure.update_layout(dragmode="lasso")
    event = st.plotly_chart(figure, key="map", on_select="rerun", selection_mode=("lasso", "box"))
    st.markdown(f"**{len(event['selection']['point_indices']):,} selected**")
