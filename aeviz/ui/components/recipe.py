"""The form of the page Train: from data to seed, as one recipe."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aeviz import data
from aeviz.data import DATASETS
from aeviz.errors import AevizError
from aeviz.models import BODIES, LOSSES, VARIANTS, Autoencoder, ModelConfig, budget
from aeviz.models.device import available_devices, device_name, resolve_device
from aeviz.runs import TrainingConfig
from aeviz.training import Recipe
from aeviz.ui import cache, forms, pick, words
from aeviz.ui.components.network import cost_of

SHARED = set(ModelConfig.model_fields)


@dataclass(frozen=True)
class Filled:
    """The form as it is filled in: the recipe, or why it is none, and the set it names."""

    info: data.DataInfo
    recipe: Recipe | None = None
    shape: tuple[int, ...] = ()
    problem: str = ""


def recipe_form(action: Callable[[Filled], None], in_sight: DeltaGenerator | None = None) -> Filled:
    """Everything a person can choose before training, the essential first.

    `action` draws the button that starts, before the rarer settings or at a place that is always in sight.
    """
    info = pick.data_picker("train.data")
    params = _data_params(info)
    variant = st.selectbox(
        "Autoencoder", list(VARIANTS), key="train.variant", format_func=lambda name: VARIANTS[name].label,
        help="\n".join(f"- **{cls.label}**: {cls.summary}" for cls in VARIANTS.values()), persist_state="session",
    )  # fmt: skip
    cls = VARIANTS[variant]
    own = forms.settings_form(cls.Config, f"train.{variant}", skip=SHARED)
    latent = forms.settings_form(cls.Config, "train", only=["latent_dim"])
    body = st.segmented_control(
        "Layers", [name for name in BODIES if name != "custom"], default="dense", required=True, key="train.body", width="stretch",
        format_func=lambda name: BODIES[name].label, persist_state="session",
    )  # fmt: skip
    body_config = BODIES[body].Config
    sizes = "widths" if body == "dense" else "channels"
    layers = forms.settings_form(body_config, f"train.{body}", only=[sizes])
    epochs = forms.settings_form(TrainingConfig, "train", only=["epochs"], epochs=20)
    place = in_sight or st.container()
    with st.expander("More", icon=":material/tune:"):
        layers |= forms.settings_form(body_config, f"train.{body}", skip={"name", sizes})
        training = _training_form(cls)
        seed = forms.settings_form(Recipe, "train", only=["seed"])
    model = {"variant": variant, **own, **latent, "body": {"name": body, **layers}}
    values = {"data": {"name": info.name, "params": params}, "model": model, "training": {**training, **epochs}, **seed}
    filled = _checked(info, values)
    with place:
        action(filled)
    return filled


def _checked(info: data.DataInfo, values: dict[str, Any]) -> Filled:
    """The recipe, once its network fits the images and the memory."""
    try:
        recipe = Recipe.parse(values)
        shape = sample_shape(recipe, info)
        budget.check(cost_of(recipe, shape), resolve_device(recipe.training.device))
    except AevizError as error:
        return Filled(info, problem=str(error))
    return Filled(info, recipe, shape)


def _data_params(info: data.DataInfo) -> dict[str, Any]:
    """What can be chosen about a set that is made to order."""
    if info.own or not DATASETS[info.name].Params.model_fields:
        return {}
    with st.popover("Settings of the images", icon=":material/shapes:", width="stretch"):
        return forms.settings_form(DATASETS[info.name].Params, f"train.{info.name}")


def _training_form(variant: type[Autoencoder]) -> dict[str, Any]:
    values = forms.settings_form(TrainingConfig, "train", only=["batch_size"])
    values["loss"] = forms.choose(
        LOSSES, variant.usual_loss, label="Loss", key=f"train.{variant.name}.loss", persist_state="session",
        format_func=lambda name: LOSSES[name].label,
        help="\n".join(f"- **{loss.label}**: {loss.summary}" for loss in LOSSES.values()),
    )  # fmt: skip
    values |= forms.settings_form(TrainingConfig, "train", only=["optimizer", "learning_rate"])
    if values["optimizer"] in ("momentum", "nesterov"):
        values |= forms.settings_form(TrainingConfig, "train", only=["momentum"])
    devices = ["auto", *available_devices()]
    values["device"] = st.selectbox(
        "Device", devices, key="train.device", persist_state="session",
        format_func=lambda name: f"Automatic: {device_name(resolve_device(name))}" if name == "auto" else device_name(name),
        help=TrainingConfig.model_fields["device"].description,
    )  # fmt: skip
    return values


def sample_shape(recipe: Recipe, info: data.DataInfo) -> tuple[int, ...]:
    """The shape of one image of the chosen set; only a set made to order has to be asked for it."""
    if recipe.data.params or info.shape is None:
        return cache.dataset(recipe.data.name, recipe.data.params).shape
    return info.shape


def device_line(recipe: Recipe) -> str:
    """Where this will train, said on the page."""
    device = resolve_device(recipe.training.device)
    name = words.plain(device_name(device))
    if device == "cpu" and recipe.training.device == "auto":
        return f":material/memory: No CUDA device here: trains on the {name}"
    return f":material/memory: Trains on {name}"
