"""What turns one kind of image into another: a direction applied to any image, and analogies between images."""

from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from aeviz import plots
from aeviz.data import pictures
from aeviz.latent.conditioning import Turn, turn_of
from aeviz.latent.directions import METHODS, shift
from aeviz.runs import Run
from aeviz.runs.directions import Direction, check_length
from aeviz.ui import cache, state, words
from aeviz.ui.components.code_bridges import direction_slider
from aeviz.ui.components.images.one_image import OneImage, one_image, some_images, through_network
from aeviz.ui.components.taking import take_along
from aeviz.ui.components.walk.direction_shelf import direction_picker, offered_directions

MODES = {"direction": "Direction", "analogy": "Analogy"}
STEPS, STEPS_NARROW = 9, 5
REACH = 2.0  # times a direction is followed either way
FURTHEST = 1.5  # times the step of an analogy is taken


class Chosen(NamedTuple):
    """The images, None for one that is missing, and the direction; without one it is an analogy."""

    mode: str
    images: list[OneImage | None]
    direction: Direction | None = None


def direction_controls(run: Run) -> Chosen:
    """A direction and the image it is applied to, or the three images of an analogy."""
    mode = st.segmented_control(
        "Kind", list(MODES), default="direction", required=True, key="directions.mode", width="stretch", persist_state="session",
        label_visibility="collapsed", format_func=MODES.__getitem__, help="A direction between groups, or A is to B as C is to what?",
    )  # fmt: skip
    if mode == "analogy":
        return Chosen(mode, some_images(run, "ABC", "analogy"))
    image = one_image(run, "Image", "directions.image")
    return Chosen(mode, [image], direction_picker(run))


def direction_canvas(run: Run, chosen: Chosen) -> None:
    """The image and what becomes of it, with a slider that moves it."""
    images = [image for image in chosen.images if image is not None]
    if len(images) < len(chosen.images):
        st.info("An image is still missing; upload it on the left.", icon=":material/upload:")
    elif chosen.mode == "analogy":
        _analogy(run, images)
    elif chosen.direction is not None:
        _along(run, images[0], chosen.direction)
    elif not offered_directions(run):
        st.info(
            "There is no direction yet. Pick two groups of images on the page Map, as A and as B, and keep the direction between them.",
            icon=":material/trending_flat:",
        )


def _analogy(run: Run, images: list[OneImage]) -> None:
    """A is to B as C is to the picture that one can move."""
    rebuilt = through_network(run, images)
    a, b, c = rebuilt.z
    turn = turn_of(rebuilt.told, cache.model(run).n_classes)
    drawn_from = [image.pixels for image in images]
    named = zip("ABC", drawn_from, (":", "∷", ":"), strict=True)
    direction_slider(
        run, c, b - a, key="analogy", name=_name(run, "analogy", *drawn_from), label="C and what leads from A to B",
        low=0.0, high=FURTHEST, start=1.0, pictures=list(named), marks={0.0: "C itself", 1.0: "as B is to A", FURTHEST: "further"},
        steps=_steps(), turn=turn,
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            "A is to B as C is to the last picture: the code of C, plus that of B, less that of A.", width="stretch"
        )
        _take(run, "analogy", c, b - a, np.linspace(0.0, FURTHEST, STEPS), turn)


def _along(run: Run, image: OneImage, direction: Direction) -> None:
    check_length(run, direction)
    vector = np.array(direction.vector, dtype=np.float32)
    rebuilt = through_network(run, [image])
    turn = turn_of(rebuilt.told, cache.model(run).n_classes)
    (x_hat,) = pictures.to_pixels(rebuilt.x_hat)
    direction_slider(
        run, rebuilt.z[0], vector, key="direction", name=_name(run, direction.name, vector, image.pixels), label=direction.name,
        low=-REACH, high=REACH, start=1.0, pictures=[("Image", image.pixels, ""), ("Rebuilt", x_hat, "→")],
        marks={-REACH: "−2", -1.0: "−1", 0.0: "as it is", 1.0: "+1", REACH: "+2"}, steps=_steps(), turn=turn,
    )  # fmt: skip
    facts, bars = st.columns([2, 3], gap="medium") if not state.is_narrow() else (st.container(), st.container())
    with facts:
        _facts(run, direction)
        changes = plots.change_bars(list(direction.changes), list(direction.changes.values()), height=210)
        _take(run, "direction", rebuilt.z[0], vector, np.linspace(-REACH, REACH, STEPS), turn, changes)
    with bars:
        st.plotly_chart(
            changes, key="direction.changes",
            config={"displayModeBar": False}, alt="What changes along the direction, in standard deviations",
        )  # fmt: skip


def _facts(run: Run, direction: Direction) -> None:
    """How specific the direction is, and what it was made of."""
    specific = "not known" if direction.specificity is None else f"{direction.specificity:.0%}"
    st.metric(
        "Specificity", specific,
        help="Of all that changes along the direction (squared, in standard deviations), the share that it is meant to change. "
        "What else changes stands beside.",
    )  # fmt: skip
    said = [words.plain(direction.source), METHODS[direction.method][0].lower()]
    if direction.weights != run.weights_id():
        said.append("made of earlier weights; make it anew")
    st.caption(" · ".join(part for part in said if part))


def _take(
    run: Run, name: str, z: np.ndarray, vector: np.ndarray, amounts: np.ndarray, turn: Turn | None,
    plot: go.Figure | None = None,
) -> None:  # fmt: skip
    codes = np.concatenate([shift(z[None], vector, amount) for amount in amounts])
    frames = pictures.to_pixels(cache.decode(run, codes, turn and turn.at(amounts)))
    numbers = {"amount": amounts, "z": codes}
    take_along(name, frames[None], numbers | {"vector": vector, "x_hat": frames}, numbers, film=True, plot=plot)


def _name(run: Run, name: str, *parts: np.ndarray) -> str:
    """A text that tells a direction on an image from every other."""
    return f"{run.id} {name} {hash(b''.join(part.tobytes() for part in parts))}"


def _steps() -> int:
    return STEPS_NARROW if state.is_narrow() else STEPS
