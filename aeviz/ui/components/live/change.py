"""Changes of the network during training, and undo."""

from typing import Any

import streamlit as st

from aeviz import training
from aeviz.errors import AevizError
from aeviz.models import model_config
from aeviz.runs import Run, RunConfig
from aeviz.ui import warm, words
from aeviz.ui.components.live.follow import follow
from aeviz.ui.components.train.network import layer_editor, outline_of
from aeviz.ui.frame import catch_errors


def change_buttons(run: Run, config: RunConfig) -> None:
    """Draw the buttons to change the network and undo, and what the last change kept."""
    with st.container(horizontal=True, gap="small"):
        if st.button(
            "Change the network", icon=":material/account_tree:", key="change",
            help="Change layers or latent size. Learned weights are kept where they fit.",
        ):  # fmt: skip
            _editor(run, config)
        if training.can_undo(run):
            st.button(
                "Undo", icon=":material/undo:", key="undo", on_click=catch_errors(training.undo), args=(run,),
                help="Restore the network and training step from before the last change.",
            )  # fmt: skip
    kept = [event for event in follow(run).events if event["kind"] == "change"]
    if kept and kept[-1].get("said"):
        st.caption(f":material/account_tree: {words.sentence(kept[-1]['said'])}")


@st.dialog("Change the network", width="large")
def _editor(run: Run, config: RunConfig) -> None:
    values = {name: value for name, value in config.model.to_json().items() if name != "sample_shape"}
    edited = layer_editor(f"change.{run.id}", values, config.model.sample_shape, config.training)
    problem = _problem(edited, config)
    if problem:
        st.error(words.sentence(problem), icon=":material/error:")
    st.caption(
        "New or wider layers initially compute the same function. A smaller code keeps the principal directions."
    )
    if st.button(
        "Continue with this network", type="primary", key="change.apply", disabled=bool(problem) or edited == values
    ):
        catch_errors(training.change)(run, edited, warm.spare().start)
        st.rerun()


def _problem(edited: dict[str, Any], config: RunConfig) -> str:
    """The problem with a network, or an empty string."""
    try:
        model = model_config({**edited, "sample_shape": config.model.sample_shape})
        problem = outline_of(model, config.training).problem
    except AevizError as error:
        return str(error)
    return str(problem) if problem else ""
