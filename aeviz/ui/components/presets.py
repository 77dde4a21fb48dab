"""Recipes worth starting from: picked at the top of the form, which they fill in."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import streamlit as st

from aeviz.models import VARIANTS, ModelConfig, model_config
from aeviz.training import Recipe
from aeviz.ui import forms, state, words

KEY = "train.preset"
OWN = "My own"
SHARED = set(ModelConfig.model_fields)


class Preset(Protocol):
    """A recipe with what it was measured to reach."""

    @property
    def name(self) -> str:
        """On disk."""

    @property
    def label(self) -> str:
        """On screen."""

    @property
    def summary(self) -> str:
        """One line on what it is good for."""

    @property
    def recipe(self) -> Recipe:
        """What it asks for."""

    @property
    def measured(self) -> Mapping[str, float | None]:
        """What it reached, `psnr` and others."""


def preset_picker(presets: Sequence[Preset]) -> None:
    """Pick a recipe and have the form filled in by it; what it was measured to reach stands beside."""
    if not presets:
        return
    known = {preset.name: preset for preset in presets}
    if st.session_state.get(KEY) not in known:
        st.session_state[KEY] = None
    st.selectbox(
        "Preset", list(known), index=None, key=KEY, placeholder=OWN, persist_state="session",
        format_func=lambda name: f"{known[name].label} · {words.decibels(known[name].measured.get('psnr'))}",
        on_change=_fill, args=(known,), help="\n".join(f"- **{one.label}**: {one.summary}" for one in presets),
    )  # fmt: skip
    chosen = known.get(st.session_state[KEY] or "")
    if chosen:
        reached = ", ".join(f"{words.label(name)} {_figure(name, value)}" for name, value in chosen.measured.items())
        st.caption(f"{words.plain(chosen.summary)} Measured: {words.plain(reached)}.")


def _figure(name: str, value: float | None) -> str:
    return words.decibels(value) if name == "psnr" else words.number(value)


def _fill(known: Mapping[str, Preset]) -> None:
    chosen = known.get(st.session_state[KEY] or "")
    if chosen:
        fill_form(chosen.recipe)


def fill_form(recipe: Recipe) -> None:
    """Put every setting of a recipe into the form of the page Train; to be called from a callback."""
    model = model_config({**recipe.model, "sample_shape": (1, 1, 1)}).to_json()
    variant, body = str(model.pop("variant")), dict(model.pop("body"))
    training = recipe.training.to_json()
    own = VARIANTS[variant].Config.model_fields
    name, layers = str(body.pop("name")), body.pop("layers", None)
    if layers is not None:
        state.remember("train.custom", {**body, "name": name, "layers": layers})
    state.remember("train.stays_custom", False)
    shared = {key: value for key, value in model.items() if key in SHARED and key != "sample_shape"}
    forms.fill(f"train.{variant}", {key: value for key, value in model.items() if key in own and key not in SHARED})
    forms.fill(f"train.{variant}", {"loss": training.pop("loss")})
    forms.fill("train", {**shared, **training, "variant": variant, "body": name, name: body, "seed": recipe.seed})
    forms.fill("train", {"data": recipe.data.name, recipe.data.name: recipe.data.params})
