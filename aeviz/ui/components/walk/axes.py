"""View Dimensions: each latent dimension or principal direction, swept over the range of the data."""

from typing import NamedTuple

import numpy as np
import streamlit as st

from aeviz.data import pictures
from aeviz.latent.paths.traversals import Order
from aeviz.models.variants.vae import VAE
from aeviz.results import Axes
from aeviz.results.generated.sweeps import Kind, axis_name, sweep
from aeviz.runs import Run
from aeviz.ui import cache, derived, words
from aeviz.ui.components.code_views import mosaic
from aeviz.ui.components.export_buttons import export_menu
from aeviz.ui.components.images.image_picker import PickedImage, pick_image, through_network
from aeviz.ui.components.posters import Row, poster

HEIGHT = 640
SILENT, FAINT = 1e-3, 0.35  # mean squared pixel change below which an axis has no effect, and its opacity
KINDS: dict[Kind, str] = {"dimensions": "Latent", "principal": "Principal"}
ORDERS: dict[Order, str] = {"effect": "Effect on pixels", "variance": "Variance", "kl": "KL"}
NAME = "dimensions"


class Chosen(NamedTuple):
    """The starting image, the kind of axes, their order, and the images per row."""

    image: PickedImage | None
    kind: Kind
    order: Order
    steps: int


def axes_controls(run: Run) -> Chosen:
    """Select the image and the axes."""
    image = pick_image(run, "Image", "axes.image")
    kind: Kind = st.segmented_control(
        "Axes", list(KINDS), default="dimensions", required=True, key="axes.kind", width="stretch",
        persist_state="session",
        format_func=KINDS.__getitem__, help="Single latent dimensions, or the principal directions of the codes.",
    )  # fmt: skip
    orders = [name for name in ORDERS if name != "kl" or (kind == "dimensions" and isinstance(cache.model(run), VAE))]
    order: Order = st.selectbox(
        "Order by", orders, key=f"axes.order.{len(orders)}", format_func=ORDERS.__getitem__, persist_state="session",
        help="Order axes by how much they change the image, by the variance of the codes along them, or by their KL "
        "divergence from N(0, 1).",
    )  # fmt: skip
    steps = st.slider("Images per row", 3, 15, 9, key="axes.steps", persist_state="session")
    return Chosen(image, kind, order, steps)


def axes_canvas(run: Run, chosen: Chosen) -> None:
    """Draw a row of images for each axis; the one closest to the starting image is framed."""
    if chosen.image is None:
        st.info("Choose an image to start from.", icon=":material/upload:")
        return
    known = derived.axes(run, chosen.kind, chosen.order)
    rebuilt = through_network(run, [chosen.image])
    swept = sweep(rebuilt.z[0], known, chosen.steps)
    count, steps, width = swept.z.shape
    orders = None if rebuilt.condition is None else rebuilt.condition.repeat(count * steps)
    frames = pictures.to_pixels(cache.decode(run, swept.z.reshape(-1, width), orders))
    own = np.abs(swept.values - swept.own[:, None]).argmin(axis=1) + steps * np.arange(count)
    names = [axis_name(chosen.kind, axis) for axis in swept.chosen.tolist()]
    notes = [_note(known, chosen.order, axis) for axis in swept.chosen]
    silent = known.effect[swept.chosen] < SILENT
    mosaic(
        frames, key="axes.mosaic", alt=f"{count} axes, {steps} images each", height=HEIGHT, columns=steps,
        marks=own.tolist(),
        fade=np.where(silent, FAINT, 1.0).repeat(steps),
        rows=[{"label": name, "note": note} for name, note in zip(names, notes, strict=True)],
        words=[f"{name} = {value:.2f}" for name, row in zip(names, swept.values, strict=True) for value in row],
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center"):
        fewer = f"The top {count} of {len(known.vectors):,} axes. " if count < len(known.vectors) else ""
        st.caption(
            f"{fewer}Values run from the 1st to the 99th percentile of the data; a frame marks the image itself."
            + (" Faint axes have almost no effect." if silent.any() else ""),
            width="stretch",
        )
        export_menu(
            NAME, frames.reshape(count, steps, *frames.shape[1:]),
            {"axis": np.array(names), "value": swept.values, "z": swept.z, "x_hat": frames},
            {"axis": np.array(names).repeat(steps), "value": swept.values.ravel(), "z": swept.z.reshape(-1, width)},
            picture=lambda: poster(
                [Row(*row) for row in zip(frames.reshape(count, steps, *frames.shape[1:]), names, notes, strict=True)]
            ),
        )  # fmt: skip


def _note(known: Axes, order: Order, axis: int) -> str:
    if order == "kl" and known.kl is not None:
        return f"{known.kl[axis]:.2f} nats"
    if order == "variance":
        return f"variance {words.number(float(known.variance[axis]), 2)}"
    return f"effect {known.effect[axis]:.3f}"
