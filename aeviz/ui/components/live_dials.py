"""The dials that can be turned while a training is at work: each acts on the next step."""

import time
from typing import Any

import streamlit as st
from pydantic.fields import FieldInfo

from aeviz import training
from aeviz.config import Settings
from aeviz.runs import Run, RunConfig
from aeviz.ui import forms, state, words
from aeviz.ui.components.live_change import change_buttons
from aeviz.ui.components.live_follow import follow
from aeviz.ui.frame import said

TICKS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)  # of a decade
MOST_EVEN = 2.0  # a wider range is shown on a logarithmic scale
DECADES = 3  # that can be turned to, to either side of the usual value
SMALLEST = 1e-7  # beside 0, for weights that are 0 as a rule
HEARD_SECONDS = 0.6
LOOK_SECONDS = 0.02


@st.fragment
def dials(run: Run) -> None:
    """One slider for each live setting, the sign that it was heard, and the way to another network."""
    config = run.config()
    present = training.live_paths(config)
    st.markdown("**Turn while it trains**")
    for path, value in present.items():
        _dial(run, config, path, float(value))
    _heard(run)
    change_buttons(run, config)


def _dial(run: Run, config: RunConfig, path: str, present: float) -> None:
    """A slider, logarithmic where its range spans decades."""
    field, key = field_of(config, path), f"live.{path}"
    if state.recall(f"{run.id}.{path}") != present:  # turned by another hand, or drawn for the first time
        state.remember(f"{run.id}.{path}", present)
        st.session_state[key] = present
    kept = float(st.session_state.get(key, present))
    st.session_state[key] = kept  # also where the page was left in between
    shared: dict[str, Any] = {
        "label": words.label(path.rpartition(".")[2]), "key": key, "help": field.description,
        "on_change": said(_turn), "args": (run, path, key),
    }  # fmt: skip
    low, high = bounds(field)
    if high - low <= MOST_EVEN:
        step = forms.bounds(field).get("multiple_of", (high - low) / 100)
        st.slider(min_value=low, max_value=high, step=float(step), **shared)
    else:
        st.select_slider(options=sorted({*scale(field), kept}), format_func=words.number, **shared)


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


def _turn(run: Run, path: str, key: str) -> None:
    value = st.session_state[key]
    state.remember("turned", {"run": run.id, "path": path, "value": value, "at": time.time(), "step": follow(run).step})
    training.turn(run, path, value)


def _heard(run: Run) -> None:
    """Say that the last turn was asked for, and at which step it was heard, as soon as it was."""
    turned = state.recall("turned")
    place = st.empty()
    if not turned or turned["run"] != run.id:
        place.caption("A turn acts on the next step; the curves mark it.")
        return
    name = f"{words.label(turned['path'].rpartition('.')[2])} {words.number(turned['value'])}"
    awake = run.is_alive()
    end = time.monotonic() + (HEARD_SECONDS if awake else 0.0)
    place.caption(f":material/hourglass_top: {name} is asked for …")
    while (step := _step_of(run, turned)) is None and time.monotonic() < end:
        time.sleep(LOOK_SECONDS)
    if step is not None:
        place.caption(f":green[:material/check:] {name} since step {step:,}.")
    elif not awake:
        place.caption(f":material/check: {name} from when it goes on.")


def _step_of(run: Run, turned: dict[str, Any]) -> int | None:
    """The step at which a turn was heard, or None while it was not."""
    follower = follow(run)
    for line in reversed(follower.lines[-400:]):
        event = line.get("event") or {}
        if event.get("kind") == "turn" and event.get("path") == turned["path"] and line["step"] >= turned["step"]:
            return int(line["step"]) if event.get("to") == turned["value"] else None
    return None
