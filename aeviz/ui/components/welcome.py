"""The page Home: what aeviz is, one button that shows it, and what is at hand."""

import streamlit as st

from aeviz import data, training
from aeviz.errors import AevizError
from aeviz.models.device import device_name, resolve_device
from aeviz.runs import Run, TrainingConfig, list_runs
from aeviz.training import Recipe
from aeviz.ui import cache, menu, state, words
from aeviz.ui.components.start import TRAINING, VIEW

FIRST = Recipe(
    model={"variant": "vae", "latent_dim": 8, "body": {"name": "dense", "widths": (256, 64)}},
    training=TrainingConfig(epochs=40),
)


def welcome() -> None:
    """One sentence, and one button that makes it true."""
    st.markdown(
        "#### Bring images, shape an autoencoder, train it while you watch, and walk through what it has learned."
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            "Show me: train on digits", type="primary", icon=":material/play_arrow:", key="first", on_click=_start_first
        ):
            menu.go("train")
        st.caption(f":material/memory: {words.plain(device_name(resolve_device('auto')))}", width="content")
    problem = state.recall("train.problem")
    if problem:
        st.error(words.plain(problem))
        state.remember("train.problem", None)


def _start_first() -> None:
    try:
        run = training.prepare(FIRST, cache.dataset("digits", {}))
        training.launch(run)
    except AevizError as error:
        state.remember("train.problem", str(error))
        return
    state.choose_run(run)
    st.session_state[VIEW] = TRAINING


def shelf() -> None:
    """The runs and the data sets at hand."""
    runs, sets = st.columns(2, gap="large")
    with runs:
        st.subheader("Runs", anchor=False)
        found = list_runs()
        for run in found[:6]:
            _run_row(run)
        if not found:
            st.caption("None yet. The button above makes the first in a few seconds.")
    with sets:
        st.subheader("Images", anchor=False)
        for info in data.list_data():
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{words.plain(info.label)}**", width="content")
                size = f"{info.n:,} × {words.shape(info.shape)}" if info.n and info.shape else ""
                st.caption(size if info.ready else f"{size} · to download", width="content")


def _run_row(run: Run) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        name, colour, icon = words.STATES[run.status().state]
        st.badge(name, icon=icon, color=colour)  # type: ignore[arg-type]
        config = run.config()
        st.button(
            words.plain(words.run_title(config, run.note().title)), key=f"open.{run.id}", type="tertiary",
            on_click=state.choose_run, args=(run,), help="Work on this run.",
        )  # fmt: skip
        st.caption(words.when(config.created), width="content")
