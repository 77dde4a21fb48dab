"""The start button, and the switch between the network and the training."""

import streamlit as st

from aeviz import training
from aeviz.runs import Run
from aeviz.training import Recipe
from aeviz.ui import cache, menu, state, warm, words
from aeviz.ui.components.train.recipe import Filled, device_line
from aeviz.ui.frame import catch_errors

NETWORK, TRAINING = "Network", "Training"
VIEW = "train.view"


def train_button(filled: Filled) -> None:
    """Draw the start button, and the device or what prevents the start."""
    info, recipe = filled.info, filled.recipe
    st.button(
        "Train", type="primary", icon=":material/play_arrow:", width="stretch", key="train",
        on_click=catch_errors(_start),
        args=(recipe,), disabled=not info.ready or recipe is None,
    )  # fmt: skip
    if not info.ready:
        st.caption(f"{words.plain(info.label)} is not downloaded yet.")
        st.page_link(menu.MENU["data"].path, label="Download it on the page Data", icon=":material/download:")
    elif recipe:
        st.caption(device_line(recipe))
    else:
        where = "the red row" if filled.outline and filled.outline.problem else "the error message"
        st.caption(f":material/block: Cannot train with these settings; see {where}.")


def _start(recipe: Recipe) -> None:
    """Create the run and start its training; nothing is created if it raises."""
    start_run(training.prepare(recipe, cache.dataset(recipe.data.name, recipe.data.params)))
    st.session_state[VIEW] = TRAINING


def start_run(run: Run, title: str = "") -> None:
    """Start a prepared run, with a title if given, and show it from the top of the page."""
    if title:
        run.write_note(run.note().model_copy(update={"title": title}))
    training.launch(run, warm.spare().start)
    state.choose_run(run)
    state.remember("begun", run.id)


def view_picker() -> Run | None:
    """Select the view: the run to watch, or None for the network."""
    run = state.current_run()
    if run is None:
        return None
    usual = NETWORK if run.status().state in ("done", "diverged") else TRAINING
    # Set on each run, because the control is drawn elsewhere once the window is found to be narrow.
    st.session_state[VIEW] = st.session_state.get(VIEW) or usual
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        shown = st.segmented_control(
            "View", [NETWORK, TRAINING], key=VIEW, required=True, label_visibility="collapsed",
            help="The network configured in the form, or the training of the selected run.",
        )  # fmt: skip
        if shown == TRAINING:
            st.markdown(f"**{words.plain(words.run_title(run.config(), run.note().title))}**", width="content")
    return run if shown == TRAINING else None
