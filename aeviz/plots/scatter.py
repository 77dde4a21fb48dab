"""The map: one dot per image, in two or three dimensions."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from aeviz.plots.groups import Groups, grouped
from aeviz.plots.theme import CLASS_COLOURS, DIVERGING, SEQUENTIAL, class_marker, layout, note, plain_text

AXES = ("x", "y", "z")
LEGEND = {"orientation": "h", "x": 0, "y": -0.01, "yanchor": "top", "itemsizing": "constant", "title": {"text": ""}}
MARGIN = {"l": 8, "r": 8, "t": 32, "b": 8}  # above the plot a line of small buttons
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
    """Points (N, 2 | 3) as dots: one trace per class, or one with a colour bar where values are numbers on a scale.

    Args:
        points: (N, 2) or (N, 3).
        values: (N,) class numbers (-1 unknown, drawn grey and below), texts (the ten most frequent, then "other"),
            floats, or nothing.
        class_names: what the class numbers are called.
        colour_label: what the values are, at the colour bar and in the hover text.
        index: (N,) row ids, in `customdata`; 0 to N - 1 if not given.
        axis_labels: one per dimension; without, the axes are unlabelled, as in t-SNE, where they mean nothing.
        height: pixels.
        uirevision: while it stays the same, so do zoom and camera.
        equal_axes: whether a unit is as long on all axes.
        signed: whether the numbers are of either sign, and 0 is nothing.
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
    """One trace per class, unknown first so that it lies below, and last in the legend."""
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
            # By reference: what stands in a template itself would be read as one.
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
    """Where a colour scale begins and ends: at the outermost hundredths, so that a few outliers do not flatten it.

    Even around 0 where the numbers are signed; whatever is not finite does not count.
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
    """Size and opacity of n dots: large and solid when few, fine and see-through when many; finer in 3-D."""
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
    """Where the legend starts below ticks and title (56 pixels), in the units of the plot's own height."""
    return -56 / max(figure.layout.height - 124, 100)
