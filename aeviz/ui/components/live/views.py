"""Views of a training: loss, pictures, map and internals."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from aeviz.models import LOSSES
from aeviz.plots.theme import CLASS_COLOURS
from aeviz.runs import Run, RunConfig, frames
from aeviz.ui import show
from aeviz.ui.components.live import bridges
from aeviz.ui.components.live.film import film_view
from aeviz.ui.components.live.follow import Follower

HEIGHT = 520
PREVIEW_HEIGHT = 118
ROWS = 7  # of reconstructions below the originals
SIDE = 56
FRAMES_LATER = "Waiting for the first frame. Imported runs have no frames."


def loss_view(run: Run, config: RunConfig, follower: Follower, live: bool) -> None:
    """Draw the loss terms with events, and the current reconstructions."""
    bridges.chart(
        follower.curves(), events=follower.events, key="loss_chart", about=run.id,
        height=HEIGHT - PREVIEW_HEIGHT - 16, x_label="epoch", y_label=LOSSES[config.training.loss].unit,
    )  # fmt: skip
    preview = run.path / "preview.webp"
    rows = (
        [("Validation images above, their reconstructions below", show.address(preview.read_bytes()))]
        if preview.exists()
        else []
    )
    bridges.strips(rows, key="preview", height=PREVIEW_HEIGHT, side=PREVIEW_HEIGHT - 6, plain=True)


def pictures_view(run: Run, config: RunConfig, follower: Follower, live: bool) -> None:
    """Draw eight images and their reconstructions at steps spread over the training."""
    steps = [step for step in frames.frame_steps(run) if frames.picture_path(run, step).exists()]
    rows = []
    original = frames.originals_path(run)
    if steps and original.exists():
        rows = [("Originals", show.address(original.read_bytes()))]
        for step in spread(steps, ROWS):
            path = frames.picture_path(run, step)
            if path.exists():
                epoch = step / follower.steps_per_epoch
                rows.append(
                    (f"epoch {epoch:.1f}".removesuffix(".0") if step else "untrained", show.address(path.read_bytes()))
                )
    bridges.strips(rows, key="strips", height=HEIGHT, side=SIDE, empty=FRAMES_LATER)


def map_view(run: Run, config: RunConfig, follower: Follower, live: bool) -> None:
    """Draw the film of the map."""
    film_view(run, follower, config.data.classes, live, HEIGHT)


def inside_view(run: Run, config: RunConfig, follower: Follower, live: bool) -> None:
    """Draw the activity of latent dimensions, gradient norms, and the share of dead units."""
    groups = []
    if follower.vitals:
        groups.append(_dimensions(follower.vitals))
    if follower.gradients:
        groups.append(_gradients(follower.gradients))
    if follower.vitals and follower.vitals.get("dead"):
        groups.append(_dead(follower.vitals["dead"]))
    bridges.bars(groups, key="inside", height=HEIGHT, empty="Waiting for the first measurement.")


def _dimensions(vitals: dict[str, Any]) -> dict[str, Any]:
    by_kl = vitals.get("kl") is not None
    values = vitals["kl"] if by_kl else vitals["variance"]
    return {
        "title": "KL of each dimension" if by_kl else "Variance of each dimension",
        "note": f"{vitals['active']} of {len(values)} active",
        "help": "Information each latent dimension carries about the image, in nats. Near 0 it is unused."
        if by_kl
        else "Variance of each latent dimension over the images. Near 0 it is unused.",
        "labels": [f"z{number}" for number in range(1, len(values) + 1)],
        "values": values, "unit": " nats" if by_kl else "", "colour": CLASS_COLOURS[0], "wide": True,
    }  # fmt: skip


def _gradients(gradients: dict[str, float]) -> dict[str, Any]:
    layers = {name: value for name, value in gradients.items() if name != "total"}
    total = gradients.get("total")
    return {
        "title": "Gradient by layer",
        "note": "" if total is None else f"total {total:.3g}",
        "help": "Gradient norm of each layer's weights, on a logarithmic scale. Similar bars mean that the layers "
        "learn at a similar pace.",
        "labels": [_short(name) for name in layers], "values": list(layers.values()), "unit": "",
        "colour": CLASS_COLOURS[2], "log": True,
    }  # fmt: skip


def _dead(dead: dict[str, float]) -> dict[str, Any]:
    worst = max(dead.values())
    return {
        "title": "Dead units by layer",
        "note": f"at most {worst:.0%}",
        "help": "Share of each layer's units that are inactive for all probe images.",
        "labels": [_short(name) for name in dead], "values": [100 * share for share in dead.values()], "unit": " %",
        "colour": CLASS_COLOURS[1], "top": 100,
    }  # fmt: skip


def _short(layer: str) -> str:
    """`encoder.3` as e3."""
    part, _, number = layer.partition(".")
    return f"{part[:1]}{number}"


def spread(steps: list[int], most: int) -> list[int]:
    """Select at most `most` steps, including first and last, denser at the beginning."""
    if len(steps) <= most:
        return steps
    share = [(number / (most - 1)) ** 2 for number in range(most)]
    places = sorted({round(part * (len(steps) - 1)) for part in share})
    others = [place for place in range(len(steps)) if place not in places]
    return [steps[place] for place in sorted(places + others[: most - len(places)])]


VIEWS: dict[str, Callable[[Run, RunConfig, Follower, bool], None]] = {
    "Loss": loss_view, "Pictures": pictures_view, "Map": map_view, "Inside": inside_view,
}  # fmt: skip


def view_switch() -> str:
    """Select the view."""
    chosen: str = st.segmented_control(
        "Watch", list(VIEWS), default="Loss", required=True, key="live.view", label_visibility="collapsed",
        persist_state="session",
    )  # fmt: skip
    return chosen
