"""The dials that can be turned while a training is at work: each acts on the next step."""

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

TICKS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)  # of a decade
MOST_EVEN = 2.0  # a wider range is shown on a logarithmic scale
DECADES = 3  # that can be turned to, to either side of the usual value
SMALLEST = 1e-7  # beside 0, for weights that are 0 as a rule
HEARD_SECONDS = 0.6


@dataclass(frozen=True)
class Turn:
    """A turn that was asked for in this tab: to which value, at which step, and the step it acts from, once known."""

    value: float
    asked: int
    heard: int | None = None


@st.fragment
def live_settings(run: Run) -> None:
    """One slider for each live setting, the sign that it was heard, and the way to another network."""
    coming = _coming(run)  # before the settings are read: what was heard stands there by then
    config = run.config()
    st.markdown("**Live settings**")
    for path, present in training.live_paths(config).items():
        _slider(run, config, path, coming.get(path, float(present)))
    _confirm(run)
    change_buttons(run, config)


def _slider(run: Run, config: RunConfig, path: str, wanted: float) -> None:
    """A slider, logarithmic where its range spans decades.

    One that is to show what another hand has turned is a fresh one: the browser still tells what the old one showed,
    and would be taken for a person who turns it back.
    """
    field, (shown, serial) = field_of(config, path), state.recall(_name(run, path), (None, 0))
    if shown != wanted:
        serial += 1
        state.remember(_name(run, path), (wanted, serial))
    key = f"live.{_name(run, path)}.{serial}"
    st.session_state.setdefault(key, wanted)
    shared: dict[str, Any] = {
        "label": words.label(path.rpartition(".")[2]), "key": key, "help": field.description,
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
    """The least and the largest value, as far as the field says."""
    rules = forms.bounds(field)
    return float(rules.get("ge", rules.get("gt", 0.0))), float(rules.get("le", rules.get("lt", 1.0)))


def scale(field: FieldInfo) -> list[float]:
    """Values to turn to: six a decade around the usual one, and 0 where it is allowed."""
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
    """The last turn of each dial in this tab, the newest last; those are forgotten that an undo has taken back."""
    follower = follow(run)
    known: dict[str, Turn] = state.recall(_name(run, "turns"), {})
    turns = {
        path: turn if turn.heard is not None else replace(turn, heard=_heard(follower, path, turn))
        for path, turn in known.items()
        if turn.asked <= follower.step
    }
    state.remember(_name(run, "turns"), turns)
    return turns


def _coming(run: Run) -> dict[str, float]:
    """What was asked for in this tab and has not been heard yet."""
    listens = run.is_alive() or run.is_live()
    return {path: turn.value for path, turn in _turns(run).items() if listens and turn.heard is None}


def _heard(follower: Follower, path: str, turn: Turn) -> int | None:
    """The step at which a turn was heard, or None while it was not."""
    for event in reversed(follower.events):
        if event["kind"] == "turn" and (event.get("path"), event.get("to")) == (path, turn.value):
            return int(event["step"]) if event["step"] >= turn.asked else None
    return None


def _confirm(run: Run) -> None:
    """Say that the last turn was asked for, and at which step it was heard, as soon as it was."""
    place = st.empty()
    turns = _turns(run)
    if not turns:
        place.caption("Changes apply at the next step and are marked on the curves.")
        return
    path, turn = list(turns.items())[-1]
    name = f"{words.label(path.rpartition('.')[2])} {words.number(turn.value)}"
    awake = run.is_alive()
    place.caption(f":material/hourglass_top: Applying {name} …")
    wait_until(lambda: path not in _coming(run), HEARD_SECONDS if awake else 0.0)
    heard = _turns(run).get(path, turn).heard
    if heard is not None:
        place.caption(f":green[:material/check:] {name} since step {heard:,}.")
    elif not awake:
        place.caption(f":material/check: {name} applies when training continues.")
    else:
        st.fragment(_keep_looking, run_every=HEARD_SECONDS)(run, path)


def _keep_looking(run: Run, path: str) -> None:
    """Redraw the dials as soon as a turn has been heard, on a machine that is too busy to hear it at once."""
    if path not in _coming(run):
        st.rerun()
