"""View Manifold: decoded images over a plane of latent space, spanned by any two directions."""

from typing import NamedTuple

import numpy as np
import streamlit as st

from aeviz.data import pictures
from aeviz.results import Grid
from aeviz.results.generated.sweeps import MAX_CELLS, MIN_CELLS, axis_name, named_axes
from aeviz.runs import Run
from aeviz.ui import cache, derived, words
from aeviz.ui.components.code_views import mosaic
from aeviz.ui.components.export_buttons import export_menu
from aeviz.ui.components.images.image_picker import pick_image, through_network

HEIGHT = 620
KEY = "plane"
FAR = 6.0  # multiples of the distance between neighbours at which an image has faded
FAINT = 0.12


class Axis(NamedTuple):
    """A named direction (D,); None for a dimension of a 2-D code."""

    name: str
    vector: np.ndarray | None = None


class Chosen(NamedTuple):
    """Two axes, the plane's centre (D,) if it is not the mean, images per side, whether they fade, and their class."""

    across: Axis
    up: Axis
    centre: np.ndarray | None
    size: int
    fades: bool
    label: int


def plane_controls(run: Run) -> Chosen:
    """Select the plane and its resolution."""
    if run.config().model.latent_dim == 2:
        across, up, centre = Axis(axis_name("dimensions", 0)), Axis(axis_name("dimensions", 1)), None
        label = _class_picker(run)
    else:
        offered = named_axes(run, derived.axes(run, "principal", "variance"))
        across, up = (_axis_picker(offered, label, place) for place, label in enumerate(("Across", "Up")))
        centre, label = _centre(run)
    size = st.slider("Images per side", MIN_CELLS, MAX_CELLS, 20, key=f"{KEY}.size", persist_state="session")
    fades = st.toggle(
        "Fade far from the data", True, key=f"{KEY}.fades", persist_state="session",
        help="Fades images whose codes are far from all training codes, where the decoder was never trained.",
    )  # fmt: skip
    return Chosen(across, up, centre, size, fades, label)


def _axis_picker(offered: dict[str, np.ndarray], label: str, place: int) -> Axis:
    name = st.selectbox(label, list(offered), place, key=f"{KEY}.{place}.{len(offered)}", persist_state="session")
    return Axis(name, offered[name])


def _centre(run: Run) -> tuple[np.ndarray | None, int]:
    """Select the plane's centre (D,), None for the mean, and the class."""
    around = st.segmented_control(
        "Through", ["mean", "image"], default="mean", required=True, key=f"{KEY}.through", width="stretch",
        persist_state="session",
        format_func={"mean": "The mean", "image": "An image"}.__getitem__,
    )  # fmt: skip
    image = pick_image(run, "Image", f"{KEY}.image") if around == "image" else None
    if image is None:
        return None, _class_picker(run)
    rebuilt = through_network(run, [image])
    return rebuilt.z[0], 0 if rebuilt.condition is None else int(rebuilt.condition[0])


def _class_picker(run: Run) -> int:
    """Select the class of a conditional network; 0 for others."""
    classes = run.config().data.classes
    if not cache.model(run).n_classes:
        return 0
    return st.selectbox(
        "Class", range(len(classes)), key=f"{KEY}.class.{len(classes)}", format_func=classes.__getitem__,
        persist_state="session",
        help="The decoder is conditioned on a class. The whole plane uses this one.",
    )  # fmt: skip


def plane_canvas(run: Run, chosen: Chosen) -> None:
    """Draw the plane as a mosaic, faded far from the data."""
    found = derived.manifold(run, chosen.across.vector, chosen.up.vector, chosen.centre, chosen.size, chosen.label)
    images = pictures.to_pixels(found.x_hat.reshape(-1, *found.x_hat.shape[2:]))
    distance = found.distance.ravel()
    across, up = chosen.across.name, chosen.up.name
    ys, xs = np.meshgrid(found.ys, found.xs, indexing="ij")
    mosaic(
        images, key="plane.mosaic", alt=f"Decoded images over {across} and {up}", height=HEIGHT, columns=chosen.size,
        fade=np.clip(1.2 - distance / FAR, FAINT, 1.0) if chosen.fades else None,
        words=[
            f"{across} {x:.2f} · {up} {y:.2f} · {far:.1f}× from the data"
            for x, y, far in zip(xs.flat, ys.flat, distance, strict=True)
        ],
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"{words.plain(across)} from {found.xs[0]:.2f} to {found.xs[-1]:.2f} across, "
            f"{words.plain(up)} from {found.ys[-1]:.2f} to {found.ys[0]:.2f} up: "
            "from the 1st to the 99th percentile of the data.",
            width="stretch",
        )  # fmt: skip
        _export(found)


def _export(found: Grid) -> None:
    ys, xs = np.meshgrid(found.ys, found.xs, indexing="ij")
    numbers = {"xs": found.xs, "ys": found.ys, "z": found.z, "distance": found.distance, "x_hat": found.x_hat}
    table = {"x": xs.ravel(), "y": ys.ravel(), "distance": found.distance.ravel()}
    export_menu(
        "manifold", pictures.to_pixels(found.x_hat), numbers, table | {"z": found.z.reshape(len(xs.ravel()), -1)}
    )
