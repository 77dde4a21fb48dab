"""From the recipe to a training at work, and the choice between the network drawn and the training watched."""

import streamlit as st

from aeviz import data, training
from aeviz.errors import AevizError
from aeviz.runs import Run
from aeviz.training import Recipe
from aeviz.ui import cache, menu, state, warm, words

NETWORK, TRAINING = "Network", "Training"
VIEW = "train.view"


def train_button(recipe: Recipe, info: data.DataInfo) -> None:
    """The button that starts; what goes wrong there is said under it, and nothing was made."""
    st.button(
        "Train", type="primary", icon=":material/play_arrow:", width="stretch", key="train", on_click=_start,
        args=(recipe,), disabled=not info.ready,
    )  # fmt: skip
    problem = state.recall("train.problem")
    if problem:
        st.error(words.plain(problem), icon=":material/error:")
        state.remember("train.problem", None)
    if not info.ready:
        st.caption(f"{words.plain(info.label)} is not here yet.")
        st.page_link(menu.MENU["data"].path, label="Download it on the page Data", icon=":material/download:")


def _start(recipe: Recipe) -> None:
    try:
        run = training.prepare(recipe, cache.dataset(recipe.data.name, recipe.data.params))
        training.launch(run, warm.spare().start)
    except AevizError as error:
        state.remember("train.problem", str(error))
        return
    state.choose_run(run)
    st.session_state[VIEW] = TRAINING


def view_picker() -> Run | None:
    """The run to watch, or None where the network is to be drawn."""
    run = state.current_run()
    if run is None:
        return None
    if VIEW not in st.session_state:
        st.session_state[VIEW] = TRAINING if run.is_live() else NETWORK
    shown = st.segmented_control(
        "View", [NETWORK, TRAINING], key=VIEW, required=True, label_visibility="collapsed",
        help="The network as the form describes it, or the training of the chosen run.",
    )  # fmt: skip
    return run if shown == TRAINING else None
