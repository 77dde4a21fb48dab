"""The form of the page Train, which yields a recipe."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aeviz import data
from aeviz.data import DATASETS
from aeviz.errors import AevizError
from aeviz.models import BODIES, VARIANTS, Autoencoder, CustomConfig, ModelConfig, costs, fitted_to
from aeviz.models.bodies.notation import CHOICES, shortened
from aeviz.models.bodies.settings import BodyConfig, LayerConfig
from aeviz.models.costs import Outline
from aeviz.models.device import device_name, resolve_device
from aeviz.runs import TrainingConfig
from aeviz.training import Recipe, presets_for
from aeviz.training.start import fitted_model
from aeviz.ui import cache, forms, pick, state, words
from aeviz.ui.components.train.network import outline_of
from aeviz.ui.components.train.presets import preset_picker
from aeviz.ui.components.train.previews import PREVIEWS
from aeviz.ui.components.train.setting_groups import SIZES, counts, present_values, setting_groups

SHARED = set(ModelConfig.model_fields)
FEW = 3  # settings of a variant shown directly; the others are in a popover


@dataclass(frozen=True)
class Filled:
    """The state of the form: data set, recipe or the problem with it, and the network as far as it fits."""

    info: data.DataInfo
    recipe: Recipe | None = None
    problem: str = ""
    model: ModelConfig | None = None
    outline: Outline | None = None


def recipe_form(action: Callable[[Filled], None], in_sight: DeltaGenerator | None = None) -> Filled:
    """Draw all settings of a training, the essential ones first.

    `action` draws the start button, in `in_sight` or before the less common settings.
    """
    info = pick.data_picker("train.data")
    params = _data_params(info)
    picked = preset_picker(info.name, presets_for(info.name))
    cls, own = _variant_form()
    left, right = st.columns(2, gap="small")
    with left:
        model = own | forms.settings_form(cls.Config, "train", only=["latent_dim"])
    with right:
        epochs = forms.settings_form(TrainingConfig, "train", only=["epochs"], epochs=20)
    body, layers = _body_form()
    place = in_sight or st.container()
    rarer = setting_groups(cls, body)
    values = rarer.values
    model |= {"variant": cls.name, **values["model"], "body": {"name": body, **layers, **values["body"]}}
    chosen = {"data": {"name": info.name, "params": params}, "model": model, **values["recipe"]}
    filled = _checked(info, chosen | {"training": {**values["training"], **epochs}})
    if filled.model:
        state.remember("train.custom", filled.model.body.as_custom().to_json())
    picked.describe(filled.recipe)
    with place:
        action(filled)
    for group, below in rarer.places.items():
        if group in PREVIEWS and filled.recipe and filled.model:
            with below:
                PREVIEWS[group](filled.recipe, filled.model)
    return filled


def _checked(info: data.DataInfo, values: dict[str, Any]) -> Filled:
    """Check that the network fits the images and the memory."""
    filled = Filled(info)
    try:
        recipe = Recipe.parse(values)
        dataset = _generated_set(recipe, info)
        shape, classes = (dataset.shape, dataset.classes) if dataset else (info.shape or (), info.classes)
        model = fitted_model(recipe, shape, len(classes))
        outline = outline_of(model, recipe.training)
        filled = Filled(info, model=model, outline=outline, problem=outline.problem or "")
        if outline.problem is None:
            costs.check(outline.cost, resolve_device(recipe.training.device))
            filled = Filled(info, recipe, model=model, outline=outline)
    except AevizError as error:
        drawn = filled if filled.model else _network_alone(info, values["model"])
        return Filled(info, problem=str(error), model=drawn.model, outline=drawn.outline)
    return filled


def _network_alone(info: data.DataInfo, model: dict[str, Any]) -> Filled:
    """The network of an invalid recipe, if it can be drawn."""
    try:
        fitted = fitted_to(model, info.shape or (), len(info.classes))
        return Filled(info, model=fitted, outline=outline_of(fitted, TrainingConfig()))
    except AevizError:  # already reported by the caller
        return Filled(info)


def _data_params(info: data.DataInfo) -> dict[str, Any]:
    """Settings of a generated data set."""
    if info.own or not DATASETS[info.name].Params.model_fields:
        return {}
    with st.popover("Data set settings", icon=":material/shapes:", width="stretch"):
        return forms.settings_form(DATASETS[info.name].Params, f"train.{info.name}")


def _variant_form() -> tuple[type[Autoencoder], dict[str, Any]]:
    """Select the variant and its settings."""
    variant = st.selectbox(
        "Autoencoder", list(VARIANTS), key="train.variant", format_func=lambda name: VARIANTS[name].label,
        help="\n".join(f"- **{cls.label}**: {cls.summary}" for cls in VARIANTS.values()), persist_state="session",
    )  # fmt: skip
    cls = VARIANTS[variant]
    key, present = f"train.{cls.name}", present_values(cls)
    own = [name for name in forms.user_fields(cls.Config) if name not in SHARED and counts(name, present)]
    values = forms.settings_form(cls.Config, key, only=own[:FEW])
    if own[FEW:]:
        with st.popover(f"More {cls.label} settings", icon=":material/tune:", width="stretch"):
            values |= forms.settings_form(cls.Config, key, only=own[FEW:])
    return cls, values


def _body_form() -> tuple[str, dict[str, Any]]:
    """Select the body and its layer sizes; custom layers are edited in the table."""
    body = forms.choose(
        BODIES, "dense", label="Layers", key="train.body", persist_state="session", on_change=_body_chosen,
        format_func=lambda name: BODIES[name].label,
        help="Enter layer sizes here, or edit single layers in the table. Edits that the sizes cannot express switch "
        "this to Custom.",
    )  # fmt: skip
    if body == CustomConfig.model_fields["name"].default:
        layers = state.recall("train.custom", {}).get("layers", CustomConfig().to_json()["layers"])
        st.session_state["train.line"] = ", ".join(_layer_summary(LayerConfig.parse(layer)) for layer in layers)
        st.text_input("In the table", key="train.line", disabled=True, help="Edit these layers in the table.")
        return body, {"layers": layers}
    return body, forms.settings_form(BODIES[body].Config, f"train.{body}", only=[SIZES[body]])


def _layer_summary(layer: LayerConfig) -> str:
    return words.label(layer.kind).lower() + (f" {layer.size}" if "size" in CHOICES[layer.kind] else "")


def _body_chosen() -> None:
    """Callback: a custom body starts from the previous layers, and stays custom if selected by the user."""
    is_custom = st.session_state["train.body"] == "custom"
    state.remember("train.stays_custom", is_custom)
    if is_custom and state.recall("train.custom"):
        shared = {name: state.recall("train.custom")[name] for name in BodyConfig.model_fields}
        forms.fill("train.custom", shared)


def apply_layers(custom: CustomConfig, latent_dim: int) -> None:
    """Put edited layers into the form, as layer sizes if these can express them."""
    body = custom if state.recall("train.stays_custom") else shortened(custom)
    values = body.to_json()
    name = values.pop("name")
    layers = values.pop("layers", None)
    if layers is not None:
        state.remember("train.custom", custom.to_json())
    forms.fill("train", {"latent_dim": latent_dim, "body": name, name: values})


def _generated_set(recipe: Recipe, info: data.DataInfo) -> data.Dataset | None:
    """The data set, loaded only if its shape is not known otherwise."""
    if recipe.data.params or info.shape is None:
        return cache.dataset(recipe.data.name, recipe.data.params)
    return None


def device_line(recipe: Recipe) -> str:
    """A line that names the training device."""
    device = resolve_device(recipe.training.device)
    name = words.plain(device_name(device))
    if device == "cpu" and recipe.training.device == "auto":
        return f":material/memory: No CUDA device found; trains on the {name}"
    return f":material/memory: Trains on {name}"
