"""Learning rate charts: the schedule, and the learning rate range test."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from aeviz.plots.theme import CLASS_COLOURS, GRID, QUIET_TEXT, layout

SMALL = 10  # font size of figures in the narrow column
MARGIN = {"l": 4, "r": 6, "t": 6, "b": 4}


def rate_curve(epochs: Sequence[float], rates: Sequence[float], *, height: int = 110) -> go.Figure:
    """Learning rates (S,) over epochs (S,), with the axis starting at zero."""
    line = go.Scatter(
        x=list(epochs), y=list(rates), mode="lines", line={"color": CLASS_COLOURS[0], "width": 2}, fill="tozeroy",
        fillcolor="rgba(38, 107, 249, 0.10)", hovertemplate="epoch %{x:.3g}: %{y:.3g}<extra></extra>",
    )  # fmt: skip
    along = {**_axis("epoch"), "range": [0, max(epochs, default=1)]}
    upward = {**_axis(), "rangemode": "tozero", "exponentformat": "power", "nticks": 4}
    return go.Figure(data=[line], layout=_small(height, along, upward))


def sweep_curve(rates: Sequence[float], losses: Sequence[float], suggestion: float, *, height: int = 160) -> go.Figure:
    """Losses (S,) over increasing learning rates (S,), with the suggested rate as a vertical line."""
    line = go.Scatter(
        x=list(rates), y=list(losses), mode="lines", line={"color": CLASS_COLOURS[0], "width": 2},
        hovertemplate="%{x:.2g}: %{y:.4g}<extra></extra>",
    )  # fmt: skip
    seen = np.asarray(losses, dtype=np.float64)
    low, high = float(seen.min(initial=np.inf)), float(np.median(seen[: max(1, len(seen) // 3)])) if len(seen) else 1.0
    room = 0.15 * max(high - low, 1e-12)
    along = {**_axis("learning rate"), "type": "log", "exponentformat": "power", "dtick": 2, "tickangle": 0}
    upward = {**_axis(), "range": [low - room, high + 2 * room], "nticks": 4}  # crops the divergence at the end
    figure = go.Figure(data=[line], layout=_small(height, along, upward))
    figure.add_vline(x=suggestion, line={"color": CLASS_COLOURS[1], "width": 2, "dash": "dot"})
    return figure


def _axis(title: str = "") -> dict[str, object]:
    return {
        "fixedrange": True, "tickfont": {"size": SMALL}, "gridcolor": GRID,
        "title": {"text": title, "font": {"size": SMALL, "color": QUIET_TEXT}, "standoff": 2},
    }  # fmt: skip


def _small(height: int, along: dict[str, object], upward: dict[str, object]) -> go.Layout:
    return layout(height=height, uirevision="rates", showlegend=False, margin=MARGIN, xaxis=along, yaxis=upward)
