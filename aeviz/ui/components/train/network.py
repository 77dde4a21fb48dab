"""The network before training: drawing, layer table and costs."""

import json
import math
from collections.abc import Iterable
from typing import Any

import streamlit as st

from aeviz import plots
from aeviz.models import CustomConfig, ModelConfig, costs, model_config
from aeviz.models.bodies.notation import shortened
from aeviz.models.costs import Layer, Outline
from aeviz.plots.network import Bar
from aeviz.runs import TrainingConfig
from aeviz.ui import cache, state, words
from aeviz.ui.components.train.layer_table import Edited, Rows, layer_table

NARROW_SHARE = 0.45  # share of the usual canvas on narrow windows


def outline_of(model: ModelConfig, training: TrainingConfig) -> Outline:
    """The layers of a network, as far as they fit together, and its training costs.

    Raises:
        BadValue: the settings do not fit the image shape.
    """
    values = model.to_json()
    return cache.outline(
        json.dumps(values, sort_keys=True), values, training.batch_size, training.optimizer, training.loss
    )


def network_view(key: str, model: ModelConfig, outline: Outline, on_edit: Edited) -> None:
    """Draw a network and its layer table; `on_edit` is called with all layers and the latent size."""
    _figures(model, outline)
    bars, places = _bars(model, outline)
    share = NARROW_SHARE if state.is_narrow() else 1.0
    st.plotly_chart(
        plots.hourglass(bars, places=places, share=share), key=f"{key}_hourglass", config={"displayModeBar": False},
        alt="Number of values after each layer",
    )  # fmt: skip
    layer_table(f"{key}_layers", model.body, model.latent_dim, _rows(model, outline), on_edit)


def layer_editor(
    key: str, model: dict[str, Any], sample_shape: tuple[int, ...], training: TrainingConfig | None = None
) -> dict[str, Any]:
    """Draw an existing network for editing; returns the edited settings without the sample shape.

    Edits are kept in the session under `key` until `model` changes. They are complete settings, but may not fit
    together; callers must check them.
    """
    given = {name: value for name, value in model.items() if name != "sample_shape"}
    if state.recall(f"{key}.given") != given:
        state.remember(f"{key}.given", given)
        state.remember(f"{key}.edited", given)
    edited: dict[str, Any] = state.recall(f"{key}.edited")

    def take(custom: CustomConfig, latent_dim: int) -> None:
        body = shortened(custom).to_json()
        state.remember(f"{key}.edited", {**edited, "latent_dim": latent_dim, "body": body})

    config = model_config({**edited, "sample_shape": sample_shape})
    network_view(key, config, outline_of(config, training or TrainingConfig()), take)
    return edited


def _figures(model: ModelConfig, outline: Outline) -> None:
    """Draw the network's key figures; dashes if it does not fit together."""
    size, latent, whole = math.prod(model.sample_shape), model.latent_dim, outline.problem is None
    needed = outline.cost
    shown = {
        "Image": (words.shape(model.sample_shape), None),
        "Code": (f"{latent} numbers", f"{size / latent:.3g} times smaller than the image." if size > latent else None),
        "Parameters": (words.count(needed.parameters) if whole else "–", None),
        "Memory to train": (
            costs.in_bytes(needed.memory) if whole else "–",
            "Weights, gradients, optimizer state and the activations of one batch.",
        ),
        "FLOPs per image": (
            words.count(needed.flops) if whole else "–",
            "Forward pass only: two per multiply-accumulate.",
        ),
    }
    with st.container(horizontal=True, gap="medium"):
        for name, (value, note) in shown.items():
            st.metric(name, value, help=note, width="content")


def _by_row(model: ModelConfig, outline: Outline) -> list[list[Layer]]:
    """The encoder's modules grouped by their row in the settings."""
    gathered: list[list[Layer]] = [[] for _ in model.body.as_layers()]
    for layer in outline.layers:
        if layer.row is not None:
            gathered[layer.row].append(layer)
    return [modules for modules in gathered if modules]


def _rest(outline: Outline, *parts: str) -> list[Layer]:
    return [layer for layer in outline.layers if layer.part in parts and layer.row is None]


def _bars(model: ModelConfig, outline: Outline) -> tuple[list[Bar], int]:
    """The bars of the drawing, and their number if all layers fitted."""
    layers = model.body.as_layers()
    encoder = [
        Bar(words.label(layers[row].kind), "encoder", modules[-1].shape, sum(one.parameters for one in modules))
        for row, modules in enumerate(_by_row(model, outline))
    ]
    image = Bar("Image", "image", model.sample_shape)
    places = 2 * len(layers) + 3
    if outline.problem is not None:
        broken = outline.broken or 0
        before = encoder[-1].shape if encoder else model.sample_shape
        return [image, *encoder, Bar(words.label(layers[broken].kind), "broken", before)], places
    code = Bar("Code", "code", (model.latent_dim,), sum(one.parameters for one in _rest(outline, "encoder", "code")))
    decoder = [Bar(f"{bar.name}, mirrored", "decoder", bar.shape) for bar in reversed(encoder)]
    return [image, *encoder, code, *decoder, Bar("Reconstruction", "image", model.sample_shape)], places


def _rows(model: ModelConfig, outline: Outline) -> Rows:
    """Costs of image, layers, code and the whole decoder."""
    rows = [_costs(modules, modules[-1].shape) for modules in _by_row(model, outline)]
    missing: list[dict[str, str]] = [{}] * (len(model.body.as_layers()) - len(rows))
    image = {"shape": _shape(model.sample_shape)}
    if outline.problem is not None:
        broken = 1 + (outline.broken or 0)
        return Rows([image, *rows, *missing, {}, {}], broken, words.capitalised(outline.problem))
    code = _costs(_rest(outline, "encoder", "code"), (model.latent_dim,))
    decoder = _costs(_rest(outline, "decoder"), model.sample_shape)
    return Rows([image, *rows, code, decoder])


def _costs(modules: Iterable[Layer], shape: tuple[int, ...]) -> dict[str, str]:
    parameters, flops, memory = (
        sum(getattr(module, name) for module in modules) for name in ("parameters", "flops", "memory")
    )
    return {
        "shape": _shape(shape),
        "parameters": words.count(parameters) if parameters else "–",
        "flops": words.count(flops) if flops else "–",
        "memory": costs.in_bytes(memory) if memory else "–",
    }


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
