"""Less common training settings in folded groups; each title lists values that differ from the defaults."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aeviz.config import Settings
from aeviz.models import BODIES, LOSSES, Autoencoder, ModelConfig
from aeviz.models.device import available_devices, device_name, resolve_device
from aeviz.runs import TrainingConfig
from aeviz.training import Recipe
from aeviz.ui import forms, words
from aeviz.ui.streamlit_internals import ExpanderContainer

SHOWN_ABOVE = {"latent_dim", "epochs"}  # drawn above, with data, variant and layers
SIZES = {"dense": "widths", "conv": "channels", "residual": "channels", "custom": "layers"}
STRUCTURE = {"variant", "sample_shape", "body", "latent_dim"}  # model settings that are not in any group
LONGEST_TITLE = 36  # characters of name and summary that fit in one line


@dataclass(frozen=True)
class Group:
    """A group of settings; the last one also takes training settings that are in no group."""

    name: str
    icon: str
    training: tuple[str, ...] = ()
    model: tuple[str, ...] = ()
    body: bool = False
    seed: bool = False


GROUPS = (
    Group("Network", ":material/hub:", model=("init", "tied", "standardise"), body=True),
    Group(
        "Loss and optimizer", ":material/target:", model=("grey_levels",),
        training=("loss", "optimizer", "momentum", "batch_size", "clip", "ema"),
    ),
    Group(
        "Learning rate", ":material/trending_down:",
        training=("learning_rate", "schedule", "warmup", "decay", "decay_epochs"),
    ),
    Group("Regularisation", ":material/compress:", training=("l1", "l2", "patience")),
    Group("Augmentation", ":material/flip:", training=("augment",)),
    Group("Compute", ":material/memory:", training=("device", "precision", "compile", "threads"), seed=True),
)  # fmt: skip

# Settings that apply only with certain values of others; the rest are hidden.
COUNTS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "momentum": lambda values: values["optimizer"] in ("momentum", "nesterov"),
    "decay": lambda values: values["schedule"] in ("step", "exponential", "plateau"),
    "decay_epochs": lambda values: values["schedule"] in ("step", "exponential", "plateau"),
    "grey_levels": lambda values: LOSSES[values["loss"]].by_level,
    "target": lambda values: values.get("penalty", "kl") == "kl",
}


@dataclass(frozen=True)
class GroupValues:
    """Unvalidated values by settings class, and the containers below open groups."""

    values: dict[str, dict[str, Any]]
    places: dict[str, DeltaGenerator]


@dataclass(frozen=True)
class Part:
    """The settings of one class in a group: widget key prefix, names, and defaults that differ from the class's."""

    cls: type[Settings]
    key: str
    names: tuple[str, ...]
    usual: dict[str, Any]


def setting_groups(variant: type[Autoencoder], body: str) -> GroupValues:
    """Draw all groups, folded.

    The widgets of a folded group are not drawn and its values are read from the session, which saves sending forty
    widgets on every keystroke in the layer table.
    """
    values: dict[str, dict[str, Any]] = {"model": {}, "body": {}, "training": {}, "recipe": {}}
    places: dict[str, DeltaGenerator] = {}
    present = present_values(variant)
    with st.container(gap="xsmall"):
        for group in GROUPS:
            parts = parts_of(group, variant, body)
            with _folded(group, summary(group, parts, present)) as place:
                for kind, part in parts.items():
                    take = _widget if place.open else _stored
                    values[kind] |= {name: take(part, name, variant) for name in part.names if counts(name, present)}
                if place.open:
                    places[group.name] = st.container()
    return GroupValues(values, places)


def _folded(group: Group, differs: str) -> ExpanderContainer:
    """A group's expander. The title lists differences only while folded, because Streamlit treats an expander with a
    changed label as a new one and would fold it.
    """
    key = f"group.{group.name}"
    is_open = bool(st.session_state.get(key))
    title = group.name if is_open or not differs else f"{group.name} :small[:gray[{differs}]]"
    return st.expander(title, is_open, icon=group.icon, key=key, on_change="rerun")


def parts_of(group: Group, variant: type[Autoencoder], body: str) -> dict[str, Part]:
    """The parts of a group by settings class."""
    grouped = {name for other in GROUPS for name in other.training} | SHOWN_ABOVE
    others = tuple(name for name in TrainingConfig.model_fields if name not in grouped) if group == GROUPS[-1] else ()
    model = [name for name in ModelConfig.model_fields if name not in STRUCTURE]
    if group == GROUPS[0]:
        model = [name for name in model if all(name not in other.model for other in GROUPS[1:])]
    else:
        model = [name for name in model if name in group.model]
    own = BODIES[body].Config
    names = tuple(name for name in own.model_fields if name not in ("name", SIZES[body])) if group.body else ()
    return {
        "body": Part(own, f"train.{body}", names, {}),
        "training": Part(TrainingConfig, "train", (*group.training, *others), {"loss": variant.usual_loss}),
        "model": Part(ModelConfig, "train", tuple(model), {}),
        "recipe": Part(Recipe, "train", ("seed",) if group.seed else (), {}),
    }


def present_values(variant: type[Autoencoder]) -> dict[str, Any]:
    """Current values of the settings that others depend on, shown or not."""
    part = Part(TrainingConfig, "train", tuple(TrainingConfig.model_fields), {"loss": variant.usual_loss})
    training = {name: _stored(part, name, variant) for name in part.names}
    own = variant.Config.model_fields.keys() - ModelConfig.model_fields.keys()
    return training | {name: forms.current(variant.Config, f"train.{variant.name}", name) for name in own}


def counts(name: str, present: dict[str, Any]) -> bool:
    """Whether a setting applies, given the current values of the others."""
    return COUNTS[name](present) if name in COUNTS else True


def summary(group: Group, parts: dict[str, Part], present: dict[str, Any]) -> str:
    """A short line with the values of a group that differ from the defaults."""
    differences: list[str] = []
    for part in parts.values():
        for name in part.names:
            field, usual = part.cls.model_fields[name], part.usual.get(name)
            usual = field.get_default(call_default_factory=True) if usual is None else usual
            value = present[name] if name in present else forms.current(part.cls, part.key, name)
            if counts(name, present):
                differences += _differs(name, value, usual.to_json() if isinstance(usual, Settings) else usual)
    line = ", ".join(differences).replace(f"{group.name.lower()} ", "")  # already in the title
    room = LONGEST_TITLE - len(group.name)
    return line if len(line) <= room else line[: room - 1].rstrip(", ") + "…"


def _differs(name: str, value: Any, usual: Any) -> list[str]:
    """Describe a setting briefly if it differs from the default."""
    if value == usual:
        return []
    if isinstance(value, dict):
        return [text for part, inner in value.items() for text in _differs(part, inner, usual[part])]
    if isinstance(value, bool):
        return [words.label(name).lower() if value else f"no {words.label(name).lower()}"]
    if isinstance(value, str):
        return [LOSSES[value].label if name == "loss" else words.label(value)]
    return [f"{words.label(name).lower()} {value:g}"]


def _widget_prefix(key: str, name: str, variant: type[Autoencoder]) -> str:
    """The key prefix of a setting's widget; each variant has its own loss, other settings are shared."""
    return f"{key}.{variant.name}" if name == "loss" else key


def _stored(part: Part, name: str, variant: type[Autoencoder]) -> Any:
    return forms.current(part.cls, _widget_prefix(part.key, name, variant), name, part.usual.get(name))


def _widget(part: Part, name: str, variant: type[Autoencoder]) -> Any:
    if name == "loss":
        return forms.choose(
            LOSSES, variant.usual_loss, label="Loss", key=f"train.{variant.name}.loss", persist_state="session",
            format_func=lambda loss: LOSSES[loss].label,
            help="\n".join(f"- **{loss.label}**: {loss.summary}" for loss in LOSSES.values()),
        )  # fmt: skip
    if name == "device":
        return forms.choose(
            ["auto", *available_devices()], "auto", label="Device", key="train.device", persist_state="session",
            format_func=lambda device: (
                f"Automatic: {device_name(resolve_device(device))}" if device == "auto" else device_name(device)
            ),
            help=TrainingConfig.model_fields["device"].description,
        )  # fmt: skip
    return forms.settings_form(part.cls, part.key, only=[name])[name]
