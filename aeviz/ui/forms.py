"""Widgets drawn from settings: bounds, choices and help stand once, beside the setting itself."""

import types
import typing
from collections.abc import Callable, Iterable
from typing import Any, Literal

import streamlit as st
from pydantic.fields import FieldInfo

from aeviz.config import FROM_DATA, Settings
from aeviz.ui import words

WIDE = 20  # letters that fit side by side in the narrow column
MANY = 3  # choices that stand side by side; more fold into a list
STEPS = {"warmup": 0.5, "clip": 0.5, "ema": 0.001}  # of numbers whose usual value, 0, tells no step
RULES = ("ge", "gt", "le", "lt", "multiple_of", "min_length", "max_length")


def settings_form(
    cls: type[Settings], key: str, only: Iterable[str] | None = None, skip: Iterable[str] = (), **defaults: Any
) -> dict[str, Any]:
    """One widget per setting of a class, but for what the data decide; what comes back is still unchecked."""
    names = [name for name in (asked(cls) if only is None else only) if name not in skip]
    return {name: _widget(name, cls.model_fields[name], f"{key}.{name}", defaults.get(name)) for name in names}


def asked(cls: type[Settings]) -> list[str]:
    """The settings of a class that a person is asked for: all but what the data decide."""
    return [name for name, field in cls.model_fields.items() if field.json_schema_extra != FROM_DATA]


def current(cls: type[Settings], key: str, name: str, default: Any = None) -> Any:
    """What a setting's widget holds, whether it is drawn before or after this, or not at all; as yet unchecked."""
    field = cls.model_fields[name]
    inner = kind_of(field)
    if isinstance(inner, type) and issubclass(inner, Settings):
        return {part: current(inner, f"{key}.{name}", part) for part in inner.model_fields}
    start = _start(field, default)
    held = st.session_state.get(f"{key}.{name}", start)
    return _numbers_of(held) if isinstance(start, tuple) and isinstance(held, str) else held


def fill(key: str, values: dict[str, Any]) -> None:
    """Put values of settings into their widgets; to be called before those are drawn, from a callback."""
    for name, value in values.items():
        if isinstance(value, dict):
            fill(f"{key}.{name}", value)
        else:
            st.session_state[f"{key}.{name}"] = _written(value)


def bounds(field: FieldInfo) -> dict[str, Any]:
    """What a setting may be: its rules by name, `ge` and `le` and their like."""
    return {
        name: getattr(rule, name) for rule in field.metadata for name in RULES if getattr(rule, name, None) is not None
    }


def kind_of(field: FieldInfo) -> Any:
    """A setting's type, without the None that it may be instead."""
    kind = field.annotation
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return next(part for part in typing.get_args(kind) if part is not types.NoneType)
    return kind


def choose(options: Iterable[Any], default: Any, format_func: Callable[[Any], str] = words.label, **shared: Any) -> Any:
    """A few choices side by side, many in a list."""
    options = list(options)
    begin(shared["key"], default, options)
    if len(options) <= MANY and sum(len(format_func(option)) for option in options) <= WIDE:
        return st.segmented_control(options=options, required=True, format_func=format_func, width="stretch", **shared)
    return st.selectbox(options=options, format_func=format_func, **shared)


def beside(options: Iterable[Any], default: Any, format_func: Callable[[Any], str] = words.label, **shared: Any) -> Any:
    """Choices side by side, however many."""
    options = list(options)
    begin(shared["key"], default, options)
    return st.segmented_control(options=options, required=True, format_func=format_func, **shared)


def _widget(name: str, field: FieldInfo, key: str, default: Any) -> Any:
    default = _start(field, default)
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
        return _open_number(field, kind, shared)
    begin(key, _written(default))
    if kind is bool:
        return st.toggle(**shared)
    if kind in (int, float):
        return _number(field, default, shared)
    if typing.get_origin(kind) is tuple:
        return _numbers_of(st.text_input(**shared))
    return st.text_input(**shared)


def begin(key: str, value: Any, options: Iterable[Any] | None = None) -> None:
    """A widget's first value goes through the session, where a preset, a link or another part of the page may change it.

    What is not among the options, if these are given, gives way to it.
    """
    if key not in st.session_state or (options is not None and st.session_state[key] not in options):
        st.session_state[key] = value


def _start(field: FieldInfo, default: Any) -> Any:
    return field.get_default(call_default_factory=True) if default is None else default


def _open_number(field: FieldInfo, kind: type, shared: dict[str, Any]) -> Any:
    """A number that need not be given."""
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


def _written(value: Any) -> Any:
    """A setting's value as its widget holds it: several numbers are a line of text."""
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value


def _numbers_of(text: str) -> list[str]:
    """Numbers as they are written; the settings read them, or refuse them by name."""
    return [part for part in text.replace(";", ",").replace(" ", ",").split(",") if part]
