"""The layer table: an editable table of a network's layers."""

import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st
from pydantic.fields import FieldInfo

from aeviz.models.base import ModelConfig
from aeviz.models.bodies.notation import CHOICES
from aeviz.models.bodies.settings import BodyConfig, CustomConfig, LayerConfig
from aeviz.ui import forms, state, words
from aeviz.ui.components.bridges import bridge, joined
from aeviz.ui.frame import catch_errors

PARTS = ("network/layer_edits.js", "network/layer_table.js")
_table = bridge("aeviz_layer_table", joined(*PARTS), css=joined("network/layer_table.css"))

# Cost columns with their help texts.
COLUMNS = {
    "shape": ("Output", "Output shape for one image: channels × height × width, or number of units."),
    "parameters": ("Params", "Trainable parameters of the layer. The decoder row below sums the mirrored layers."),
    "flops": ("FLOPs", "Forward pass for one image: two per multiply-accumulate."),
    "memory": ("Memory", "For training: weights, gradients, optimizer state, and the activations of one batch."),
}
TEXTS = {
    "hint": "Enter adds a layer · Delete removes it · Alt ↑ ↓ moves it · ↑ ↓ change a number, Shift ↑ ↓ double it",
    "add": "Add a layer below (Enter)", "remove": "Remove the layer (Delete)", "up": "Move up (Alt ↑)",
    "down": "Move down (Alt ↓)", "undo": "Undo (Ctrl Z)", "redo": "Redo (Ctrl Y)", "layer": "layer",
    "whole": "{label} must be a whole number from {min} to {max}.",
    "number": "{label} must be a number from {min} to {max}.", "image": "Image", "code": "Code", "decoder": "Decoder",
    "mirrors": "the layers above, mirrored",
}  # fmt: skip
SHORTER = {"norm": "Norm"}
STEPS = {"kernel": 2, "stride": 1, "dropout": 0.05}  # other numbers change by about 10 %

Edited = Callable[[CustomConfig, int], None]


@dataclass(frozen=True)
class Rows:
    """Costs of each row (image, layers, code, decoder), and the row that does not fit with its problem."""

    costs: list[dict[str, str]]
    broken: int | None = None
    problem: str = ""


def layer_table(key: str, body: BodyConfig, latent_dim: int, rows: Rows, on_edit: Edited) -> None:
    """Draw the editable layers; `on_edit` is called with all layers and the latent size."""
    custom = body.as_custom()

    def edited() -> None:
        """Validate the browser's edits and pass them on."""
        value = st.session_state[key].edited
        state.remember(f"{key}.seq", value["seq"])
        on_edit(CustomConfig.parse({**custom.to_json(), "layers": value["layers"]}), int(value["latent"]))

    _table(key=key, data=_data(key, custom, latent_dim, rows), on_edited_change=catch_errors(edited))


def _data(key: str, custom: CustomConfig, latent_dim: int, rows: Rows) -> dict[str, Any]:
    columns = {name: label for name, (label, _) in COLUMNS.items()}
    helps = {f"{name}_help": value for name, (_, value) in COLUMNS.items()}
    return {
        "key": key,
        "seq": state.recall(f"{key}.seq"),
        "fields": [_field(name, field) for name, field in LayerConfig.model_fields.items()],
        "code": _field("latent_dim", ModelConfig.model_fields["latent_dim"]) | {"name": "latent"},
        "applies": CHOICES,
        "usual": {name: getattr(custom, name) for name in BodyConfig.model_fields},
        "blank": LayerConfig().to_json(),
        "most": forms.bounds(CustomConfig.model_fields["layers"])["max_length"],
        "layers": [layer.to_json() for layer in custom.layers],
        "latent": latent_dim,
        "words": TEXTS | columns | helps,
        "costs": rows.costs,
        "broken": rows.broken,
        "problem": rows.problem,
    }


def _field(name: str, field: FieldInfo) -> dict[str, Any]:
    """A column of the table: options of a choice, or bounds and step of a number."""
    shown = {"name": name, "label": SHORTER.get(name) or words.label(name), "help": field.description}
    kind = forms.kind_of(field)
    choices = typing.get_args(kind)
    if choices:
        return shown | {"options": [[choice, words.label(choice)] for choice in choices]}
    bounds = forms.bounds(field)
    return shown | {"min": bounds["ge"], "max": bounds["le"], "whole": kind is int, "step": STEPS.get(name)}
