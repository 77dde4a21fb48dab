"""The map: one dot per image, in two or three dimensions."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from aeviz.plots.groups import Groups, grouped
from aeviz.plots.theme import CLASS_COLOURS, SEQUENTIAL, class_marker, layout, note, shown

AXES = ("x", "y", "z")
LEGEND = {"orientation": "h", "x": 0, "y": -0.01, "yanchor": "top", "itemsizing": "constant", "title": {"text": ""}}
FADED = 0.12
FEW_NAMES = 12  # stars that are named on the map itself
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
    highlight: np.ndarray | None = None,
    highlight_names: Sequence[str] = (),
    selected: np.ndarray | None = None,
    drag: str = "lasso",
    released: int = 0,
    view: Mapping[str, Any] | None = None,
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
        highlight: (M, 2 | 3) points marked on top, such as a person's own images.
        highlight_names: (M,) what these are called.
        selected: (M,) row ids that stand out while the others fade.
        drag: what dragging on a 2-D map does: lasso, select or pan.
        released: another number lets go of the outline that was drawn on the map.
        view: where to look: ranges `x` and `y` in 2-D, a `camera` in 3-D; all of it if not given.
    """
    points = np.asarray(points, dtype=np.float32)
    rows = np.arange(len(points)) if index is None else np.asarray(index)
    drag = drag if points.shape[1] == 2 else "orbit"
    revisions = {"uirevision": uirevision, "selectionrevision": f"{uirevision} {released}"}
    figure = go.Figure(layout=layout(height=height, legend=LEGEND, dragmode=drag, **revisions))
    for trace in _traces(points, values, class_names, colour_label, rows.astype(np.int32)):
        figure.add_trace(trace)
    if selected is not None and len(selected):
        _mark_selected(figure, points, selected)
    if highlight is not None and len(highlight):
        figure.add_trace(_stars(np.asarray(highlight, dtype=np.float32), highlight_names))
    _draw_axes(figure, points.shape[1], axis_labels, equal_axes)
    _look(figure, view or {})
    return figure if len(points) else note(figure, "No points to show yet")


def _look(figure: go.Figure, view: Mapping[str, Any]) -> None:
    if "camera" in view:
        figure.update_layout(scene_camera=view["camera"])
    if "x" in view and "y" in view:
        figure.update_layout(xaxis_range=view["x"], yaxis_range=view["y"])


def _traces(
    points: np.ndarray, values: Any, class_names: Sequence[str] | None, colour_label: str, rows: np.ndarray
) -> Iterator[Any]:
    if values is None:
        marker = _dots(*points.shape) | {"color": CLASS_COLOURS[0]}
        yield _trace(points, rows, marker=marker, hovertemplate=_hover(""), showlegend=False)
        return
    values = np.asarray(values)
    groups = grouped(values, class_names)
    if groups is None:
        yield _scale_trace(points, values, colour_label, rows)
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
            name=shown(groups.name(int(number))),
            marker=marker,
            # By reference: what stands in a template itself would be read as one.
            hovertemplate=_hover("<b>%{fullData.name}</b><br>"),
            showlegend=True,
            legendrank=1000 + int(number) if number >= 0 else 9999,
        )


def _scale_trace(points: np.ndarray, values: np.ndarray, colour_label: str, rows: np.ndarray) -> Any:
    bar = {"title": {"text": shown(colour_label), "side": "right"}, "thickness": 12, "outlinewidth": 0}
    bar |= {"len": 0.92, "y": 0, "yanchor": "bottom"}  # below the tool bar
    marker = _dots(*points.shape) | {
        "color": values.astype(np.float32),
        "colorscale": list(SEQUENTIAL),
        "colorbar": bar,
        "showscale": True,
    }
    hover = _hover("<b>%{marker.color:.4g}</b> %{fullData.name}<br>")
    return _trace(points, rows, name=shown(colour_label), marker=marker, hovertemplate=hover, showlegend=False)


def _trace(points: np.ndarray, rows: np.ndarray, **settings: Any) -> Any:
    axes = {axis: points[:, d].copy() for d, axis in enumerate(AXES[: points.shape[1]])}
    kind = go.Scattergl if points.shape[1] == 2 else go.Scatter3d
    return kind(**axes, customdata=rows, mode="markers", **settings)


def _mark_selected(figure: go.Figure, points: np.ndarray, selected: np.ndarray) -> None:
    if points.shape[1] == 3:
        _fade_others(figure, selected)
        return
    for trace in figure.data:
        trace.selectedpoints = np.flatnonzero(np.isin(trace.customdata, selected))
        trace.unselected = {"marker": {"opacity": FADED}}


def _fade_others(figure: go.Figure, selected: np.ndarray) -> None:
    """Scenes know no selection: the selected are drawn once more, and the others fade."""
    for trace in list(figure.data):
        chosen = np.isin(trace.customdata, selected)
        bright = go.Scatter3d(trace).update(showlegend=False, customdata=trace.customdata[chosen])
        bright.update({axis: trace[axis][chosen] for axis in AXES})
        if isinstance(trace.marker.color, np.ndarray):
            limits = {"cmin": float(trace.marker.color.min()), "cmax": float(trace.marker.color.max())}
            bright.marker.update(color=trace.marker.color[chosen], showscale=False, **limits)
        trace.marker.opacity = FADED
        figure.add_trace(bright)


def _stars(points: np.ndarray, names: Sequence[str]) -> Any:
    """White with a black rim, which no class has and which shows on any background."""
    marker = {"size": 17, "symbol": "star", "color": "#ffffff", "line": {"color": "#000000", "width": 1.5}}
    kind: Any = go.Scattergl  # an SVG trace would lie below the WebGL dots
    if points.shape[1] == 3:
        kind, marker = go.Scatter3d, marker | {"size": 9, "symbol": "diamond", "line": {"color": "#000000", "width": 2}}
    return kind(
        **{axis: points[:, d].copy() for d, axis in enumerate(AXES[: points.shape[1]])},
        mode="markers+text" if 0 < len(names) <= FEW_NAMES else "markers",
        textposition="top center",
        marker=marker,
        name="placed",
        text=[shown(name) for name in names] or None,
        hovertemplate="<b>%{text}</b><extra></extra>" if names else "<b>placed</b><extra></extra>",
        showlegend=True,
        legendrank=10_000,
    )


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
        {"title": {"text": shown(labels[d])}}
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
    return -56 / max(figure.layout.height - 100, 100)
