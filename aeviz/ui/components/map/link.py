"""Links to a map: settings and view in the page address, validated on reading."""

import json
import math
from typing import Any

import streamlit as st

from aeviz import results
from aeviz.errors import AevizError
from aeviz.latent.projections.register import PROJECTIONS
from aeviz.results import MapRequest
from aeviz.ui import forms, state
from aeviz.ui.components.map.groups import follow_axes

PARAMETER = "map"
CHOICES = {"split": str, "colour": str, "show": str, "names": bool, "grid": bool}  # besides method and settings
MOST_CORNERS = 1000


def follow_link() -> dict[str, Any] | None:
    """Apply a link's settings to the widgets, once, before they are drawn; returns the link, or None."""
    text = st.query_params.get(PARAMETER)
    if not text:
        return None
    link = _read(text)
    if text != state.recall("map.link"):
        state.remember("map.link", text)
        _choose(link)
    return link


def link_of(request: MapRequest, colour: dict[str, Any], choices: dict[str, Any]) -> dict[str, Any]:
    """A link to the current map without the view, which only the browser knows."""
    map_said = {"method": request.method, "settings": request.written_out().settings, "split": request.split}
    return map_said | {"paint": colour} | {name: choices[name] for name in CHOICES if name in choices}


def view_of(link: dict[str, Any] | None, request: MapRequest) -> dict[str, Any] | None:
    """The view of a link if it is for this map, else None."""
    if not link or (link.get("method"), link.get("split")) != (request.method, request.split):
        return None
    try:
        linked = MapRequest(method=request.method, settings=link.get("settings") or {}).written_out()
    except AevizError:
        return None
    return _view(link.get("view")) if linked.settings == request.written_out().settings else None


def _read(text: str) -> dict[str, Any]:
    try:
        link = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return link if isinstance(link, dict) else {}


def _choose(link: dict[str, Any]) -> None:
    method = link.get("method")
    if method not in PROJECTIONS:
        return
    cls = PROJECTIONS[method].Settings
    try:
        settings = cls.parse(link.get("settings") or {}).to_json()
    except AevizError:
        settings = {}
    st.session_state["map.method"] = method
    if "dims" in settings:
        st.session_state["map.dims"] = settings.pop("dims")
    if "directions" in settings:
        follow_axes(settings.pop("directions"))
    forms.fill(f"map.{method}", settings)
    for name, kind in CHOICES.items():
        if isinstance(link.get(name), kind):
            st.session_state[f"map.{name}"] = link[name]
    _choose_colour(link)


def _choose_colour(link: dict[str, Any]) -> None:
    """Apply the colour settings of a link."""
    colour = results.COLOURS.get(str(link.get("colour")))
    try:
        settings = colour.Settings.parse(link.get("paint") or {}).to_json() if colour else {}
    except AevizError:
        return
    forms.fill(f"map.colour.{link.get('colour')}", settings)


def _view(view: Any) -> dict[str, Any] | None:
    """The valid parts of a view: ranges, camera, outline, and names of hidden classes."""
    if not isinstance(view, dict):
        return None
    found: dict[str, Any] = {}
    for name, least, most in (("x", 2, 2), ("y", 2, 2), ("outline", 6, 2 * MOST_CORNERS)):
        numbers = view.get(name)
        if isinstance(numbers, list) and least <= len(numbers) <= most and all(map(_is_number, numbers)):
            found[name] = numbers
    camera = view.get("camera")
    if isinstance(camera, dict) and all(_is_point(camera.get(part)) for part in ("eye", "center", "up")):
        found["camera"] = {part: {axis: camera[part][axis] for axis in "xyz"} for part in ("eye", "center", "up")}
    hidden = view.get("hidden")
    if isinstance(hidden, list) and all(isinstance(name, str) for name in hidden):
        found["hidden"] = hidden[:100]
    return found or None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_point(value: Any) -> bool:
    return isinstance(value, dict) and all(_is_number(value.get(axis)) for axis in "xyz")
