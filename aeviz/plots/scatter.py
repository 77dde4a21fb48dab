"""Scatter plot of a map, one point per image, in two or three dimensions."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from aeviz.plots.groups import Groups, grouped
from aeviz.plots.theme import CLASS_COLOURS, DIVERGING, SEQUENTIAL, class_marker, layout, note, plain_text

AXES = ("x", "y", "z")
LEGEND = {"orientation": "h", "x": 0, "y": -0.01, "yanchor": "top", "itemsizing": "constant", "title": {"text": ""}}
MARGIN = {"l": 8, "r": 8, "t": 32, "b": 8}  # space for the tool bar above the plot
DRAGS = {2: "pan", 3: "orbit"}
CAMERA = {"x": 1.5, "y": 1.5, "z": 1.1}


def latent_scatter(
    points: np.ndarray,
    values: np.ndarray | Sequence[Any] | None = None,
    *,
    class_names: Sequence[str] | None = None,
    colour_label: str = "",
    index: np.ndarray | None = None,
    axis_labels: Sequence[str] = (),
    height: int = 640,
    uirevision: str = "map",
    equal_axes: bool = False,
    signed: bool = False,
) -> go.Figure:
    """Draw points (N, 2 | 3): one trace per class, or one with a colour bar if values are numbers on a scale.

    Args:
        points: (N, 2) or (N, 3).
        values: (N,) class numbers (-1 unknown, drawn in grey and underneath), texts (the ten most frequent, then
            "other"), floats, or None.
        class_names: names of the class numbers.
        colour_label: label of the colour bar and the hover text.
        index: (N,) row ids, in `customdata`; 0 to N - 1 by default.
        axis_labels: one per dimension; empty for axes without meaning, as in t-SNE.
        height: pixels.
        uirevision: zoom and camera are kept while this is unchanged.
        equal_axes: whether all axes have the same scale.
        signed: whether to use a diverging scale centred at 0.
    """
    points = np.asarray(points, dtype=np.float32)
    rows = np.arange(len(points)) if index is None else np.asarray(index)
    figure = go.Figure(
        layout=layout(
            height=height, legend=LEGEND, margin=MARGIN, dragmode=DRAGS[points.shape[1]], uirevision=uirevision
        )
    )
    for trace in _traces(points, values, class_names, colour_label, rows.astype(np.int32), signed):
        figure.add_trace(trace)
    _draw_axes(figure, points.shape[1], axis_labels, equal_axes)
    return figure if len(points) else note(figure, "No points to show yet")


def _traces(
    points: np.ndarray,
    values: Any,
    class_names: Sequence[str] | None,
    colour_label: str,
    rows: np.ndarray,
    signed: bool,
) -> Iterator[Any]:
    if values is None:
        marker = _dots(*points.shape) | {"color": CLASS_COLOURS[0]}
        yield _trace(points, rows, marker=marker, hovertemplate=_hover(""), showlegend=False)
        return
    values = np.asarray(values)
    groups = grouped(values, class_names)
    if groups is None:
        yield _scale_trace(points, values, colour_label, rows, signed)
    else:
        yield from _class_traces(points, groups, rows)


def _class_traces(points: np.ndarray, groups: Groups, rows: np.ndarray) -> Iterator[Any]:
    """One trace per class; unknown is drawn first, so underneath, and listed last in the legend."""
    for number in np.unique(groups.numbers):
        of_class = groups.numbers == number
        marker = _dots(*points.shape) | class_marker(int(number))
        if number < 0:
            marker["opacity"] *= 0.6
        yield _trace(
            points[of_class],
            rows[of_class],
            name=plain_text(groups.name(int(number))),
            marker=marker,
            # By reference: a name inside the template would be parsed as template syntax.
            hovertemplate=_hover("<b>%{fullData.name}</b><br>"),
            showlegend=True,
            legendrank=1000 + int(number) if number >= 0 else 9999,
        )


def _scale_trace(points: np.ndarray, values: np.ndarray, colour_label: str, rows: np.ndarray, signed: bool) -> Any:
    bar = {"title": {"text": plain_text(colour_label), "side": "right"}, "thickness": 12, "outlinewidth": 0}
    bar |= {"len": 0.92, "y": 0, "yanchor": "bottom"}  # below the tool bar
    low, high = scale_ends(values, signed)
    marker = _dots(*points.shape) | {
        "color": values.astype(np.float32),
        "colorscale": list(DIVERGING if signed else SEQUENTIAL),
        "cmin": low,
        "cmax": high,
        "colorbar": bar,
        "showscale": True,
    }
    hover = _hover("<b>%{marker.color:.4g}</b> %{fullData.name}<br>")
    return _trace(points, rows, name=plain_text(colour_label), marker=marker, hovertemplate=hover, showlegend=False)


def scale_ends(values: np.ndarray, signed: bool = False) -> tuple[float, float]:
    """Ends of a colour scale: the 1st and 99th percentiles, so that outliers do not compress it.

    Symmetric around 0 for signed numbers; non-finite values are ignored.
    """
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return 0.0, 1.0
    low, high = (float(end) for end in np.percentile(known, [1, 99]))
    if signed:
        low, high = -max(-low, high), max(-low, high)
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _trace(points: np.ndarray, rows: np.ndarray, **settings: Any) -> Any:
    axes = {axis: points[:, d].copy() for d, axis in enumerate(AXES[: points.shape[1]])}
    kind = go.Scattergl if points.shape[1] == 2 else go.Scatter3d
    return kind(**axes, customdata=rows, mode="markers", **settings)


def _dots(n: int, dims: int) -> dict[str, Any]:
    """Size and opacity of n points: large and opaque when few, small and transparent when many; smaller in 3-D."""
    magnitude = np.log10(max(n, 1))
    size = float(np.clip(11.5 - 1.75 * magnitude, 1.8, 9)) * (0.55 if dims == 3 else 1)
    return {"size": round(size, 2), "opacity": round(float(np.clip(1.3 - 0.13 * magnitude, 0.4, 0.95)), 2)}


def _hover(first: str) -> str:
    return first + "#%{customdata}<extra></extra>"


def _draw_axes(figure: go.Figure, dims: int, labels: Sequence[str], equal: bool) -> None:
    labelled = len(labels) == dims
    settings = [
        {"title": {"text": plain_text(labels[d])}}
        if labelled
        else {"showticklabels": False, "showgrid": False, "title": {"text": ""}}
        for d in range(dims)
    ]
    if dims == 3:
        scene = {f"{axis}axis": setting for axis, setting in zip(AXES, settings, strict=True)}
        figure.update_layout(scene={**scene, "aspectmode": "data" if equal else "cube", "camera_eye": CAMERA})
        return
    figure.update_layout(xaxis=settings[0], yaxis=settings[1], legend_y=_below_axis(figure) if labelled else -0.01)
    if equal:
        figure.update_yaxes(scaleanchor="x")


def _below_axis(figure: go.Figure) -> float:
    """Position of the legend below ticks and title (56 pixels), relative to the plot height."""
    return -56 / max(figure.layout.height - 124, 100)
