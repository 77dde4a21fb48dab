"""The map in the browser: what it is told, and what a person has done on it."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from aeviz.export.page.scene import SAID, Scene, script, style
from aeviz.ui.components.bridges import Dropped, bridge, files_of, hear, nothing
from aeviz.ui.serve import address

_map = bridge("aeviz_map", script(), css=style(), isolate_styles=False)


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
    on_dropped: Callable[[list[Dropped]], object] = lambda told: None,
) -> None:
    """Show the map; what is done on it is heard in callbacks, before the page is drawn again."""
    shown = scene.to_json() | {"plotly": address("plotly.js"), "said": SAID}
    _map(
        data=shown, key=key, height=scene.height, on_missing_change=nothing,
        on_picked_change=lambda: hear(key, "picked", lambda told: _picked(told, scene.size), on_picked),
        on_dropped_change=lambda: hear(key, "dropped", files_of, on_dropped),
    )  # fmt: skip


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
