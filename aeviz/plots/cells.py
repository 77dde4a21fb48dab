"""Maps too large for individual points: axes and legend only, and a colour index per point."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.colors import hex_to_rgb, sample_colorscale

from aeviz.plots.groups import grouped
from aeviz.plots.scatter import scale_ends
from aeviz.plots.theme import CLASS_COLOURS, DIVERGING, SEQUENTIAL, UNKNOWN_COLOUR, class_marker

MARGIN = 0.05  # around the outermost points, relative to the map's size


def without_dots(figure: go.Figure, points: np.ndarray) -> go.Figure:
    """Remove the points from the figure of a map of points (N, 2), keeping axes and legend."""
    for trace in figure.data:
        nowhere = np.full(1, np.nan, np.float32)  # a trace without points would disappear from the legend
        trace.update(x=nowhere, y=nowhere, customdata=np.empty(0, np.int32))
        if isinstance(trace.marker.color, np.ndarray):
            trace.marker.color = trace.marker.color[:1]
    low, high = points.min(axis=0), points.max(axis=0)
    room = np.maximum(high - low, 1e-6) * MARGIN
    figure.update_layout(legend_itemclick=False, legend_itemdoubleclick=False)
    figure.update_xaxes(range=[float(low[0] - room[0]), float(high[0] + room[0])])
    figure.update_yaxes(range=[float(low[1] - room[1]), float(high[1] + room[1])])
    return figure


def numbered_colours(
    values: np.ndarray | None, class_names: Sequence[str] | None, shades: int, signed: bool = False
) -> tuple[np.ndarray, list[str]]:
    """A colour index (N,) uint8 for each value, and the colours (`#rrggbb`).

    Classes use the map's class colours, numbers use `shades` steps of the scale, unknown values are grey. Without
    values there is one colour.
    """
    if values is None:
        return np.zeros(0, np.uint8), [CLASS_COLOURS[0]]
    values = np.asarray(values)
    groups = grouped(values, class_names)
    if groups is not None:
        count = int(groups.numbers.max(initial=-1)) + 1
        colours = [class_marker(number)["color"] for number in range(min(count, len(CLASS_COLOURS)))]
        numbers = np.where(groups.numbers < 0, len(colours), groups.numbers % max(len(colours), 1))
        return numbers.astype(np.uint8), [*colours, UNKNOWN_COLOUR]
    known, (low, high) = np.isfinite(values), scale_ends(values, signed)
    steps = np.floor((np.where(known, values, low).clip(low, high) - low) / (high - low) * (shades - 1e-6))
    colours = scale(DIVERGING if signed else SEQUENTIAL, shades)
    return np.where(known, steps, shades).astype(np.uint8), [*colours, UNKNOWN_COLOUR]


def scale(colours: Sequence[str], shades: int) -> list[str]:
    """Sample a colour scale at `shades` even steps, as `#rrggbb`."""
    stops = [hex_to_rgb(colour) for colour in colours]
    spread = sample_colorscale([f"rgb{stop}" for stop in stops], np.linspace(0, 1, shades), colortype="tuple")
    return ["#" + "".join(f"{round(part * 255):02x}" for part in colour) for colour in spread]
