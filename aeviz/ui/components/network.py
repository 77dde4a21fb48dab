"""The network before it is trained: its hourglass, its layers, and what it costs."""

import json
import math

import pandas as pd
import streamlit as st

from aeviz import plots
from aeviz.models import budget
from aeviz.training import Recipe
from aeviz.ui import cache, words

TABLE_HEIGHT = 320  # the rest is scrolled, so that the page ends above the fold
WEIGHED = ("Linear", "Conv2d", "ConvTranspose2d")


def network_view(recipe: Recipe, shape: tuple[int, ...]) -> None:
    """Draw the network a recipe asks for."""
    needed = cost_of(recipe, shape)
    size = math.prod(shape)
    latent = int(recipe.model["latent_dim"])
    with st.container(horizontal=True, gap="medium"):
        st.metric("Image", words.shape(shape), width="content")
        st.metric(
            "Code",
            f"{latent} numbers",
            f"{size / latent:.3g}× smaller" if size > latent else None,
            delta_color="off",
            delta_arrow="off",
            width="content",
        )
        st.metric("Parameters", words.count(needed.parameters), width="content")
        st.metric(
            "Memory to train",
            budget.in_bytes(needed.memory),
            width="content",
            help="Weights, gradients, the optimizer's memory and the activations of one batch.",
        )
        st.metric(
            "FLOPs per image",
            words.count(needed.flops),
            width="content",
            help="Two per weight and place it is used at, forward only.",
        )
    weighed = [layer for layer in needed.layers if layer.name in WEIGHED]
    encoder = [layer for layer in weighed if layer.part == "encoder"][:-1]
    decoder = [layer for layer in weighed if layer.part == "decoder"]
    names = ["image", *(layer.name for layer in encoder), "code", *(layer.name for layer in decoder[:-1]), "image"]
    sizes = [
        size,
        *(math.prod(layer.shape) for layer in encoder),
        latent,
        *(math.prod(layer.shape) for layer in decoder),
    ]
    parts = ["image", *["encoder"] * len(encoder), "code", *["decoder"] * (len(decoder) - 1), "image"]
    st.plotly_chart(
        plots.hourglass(names, sizes, parts), key="hourglass", config={"displayModeBar": False},
        alt="Numbers left of an image after every layer",
    )  # fmt: skip
    st.caption("Numbers left of the image after each layer; the heights are their logarithms.")
    _table(needed)


def cost_of(recipe: Recipe, shape: tuple[int, ...]) -> budget.Cost:
    """What training the network takes.

    Raises:
        BadValue: a setting that is not allowed, or layers that do not fit together.
    """
    model = {**recipe.model, "sample_shape": shape}
    training = recipe.training
    return cache.cost(json.dumps(model, sort_keys=True), model, training.batch_size, training.optimizer)


def _table(needed: budget.Cost) -> None:
    rows = [
        {
            "Part": words.label(layer.part),
            "Layer": layer.name,
            "Output": " × ".join(map(str, layer.shape)),
            "Parameters": f"{layer.parameters:,}" if layer.parameters else "",
            "FLOPs": f"{layer.flops:,}" if layer.flops else "",
        }
        for layer in needed.layers
    ]
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, height=min(TABLE_HEIGHT, 38 + 35 * len(rows)), key="layers",
        column_config={name: st.column_config.TextColumn(alignment="right") for name in ("Parameters", "FLOPs")},
        alt="The layers with their output shapes and parameters",
    )  # fmt: skip
