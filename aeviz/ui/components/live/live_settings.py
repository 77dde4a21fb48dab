"""Live settings, which can be changed during training; each change applies at the next step."""

from dataclasses import dataclass, replace
from typing import Any

import streamlit as st
from pydantic.fields import FieldInfo

from aeviz import training
from aeviz.config import Settings
from aeviz.runs import Run, RunConfig
from aeviz.ui import forms, state, words
from aeviz.ui.components.live.change import change_buttons
from aeviz.ui.components.live.follow import Follower, follow, wait_until
from aeviz.ui.frame import catch_errors

TICKS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)  # within a decade
MOST_EVEN = 2.0  # wider ranges use a logarithmic scale
DECADES = 3  # to either side of the default
SMALLEST = 1e-7  # smallest value besides 0 for settings whose default is 0
APPLY_SECONDS = 0.6


@dataclass(frozen=True)
class Turn:
    """A change requested in this session: value, step of the request, and step it applied at, once known."""

    value: float
    requested_at: int
    applied_at: int | None = None


@st.fragment
def live_settings(run: Run) -> None:
    """Draw a slider for each live setting, the confirmation, and the network buttons."""
    pending = _pending(run)  # before the settings are read, so that applied changes are in them
    config = run.config()
    st.markdown("**Live settings**")
    for path, present in training.live_paths(config).items():
        _slider(run, config, path, pending.get(path, float(present)))
    _confirmation(run)
    change_buttons(run, config)


def _slider(run: Run, config: RunConfig, path: str, wanted: float) -> None:
    """Draw a slider, logarithmic if its range spans decades.

    A value changed elsewhere gets a new widget: the browser would send the old widget's value, which would look like
    the user changing it back. The value is the widget's default, sent with every run: one set in the session state is
    sent once, and a slider that the browser mounts again falls to its lowest value.
    """
    field, (shown, serial) = field_of(config, path), state.recall(_name(run, path), (None, 0))
    if shown != wanted:
        serial += 1
        state.remember(_name(run, path), (wanted, serial))
    key = f"live.{_name(run, path)}.{serial}"
    shared: dict[str, Any] = {
        "label": words.label(path.rpartition(".")[2]), "value": wanted, "key": key, "help": field.description,
        "on_change": catch_errors(_turn), "args": (run, path, serial, key),
    }  # fmt: skip
    low, high = bounds(field)
    if high - low <= MOST_EVEN:
        step = forms.bounds(field).get("multiple_of", (high - low) / 100)
        st.slider(min_value=low, max_value=high, step=float(step), **shared)
    else:
        st.select_slider(options=sorted({*scale(field), wanted}), format_func=words.number, **shared)


def _name(run: Run, path: str) -> str:
    return f"{run.id}.{path}"


def field_of(config: RunConfig, path: str) -> FieldInfo:
    """The field behind a dotted path such as `model.body.dropout`."""
    holder: Settings = config
    *folders, last = path.split(".")
    for folder in folders:
        holder = getattr(holder, folder)
    return type(holder).model_fields[last]


def bounds(field: FieldInfo) -> tuple[float, float]:
    """The minimum and maximum of a field."""
    rules = forms.bounds(field)
    return float(rules.get("ge", rules.get("gt", 0.0))), float(rules.get("le", rules.get("lt", 1.0)))


def scale(field: FieldInfo) -> list[float]:
    """Slider values: six per decade around the default, and 0 if allowed."""
    low, high = bounds(field)
    usual = float(field.default or 0.0)
    first = usual / 10**DECADES if usual > 0 else SMALLEST
    last = min(high, usual * 10**DECADES if usual > 0 else 1.0)
    values, power = [], 0.0
    exponent = _floor_decade(first)
    while (power := 10.0**exponent) <= last:
        values += [float(f"{tick * power:.3g}") for tick in TICKS if first * 0.999 <= tick * power <= last * 1.001]
        exponent += 1
    return ([0.0] if forms.bounds(field).get("ge") == low == 0.0 else []) + values


def _floor_decade(value: float) -> int:
    exponent = 0
    while 10.0**exponent > value * 1.001:
        exponent -= 1
    while 10.0 ** (exponent + 1) <= value * 1.001:
        exponent += 1
    return exponent


def _turn(run: Run, path: str, serial: int, key: str) -> None:
    value, step = st.session_state[key], follow(run).step
    state.remember(_name(run, path), (value, serial))
    training.turn(run, path, value)
    at_once = training.live_paths(run.config())[path] == value
    others = {other: turn for other, turn in _turns(run).items() if other != path}
    state.remember(_name(run, "turns"), others | {path: Turn(value, step, step if at_once else None)})


def _turns(run: Run) -> dict[str, Turn]:
    """The last change of each setting in this session, newest last, without those reverted by an undo."""
    follower = follow(run)
    known: dict[str, Turn] = state.recall(_name(run, "turns"), {})
    turns = {
        path: turn if turn.applied_at is not None else replace(turn, applied_at=_applied_at(follower, path, turn))
        for path, turn in known.items()
        if turn.requested_at <= follower.step
    }
    state.remember(_name(run, "turns"), turns)
    return turns


def _pending(run: Run) -> dict[str, float]:
    """Values requested in this session that are not applied yet."""
    listens = run.is_alive() or run.is_live()
    return {path: turn.value for path, turn in _turns(run).items() if listens and turn.applied_at is None}


def _applied_at(follower: Follower, path: str, turn: Turn) -> int | None:
    """The step at which a change was applied, or None if it is pending."""
    for event in reversed(follower.events):
        if event["kind"] == "turn" and (event.get("path"), event.get("to")) == (path, turn.value):
            return int(event["step"]) if event["step"] >= turn.requested_at else None
    return None


def _confirmation(run: Run) -> None:
    """Show that the last change is pending, or the step at which it was applied."""
    place = st.empty()
    turns = _turns(run)
    if not turns:
        place.caption("Changes apply at the next step and are marked on the curves.")
        return
    path, turn = list(turns.items())[-1]
    name = f"{words.label(path.rpartition('.')[2])} {words.number(turn.value)}"
    alive = run.is_alive()
    place.caption(f":material/hourglass_top: Applying {name} …")
    wait_until(lambda: path not in _pending(run), APPLY_SECONDS if alive else 0.0)
    applied_at = _turns(run).get(path, turn).applied_at
    if applied_at is not None:
        place.caption(f":green[:material/check:] {name} since step {applied_at:,}.")
    elif not alive:
        place.caption(f":material/check: {name} applies when training continues.")
    else:
        st.fragment(_redraw_when_applied, run_every=APPLY_SECONDS)(run, path)


def _redraw_when_applied(run: Run, path: str) -> None:
    """Redraw the live settings once a change is applied, on a machine too busy to apply it at once."""
    if path not in _pending(run):
        st.rerun()
