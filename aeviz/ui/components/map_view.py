"""The map in the browser: what it is told, and what a person has done on it."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import streamlit as st

from aeviz.export.scene import SAID, script, style
from aeviz.ui.components.bridges import Dropped, files_of, hear, nothing
from aeviz.ui.serve import address

_map = st.components.v2.component("aeviz_map", js=script(), css=style(), isolate_styles=False)


@dataclass(frozen=True)
class Scene:
    """What the map shows and offers; addresses are of `ui/serve`.

    Attributes:
        space: names the map itself; view and outline belong to it, whatever its colours.
        figure: address of the packed figure.
        dims: 2 or 3.
        size: how many dots there are.
        show: dots, pictures, means or density.
        tool: lasso, select or pan.
        classes: their names, for the cards.
        picked: dots selected so far, by their number in the order of the set.
        pictures, near, decode, density, live: addresses and what belongs to them; None where there is none.
        names: what stands on the regions: text, x and y.
        means: of the classes: x, y, and two pictures.
        grid: whether decoded images lie over the map.
        stars: placed images: x, y (and z), picture, and the rows near them.
        roads: ways over the map: colour, x and y of their steps; the browser says at which step one is.
        found: rows to bring into sight.
        view: where a link looks: ranges x and y or a camera, an outline, hidden classes.
        link: what a link to this map says besides.
    """

    space: str
    figure: str
    dims: int
    size: int
    height: int
    show: str = "dots"
    tool: str = "lasso"
    classes: Sequence[str] = ()
    picked: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    pictures: Mapping[str, Any] | None = None
    near: str | None = None
    decode: Mapping[str, Any] | None = None
    density: Mapping[str, Any] | None = None
    live: str | None = None
    names: Sequence[Mapping[str, Any]] = ()
    means: Sequence[Mapping[str, Any]] = ()
    grid: bool = False
    stars: Sequence[Mapping[str, Any]] = ()
    roads: Sequence[Mapping[str, Any]] = ()
    found: Sequence[int] = ()
    view: Mapping[str, Any] | None = None
    link: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Picked:
    """Numbers (M,) of the dots picked, in the order of the set; where the browser has no dots, an outline (C, 2) of them."""

    dots: np.ndarray
    outline: np.ndarray | None = None


def latent_map(
    scene: Scene,
    *,
    key: str,
    on_picked: Callable[[Picked], None] = lambda told: None,
    on_dropped: Callable[[list[Dropped]], None] = lambda told: None,
) -> None:
    """Show the map; what is done on it is heard in callbacks, before the page is drawn again."""
    bits = _bits(scene.picked, scene.size)
    shown = {name: value for name, value in vars(scene).items() if name not in ("picked", "found")}
    shown |= {
        "plotly": address("plotly.js"), "said": SAID, "classes": list(scene.classes), "picked": {"bits": bits},
        "found": {"rows": list(scene.found)},
    }  # fmt: skip
    _map(
        data=shown, key=key, height=scene.height, on_missing_change=nothing,
        on_picked_change=lambda: hear(key, "picked", lambda told: _picked(told, scene.size), on_picked),
        on_dropped_change=lambda: hear(key, "dropped", files_of, on_dropped),
    )  # fmt: skip


def _bits(dots: np.ndarray, size: int) -> str | None:
    """Dots as one bit each, little end first, in base64; None for none."""
    if not len(dots):
        return None
    flags = np.zeros(size, bool)
    flags[dots] = True
    return base64.b64encode(np.packbits(flags, bitorder="little").tobytes()).decode()


def _picked(told: Any, size: int) -> Picked:
    if told["outline"]:
        corners = np.array(told["outline"], dtype=np.float64).reshape(-1, 2)
        if len(corners) < 3 or not np.isfinite(corners).all():
            raise ValueError("an outline has three corners or more")
        return Picked(np.empty(0, np.int64), corners)
    if told["bits"] is None:
        return Picked(np.empty(0, np.int64))
    bits = np.frombuffer(base64.b64decode(str(told["bits"]), validate=True), np.uint8)
    dots = np.flatnonzero(np.unpackbits(bits, bitorder="little"))
    return Picked(dots[dots < size])
