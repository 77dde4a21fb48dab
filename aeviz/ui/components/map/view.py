"""The map component and its events."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from aeviz.export.page.scene import SAID, Scene, script, style
from aeviz.ui.components.bridges import Dropped, bridge, files_of, nothing, receive
from aeviz.ui.serve.addresses import address

_map = bridge("aeviz_map", script(), css=style(), isolate_styles=False)


@dataclass(frozen=True)
class Picked:
    """Indices (M,) of the selected dots, or their outline (C, 2) if the browser has no dots."""

    dots: np.ndarray
    outline: np.ndarray | None = None


def latent_map(
    scene: Scene,
    *,
    key: str,
    on_picked: Callable[[Picked], None] = lambda value: None,
    on_dropped: Callable[[list[Dropped]], object] = lambda value: None,
) -> None:
    """Draw the map; events call `on_picked` and `on_dropped` before the page is redrawn."""
    shown = scene.to_json() | {"plotly": address("plotly.js"), "said": SAID}
    _map(
        data=shown, key=key, height=scene.height, on_missing_change=nothing,
        on_picked_change=lambda: receive(key, "picked", lambda value: _picked(value, scene.size), on_picked),
        on_dropped_change=lambda: receive(key, "dropped", files_of, on_dropped),
    )  # fmt: skip


def _picked(value: Any, size: int) -> Picked:
    if value["outline"]:
        corners = np.array(value["outline"], dtype=np.float64).reshape(-1, 2)
        if len(corners) < 3 or not np.isfinite(corners).all():
            raise ValueError("an outline needs at least three corners")
        return Picked(np.empty(0, np.int64), corners)
    if value["bits"] is None:
        return Picked(np.empty(0, np.int64))
    bits = np.frombuffer(base64.b64decode(str(value["bits"]), validate=True), np.uint8)
    dots = np.flatnonzero(np.unpackbits(bits, bitorder="little"))
    return Picked(dots[dots < size])
