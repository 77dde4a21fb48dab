"""Widgets drawn from settings: bounds, choices and help stand once, beside the setting itself."""

import typing
from collections.abc import Callable, Iterable
from typing import Any, Literal

import streamlit as st
from pydantic.fields import FieldInfo

from aeviz.config import FROM_DATA, Settings
from aeviz.ui import words

WIDE = 20  # letters that fit side by side in the narrow column
MANY = 3  # choices that stand side by side; more fold into a list


def settings_form(
    cls: type[Settings], key: str, only: Iterable[str] | None = None, skip: Iterable[str] = (), **defaults: Any
) -> dict[str, Any]:
    """One widget per setting of a class, but for what the data decide; what comes back is still unchecked."""
    from_data = {name for name, field in cls.model_fields.items() if field.json_schema_extra == FROM_DATA}
    names = [name for name in (only or cls.model_fields) if name not in from_data | set(skip)]
    return {name: _widget(name, cls.model_fields[name], f"{key}.{name}", defaults.get(name)) for name in names}


def _widget(name: str, field: FieldInfo, key: str, default: Any) -> Any:
    default = field.get_default(call_default_factory=True) if default is None else default
    shared: dict[str, Any] = {
        "label": words.label(name),
        "key": key,
        "help": field.description,
        "persist_state": "session",
    }
    kind = field.annotation
    if typing.get_origin(kind) is Literal:
        return choose(typing.get_args(kind), default, **shared)
    if kind is bool:
        return st.toggle(value=default, **shared)
    if kind in (int, float):
        return _number(field, default, shared)
    if typing.get_origin(kind) is tuple:
        return _numbers(default, shared)
    return st.text_input(value=str(default), **shared)


def choose(options: Iterable[Any], default: Any, format_func: Callable[[Any], str] = words.label, **shared: Any) -> Any:
    """A few choices side by side, many in a list."""
    options = list(options)
    if len(options) <= MANY and sum(len(format_func(option)) for option in options) <= WIDE:
        return st.segmented_control(
            options=options, default=default, required=True, format_func=format_func, width="stretch", **shared
        )
    return st.selectbox(options=options, index=options.index(default), format_func=format_func, **shared)


def _number(field: FieldInfo, default: Any, shared: dict[str, Any]) -> Any:
    bounds = {name: getattr(rule, name) for rule in field.metadata for name in _rules(rule)}
    kind = type(default)
    step = kind(bounds["multiple_of"]) if "multiple_of" in bounds else (1 if kind is int else None)
    low = bounds.get("ge", bounds.get("gt"))
    high = bounds.get("le", bounds.get("lt"))
    if step and low is not None and high is not None and (high - low) / step <= 40:
        return st.slider(min_value=kind(low), max_value=kind(high), value=default, step=step, **shared)
    limits: dict[str, Any] = {
        "min_value": None if low is None else kind(low),
        "max_value": None if high is None else kind(high),
    }
    if kind is int:
        return st.number_input(value=default, step=step, **limits, **shared)
    return st.number_input(value=default, step=max(default / 2, 1e-4), format="%g", **limits, **shared)


def _rules(rule: Any) -> list[str]:
    return [name for name in ("ge", "gt", "le", "lt", "multiple_of") if getattr(rule, name, None) is not None]


def _numbers(default: tuple[int, ...], shared: dict[str, Any]) -> list[str]:
    """Numbers as they are written; the settings read them, or refuse them by name."""
    text = st.text_input(value=", ".join(map(str, default)), **shared)
    return [part for part in text.replace(";", ",").replace(" ", ",").split(",") if part]
