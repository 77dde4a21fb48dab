"""Widgets built from settings classes, whose fields define bounds, choices and help texts."""

import types
import typing
from collections.abc import Callable, Iterable
from typing import Any, Literal

import streamlit as st
from pydantic.fields import FieldInfo

from aeviz.config import FROM_DATA, Settings
from aeviz.ui import words

WIDE = 20  # characters that fit in one row of the narrow column
MANY = 3  # options shown as a segmented control; more become a select box
STEPS = {"warmup": 0.5, "clip": 0.5, "ema": 0.001}  # for numbers whose default, 0, does not suggest a step
RULES = ("ge", "gt", "le", "lt", "multiple_of", "min_length", "max_length")


def settings_form(
    cls: type[Settings], key: str, only: Iterable[str] | None = None, skip: Iterable[str] = (), **defaults: Any
) -> dict[str, Any]:
    """One widget for each setting of a class, except those the data determine. Returns unvalidated values."""
    names = [name for name in (user_fields(cls) if only is None else only) if name not in skip]
    return {name: _widget(name, cls.model_fields[name], f"{key}.{name}", defaults.get(name)) for name in names}


def user_fields(cls: type[Settings]) -> list[str]:
    """The settings of a class shown to users: all except those the data determine."""
    return [name for name, field in cls.model_fields.items() if field.json_schema_extra != FROM_DATA]


def current(cls: type[Settings], key: str, name: str, default: Any = None) -> Any:
    """The unvalidated value of a setting's widget, even if the widget is not shown."""
    field = cls.model_fields[name]
    inner = kind_of(field)
    if isinstance(inner, type) and issubclass(inner, Settings):
        return {part: current(inner, f"{key}.{name}", part) for part in inner.model_fields}
    start = _default_of(field, default)
    held = st.session_state.get(f"{key}.{name}", start)
    return _numbers_of(held) if isinstance(start, tuple) and isinstance(held, str) else held


def fill(key: str, values: dict[str, Any]) -> None:
    """Set widget values from settings; call it from a callback, before the widgets are drawn."""
    for name, value in values.items():
        if isinstance(value, dict):
            fill(f"{key}.{name}", value)
        else:
            st.session_state[f"{key}.{name}"] = _to_widget(value)


def bounds(field: FieldInfo) -> dict[str, Any]:
    """The constraints of a setting by name, such as `ge` and `le`."""
    return {
        name: getattr(rule, name) for rule in field.metadata for name in RULES if getattr(rule, name, None) is not None
    }


def kind_of(field: FieldInfo) -> Any:
    """A setting's type without `None`."""
    kind = field.annotation
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return next(part for part in typing.get_args(kind) if part is not types.NoneType)
    return kind


def choose(options: Iterable[Any], default: Any, format_func: Callable[[Any], str] = words.label, **shared: Any) -> Any:
    """Show a few options as a segmented control, many as a select box."""
    options = list(options)
    init_state(shared["key"], default, options)
    if len(options) <= MANY and sum(len(format_func(option)) for option in options) <= WIDE:
        return st.segmented_control(options=options, required=True, format_func=format_func, width="stretch", **shared)
    return st.selectbox(options=options, format_func=format_func, **shared)


def segmented(
    options: Iterable[Any], default: Any, format_func: Callable[[Any], str] = words.label, **shared: Any
) -> Any:
    """Show options as a segmented control."""
    options = list(options)
    init_state(shared["key"], default, options)
    return st.segmented_control(options=options, required=True, format_func=format_func, **shared)


def _widget(name: str, field: FieldInfo, key: str, default: Any) -> Any:
    default = _default_of(field, default)
    shared: dict[str, Any] = {
        "label": words.label(name),
        "key": key,
        "help": field.description,
        "persist_state": "session",
    }
    kind = kind_of(field)
    if isinstance(kind, type) and issubclass(kind, Settings):
        return settings_form(kind, key)
    if typing.get_origin(kind) is Literal:
        return choose(typing.get_args(kind), default, **shared)
    if default is None and kind in (int, float):
        return _optional_number(field, kind, shared)
    init_state(key, _to_widget(default))
    if kind is bool:
        return st.toggle(**shared)
    if kind in (int, float):
        return _number(field, default, shared)
    if typing.get_origin(kind) is tuple:
        return _numbers_of(st.text_input(**shared))
    return st.text_input(**shared)


def init_state(key: str, value: Any, options: Iterable[Any] | None = None) -> None:
    """Set a widget's initial value in the session state, where presets, links and other widgets can change it.

    Replaces a present value that is not among `options`.
    """
    if key not in st.session_state or (options is not None and st.session_state[key] not in options):
        st.session_state[key] = value


def _default_of(field: FieldInfo, default: Any) -> Any:
    return field.get_default(call_default_factory=True) if default is None else default


def _optional_number(field: FieldInfo, kind: type, shared: dict[str, Any]) -> Any:
    """An optional number."""
    rules = bounds(field)
    ends = {"min_value": rules.get("ge", rules.get("gt")), "max_value": rules.get("le", rules.get("lt"))}
    limits: dict[str, Any] = {name: None if end is None else kind(end) for name, end in ends.items()}
    return st.number_input(value=None, step=kind(1), placeholder="automatic", **limits, **shared)


def _number(field: FieldInfo, default: Any, shared: dict[str, Any]) -> Any:
    rules = bounds(field)
    kind = type(default)
    step = kind(rules["multiple_of"]) if "multiple_of" in rules else (1 if kind is int else None)
    low = rules.get("ge", rules.get("gt"))
    high = rules.get("le", rules.get("lt"))
    if step and low is not None and high is not None and (high - low) / step <= 40:
        return st.slider(min_value=kind(low), max_value=kind(high), step=step, **shared)
    limits: dict[str, Any] = {
        "min_value": None if low is None else kind(low),
        "max_value": None if high is None else kind(high),
    }
    if kind is int:
        return st.number_input(step=step, **limits, **shared)
    step = STEPS.get(shared["key"].rpartition(".")[2]) or max(default / 2, 1e-4)
    return st.number_input(step=step, format="%g", **limits, **shared)


def _to_widget(value: Any) -> Any:
    """Convert a setting to its widget's value: sequences become comma-separated text."""
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value


def _numbers_of(text: str) -> list[str]:
    """Split comma-separated text; the settings class validates the parts."""
    return [part for part in text.replace(";", ",").replace(" ", ",").split(",") if part]
