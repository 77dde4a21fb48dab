"""The preset picker, which fills in the form."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aeviz.models import VARIANTS, ModelConfig, model_config
from aeviz.training import Preset, Recipe
from aeviz.ui import forms, state, words

SHARED = set(ModelConfig.model_fields)
ANY_SHAPE = (1, 1, 1)  # stands in until the image shape is known


@dataclass(frozen=True)
class Picked:
    """The selected preset, if any, and the container for its description."""

    preset: Preset | None
    place: DeltaGenerator

    def describe(self, recipe: Recipe | None) -> None:
        """Describe the preset and its measured results, or note that the form has changed since."""
        if self.preset is None:
            return
        changed = recipe is None or _identity(recipe) != _identity(self.preset.recipe)
        if changed and self.preset.measured is None:
            return
        text = "Changed since the preset: its measured results may not apply." if changed else self.preset.summary
        self.place.caption(f"{words.plain(text)} {'' if changed else _reached(self.preset)}")


def preset_picker(data_name: str, presets: Sequence[Preset]) -> Picked:
    """Select a preset for a data set, which fills in the form."""
    known, key = {preset.name: preset for preset in presets}, f"train.preset.{data_name}"
    chosen = st.selectbox(
        "Preset", list(known), index=None, key=key, placeholder="Start from a preset", persist_state="session",
        format_func=lambda name: _titled(known[name]), on_change=lambda: _fill(known.get(st.session_state[key])),
        help="Fills in all settings below.\n" + "\n".join(f"- **{one.label}**: {one.summary}" for one in presets),
    )  # fmt: skip
    return Picked(known.get(chosen or ""), st.container())


def _titled(preset: Preset) -> str:
    """A preset's label with its validation PSNR; test scores are not for selection."""
    return f"{preset.label} · {words.decibels(preset.measured.val_psnr)}" if preset.measured else preset.label


def _reached(preset: Preset) -> str:
    measured = preset.measured
    if measured is None:
        return "Results depend on the images."
    took = f"{words.duration(measured.seconds)} on {measured.device.upper()}"
    return f"Reached **{words.decibels(measured.test_psnr)}** on the test images in {took}."


def _identity(recipe: Recipe) -> tuple[object, object]:
    """Model and training settings that identify a recipe, without seed, device and threads."""
    training = recipe.training.model_copy(update={"device": "auto", "threads": 0})
    return model_config({**recipe.model, "sample_shape": ANY_SHAPE}), training


def _fill(preset: Preset | None) -> None:
    if preset is not None:
        fill_form(preset.recipe)


def fill_form(recipe: Recipe) -> None:
    """Fill the form of the page Train from a recipe; call it from a callback."""
    model = model_config({**recipe.model, "sample_shape": ANY_SHAPE}).to_json()
    variant, body = str(model.pop("variant")), dict(model.pop("body"))
    training = recipe.training.to_json()
    name, layers = str(body.pop("name")), body.pop("layers", None)
    if layers is not None:
        state.remember("train.custom", {**body, "name": name, "layers": layers})
    state.remember("train.stays_custom", False)
    own = {key: value for key, value in model.items() if key in set(VARIANTS[variant].Config.model_fields) - SHARED}
    shared = {key: value for key, value in model.items() if key in SHARED and key != "sample_shape"}
    forms.fill(f"train.{variant}", own | {"loss": training.pop("loss")})
    forms.fill("train", {**shared, **training, "variant": variant, "body": name, name: body, "seed": recipe.seed})
    forms.fill("train", {"data": recipe.data.name, recipe.data.name: recipe.data.params})
