"""Page Runs: open, continue, rename, export, import and delete runs."""

import streamlit as st

from aeviz.ui.components.runs_table import details, load_zip, run_table
from aeviz.ui.frame import page

with page("runs"):
    run_table()
    this, other = st.columns([2, 1], gap="large")
    with this:
        details()
    with other:
        load_zip()
