"""Components that update in place: curves, image strips, bars, and the film of the map."""

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aeviz.plots.theme import CLASS_COLOURS, UNKNOWN_COLOUR
from aeviz.ui.components.bridges import bridge, joined

_chart = bridge("aeviz_chart", joined("training/chart.js"))
_strips = bridge("aeviz_strips", joined("training/strips.js"))
_bars = bridge("aeviz_bars", joined("training/bars.js"))
_film = bridge("aeviz_film", joined("training/film.js"))

REACH = 32767  # the largest signed 16-bit integer


def chart(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float | None]]],
    *,
    key: str,
    about: str,
    height: int,
    x_label: str,
    y_label: str,
    events: Sequence[Mapping[str, Any]] = (),
    log: bool = False,
    empty: str = "Waiting for the first loss.",
) -> None:
    """Draw named curves x (S,), y (S,) with events {x, words}; updated in place while `key` stays the same.

    `about` identifies the content: a new one resets the view. Training and validation curves share a hue.
    """
    hues = list(dict.fromkeys(name.partition(" ")[2] or name for name in curves))
    series = [
        {
            "name": name, "x": list(x), "y": list(y), "dash": name.startswith("val "),
            "colour": CLASS_COLOURS[hues.index(name.partition(" ")[2] or name) % len(CLASS_COLOURS)],
        }
        for name, (x, y) in curves.items()
    ]  # fmt: skip
    marks = [{"x": event["x"], "words": event["words"]} for event in events]
    _chart(
        data={
            "name": key, "about": about, "series": series, "events": marks, "height": height, "log": log,
            "empty": empty,
            "x_label": x_label, "y_label": y_label, "alt": f"{y_label} over {x_label}: {', '.join(curves) or empty}",
        },
        key=key, height=height,
    )  # fmt: skip


def strips(
    rows: Sequence[tuple[str, str]], *, key: str, height: int, side: int, plain: bool = False, empty: str = ""
) -> None:
    """Draw rows of (label, image as a `data:` URL), `side` pixels high; without labels if `plain`."""
    shown = [{"label": label, "source": source} for label, source in rows]
    _strips(
        data={"rows": shown, "height": height, "side": side, "plain": plain, "empty": empty}, key=key, height=height
    )


def bars(groups: Sequence[Mapping[str, Any]], *, key: str, height: int, empty: str) -> None:
    """Draw groups of bars: title, note, help, labels, values, unit, colour; optional faint, top, log, wide."""
    _bars(data={"groups": list(groups), "height": height, "empty": empty}, key=key, height=height)


def film(
    frames: Sequence[tuple[int, float, np.ndarray]],
    labels: np.ndarray,
    names: Sequence[str],
    *,
    key: str,
    about: str,
    reach: float,
    live: bool,
    full: bool,
    height: int,
) -> None:
    """Draw the film of the map: frames (step, epoch, points (P, 2)) with labels (P,); the browser keeps earlier frames.

    `reach` is the visible radius around 0; `full` means that these are all frames.
    """
    kept, places = [], [_as_classes(labels)]
    for step, epoch, points in frames:
        scale = max(float(np.abs(points).max(initial=0.0)), 1e-12)
        kept.append({"step": step, "epoch": f"{epoch:.1f}".removesuffix(".0"), "scale": scale})
        places.append(np.rint(points / scale * REACH).astype("<i2").ravel())
    colours = [*CLASS_COLOURS, UNKNOWN_COLOUR]
    shown = [(name, CLASS_COLOURS[number % len(CLASS_COLOURS)]) for number, name in enumerate(names)]
    head = {
        "about": about, "points": len(labels), "frames": kept, "reach": max(reach, 1e-12),
        "live": live, "full": full, "height": height, "colours": colours,
        "names": shown if 1 < len(shown) <= 20 else [], "empty": "Waiting for the first frame of the map.",
    }  # fmt: skip
    text = json.dumps(head, allow_nan=False).encode()
    content = struct.pack("<I", len(text)) + text + b"".join(part.tobytes() for part in places)
    _film(data=content, key=key, height=height)


def _as_classes(labels: np.ndarray) -> np.ndarray:
    """Palette index of each dot (P,): ten colours in rotation, and one for missing labels."""
    count = len(CLASS_COLOURS)
    return np.where(labels < 0, count, labels % count).astype("<i2")
