"""View Directions: a direction applied to an image, and analogies between images."""

from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from aeviz import plots
from aeviz.data import pictures
from aeviz.latent.conditioning import ConditionShift, condition_shift
from aeviz.latent.directions import METHODS, shift
from aeviz.runs import Run
from aeviz.runs.directions import Direction, check_length
from aeviz.ui import cache, state, words
from aeviz.ui.components.code_views import direction_slider
from aeviz.ui.components.export_buttons import export_menu
from aeviz.ui.components.images.image_picker import PickedImage, pick_image, pick_images, through_network
from aeviz.ui.components.walk.saved_directions import direction_picker, offered_directions

MODES = {"direction": "Direction", "analogy": "Analogy"}
STEPS, STEPS_NARROW = 9, 5
REACH = 2.0  # multiples of a direction, both ways
FURTHEST = 1.5  # multiples of the step of an analogy


class Chosen(NamedTuple):
    """The images (None if missing) and, unless it is an analogy, the direction."""

    mode: str
    images: list[PickedImage | None]
    direction: Direction | None = None


def direction_controls(run: Run) -> Chosen:
    """Select a direction and an image, or the three images of an analogy."""
    mode = st.segmented_control(
        "Kind", list(MODES), default="direction", required=True, key="directions.mode", width="stretch",
        persist_state="session",
        label_visibility="collapsed", format_func=MODES.__getitem__,
        help="A direction between two groups, or an analogy: A is to B as C is to what?",
    )  # fmt: skip
    if mode == "analogy":
        return Chosen(mode, pick_images(run, "ABC", "analogy"))
    image = pick_image(run, "Image", "directions.image")
    return Chosen(mode, [image], direction_picker(run))


def direction_canvas(run: Run, chosen: Chosen) -> None:
    """Draw the image moved along the direction, with a slider."""
    images = [image for image in chosen.images if image is not None]
    if len(images) < len(chosen.images):
        st.info("An image is missing. Upload one on the left.", icon=":material/upload:")
    elif chosen.mode == "analogy":
        _analogy(run, images)
    elif chosen.direction is not None:
        _along(run, images[0], chosen.direction)
    elif not offered_directions(run):
        st.info(
            "No directions yet. On the page Map, select two groups of images as A and B and save the direction between "
            "them.",
            icon=":material/trending_flat:",
        )


def _analogy(run: Run, images: list[PickedImage]) -> None:
    """Draw the analogy: A is to B as C is to the decoded image."""
    rebuilt = through_network(run, images)
    a, b, c = rebuilt.z
    turn = condition_shift(rebuilt.condition, cache.model(run).n_classes)
    drawn_from = [image.pixels for image in images]
    named = zip("ABC", drawn_from, (":", "∷", ":"), strict=True)
    direction_slider(
        run, c, b - a, key="analogy", name=_name(run, "analogy", *drawn_from), label="C plus the step from A to B",
        low=0.0, high=FURTHEST, start=1.0, pictures=list(named),
        marks={0.0: "C", 1.0: "C + B − A", FURTHEST: "further"},
        steps=_steps(), turn=turn,
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("A is to B as C is to the last image, whose code is C + B − A.", width="stretch")
        _export(run, "analogy", c, b - a, np.linspace(0.0, FURTHEST, STEPS), turn)


def _along(run: Run, image: PickedImage, direction: Direction) -> None:
    check_length(run, direction)
    vector = np.array(direction.vector, dtype=np.float32)
    rebuilt = through_network(run, [image])
    turn = condition_shift(rebuilt.condition, cache.model(run).n_classes)
    (x_hat,) = pictures.to_pixels(rebuilt.x_hat)
    direction_slider(
        run, rebuilt.z[0], vector, key="direction", name=_name(run, direction.name, vector, image.pixels),
        label=direction.name,
        low=-REACH, high=REACH, start=1.0, pictures=[("Image", image.pixels, ""), ("Reconstruction", x_hat, "→")],
        marks={-REACH: "−2", -1.0: "−1", 0.0: "unchanged", 1.0: "+1", REACH: "+2"}, steps=_steps(), turn=turn,
    )  # fmt: skip
    facts, bars = st.columns([2, 3], gap="medium") if not state.is_narrow() else (st.container(), st.container())
    with facts:
        _facts(run, direction)
        changes = plots.change_bars(list(direction.changes), list(direction.changes.values()), height=210)
        _export(run, "direction", rebuilt.z[0], vector, np.linspace(-REACH, REACH, STEPS), turn, changes)
    with bars:
        st.plotly_chart(
            changes, key="direction.changes",
            config={"displayModeBar": False}, alt="Changes along the direction, in standard deviations",
        )  # fmt: skip


def _facts(run: Run, direction: Direction) -> None:
    """Show the direction's specificity and origin."""
    specific = "unknown" if direction.specificity is None else f"{direction.specificity:.0%}"
    st.metric(
        "Specificity", specific,
        help="The share of all changes along the direction (squared, in standard deviations) that is intended. "
        "The chart shows what else changes.",
    )  # fmt: skip
    parts = [words.plain(direction.source), METHODS[direction.method][0].lower()]
    if direction.weights != run.weights_id():
        parts.append("computed with earlier weights; create it again")
    st.caption(" · ".join(part for part in parts if part))


def _export(
    run: Run, name: str, z: np.ndarray, vector: np.ndarray, amounts: np.ndarray, turn: ConditionShift | None,
    plot: go.Figure | None = None,
) -> None:  # fmt: skip
    codes = np.concatenate([shift(z[None], vector, amount) for amount in amounts])
    frames = pictures.to_pixels(cache.decode(run, codes, turn and turn.at(amounts)))
    numbers = {"amount": amounts, "z": codes}
    export_menu(name, frames[None], numbers | {"vector": vector, "x_hat": frames}, numbers, film=True, plot=plot)


def _name(run: Run, name: str, *parts: np.ndarray) -> str:
    """A text that identifies a direction applied to an image."""
    return f"{run.id} {name} {hash(b''.join(part.tobytes() for part in parts))}"


def _steps() -> int:
    return STEPS_NARROW if state.is_narrow() else STEPS
