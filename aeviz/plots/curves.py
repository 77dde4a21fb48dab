"""Curves over epochs or steps."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from aeviz.plots.theme import CLASS_COLOURS, layout, note, shown

FEW_POINTS = 12  # up to here each point is marked, so that a single one is seen
PARTS = ("train", "val")
DASHES = {"train": "solid", "val": "dot"}

Values = Sequence[float | None] | np.ndarray


def loss_curves(
    series: Mapping[str, tuple[Values, Values]],
    *,
    x_label: str = "epoch",
    y_label: str = "loss (nats per image)",
    log_y: bool = False,
    height: int = 320,
    uirevision: str = "loss",
    empty: str = "No numbers yet",
) -> go.Figure:
    """One line per named series of x (S,) and y (S,), each on its own x.

    `train total` and `val total` share a hue, val dotted, and so does every other pair of terms. A y that is None
    or not finite is a gap. Without any numbers the figure keeps its size and says `empty`.
    """
    figure = go.Figure(layout=layout(height=height, uirevision=uirevision, hovermode="x unified", legend=_LEGEND))
    hues = list(dict.fromkeys(_term(name) for name in series))
    drawn = 0
    for name, (x, y) in series.items():
        values = _finite(y)
        drawn += int(np.isfinite(values).sum())
        figure.add_trace(_line(name, np.asarray(x, dtype=np.float64), values, hues.index(_term(name))))
    figure.update_xaxes(title_text=shown(x_label), showticklabels=drawn > 0, dtick=_whole_steps(series))
    figure.update_yaxes(title_text=shown(y_label), showticklabels=drawn > 0, type="log" if log_y else "linear")
    return figure if drawn else note(figure, empty)


_LEGEND: dict[str, Any] = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}


def _whole_steps(series: Mapping[str, tuple[Values, Values]]) -> int | None:
    """One tick an epoch while there are few, which Plotly would otherwise halve."""
    spans = [float(np.ptp(np.asarray(x, dtype=np.float64))) for x, _ in series.values() if len(x)]
    return 1 if spans and 0 < max(spans) <= 10 else None


def _line(name: str, x: np.ndarray, y: np.ndarray, hue: int) -> go.Scatter:
    few = np.isfinite(y).sum() <= FEW_POINTS
    return go.Scatter(
        x=x,
        y=y,
        name=shown(name),
        mode="lines+markers" if few else "lines",
        line={"color": CLASS_COLOURS[hue % len(CLASS_COLOURS)], "width": 2, "dash": DASHES.get(_part(name), "solid")},
        marker={"size": 5},
        hovertemplate="%{y:.4g}",
    )


def _part(name: str) -> str:
    return name.split(" ", 1)[0]


def _term(name: str) -> str:
    """What a series measures, without the split it was measured on."""
    part, _, term = name.partition(" ")
    return term if part in PARTS else name


def _finite(y: Values) -> np.ndarray:
    values = np.array([np.nan if value is None else value for value in y], dtype=np.float64)
    values[~np.isfinite(values)] = np.nan
    return values
