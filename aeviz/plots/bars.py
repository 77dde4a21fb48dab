"""Bar charts: variance per principal component, images per class, changes along a direction."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from aeviz.plots.theme import CLASS_COLOURS, DIVERGING, QUIET_TEXT, layout, note, plain_text


def variance_bars(ratio: np.ndarray, *, height: int = 280, uirevision: str = "variance") -> go.Figure:
    """Explained variance ratio (D,) per principal component as bars, with the cumulative sum as a line, in percent."""
    percent = 100 * np.asarray(ratio, dtype=np.float64)
    component = np.arange(1, len(percent) + 1)
    figure = go.Figure(layout=layout(height=height, uirevision=uirevision, hovermode="x unified", bargap=0.15))
    each, running = "%{y:.1f} %<extra>each</extra>", "%{y:.1f} %<extra>together</extra>"
    figure.add_bar(x=component, y=percent, name="each", marker_color=CLASS_COLOURS[0], hovertemplate=each)
    figure.add_scatter(
        x=component,
        y=percent.cumsum(),
        name="together",
        mode="lines+markers",
        line={"color": CLASS_COLOURS[1], "width": 2},
        marker={"size": 4},
        hovertemplate=running,
    )
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"})
    few = {"dtick": 1} if len(percent) <= 12 else {}  # otherwise Plotly adds half steps
    figure.update_xaxes(title_text="principal component", tickformat="d", showgrid=False, **few)
    figure.update_yaxes(title_text="variance (%)", range=[0, 103])
    return figure if len(percent) else note(figure, "No components yet")


def counts_bars(
    names: Sequence[str], counts: Sequence[int] | np.ndarray, *, height: int | None = None, uirevision: str = "counts"
) -> go.Figure:
    """Images per class, for K named classes; bars use the map's class colours, the first class on top."""
    counts = np.asarray(counts, dtype=np.int32)
    place = np.arange(len(counts), dtype=np.int32)
    rows = layout(height=height or _rows_height(len(counts)), uirevision=uirevision, bargap=0.25, showlegend=False)
    figure = go.Figure(layout=rows)
    texts = [plain_text(name) for name in names]
    figure.add_bar(
        x=counts,
        y=place,
        orientation="h",
        marker_color=[CLASS_COLOURS[number % len(CLASS_COLOURS)] for number in place],
        customdata=texts,
        hovertemplate="<b>%{customdata}</b><br>%{x:,}<extra></extra>",
    )
    # Numeric positions with names as tick labels, since equal names would share one bar.
    figure.update_yaxes(tickvals=place, ticktext=texts, showgrid=False, autorange="reversed", ticklabelstandoff=6)
    figure.update_xaxes(title_text="images", rangemode="tozero")
    return figure if len(counts) else note(figure, "No classes yet")


def change_bars(
    names: Sequence[str],
    changes: Sequence[float] | np.ndarray,
    *,
    height: int = 240,
    most: int = 8,
    uirevision: str = "changes",
) -> go.Figure:
    """The `most` largest changes of named attributes, in standard deviations, largest first, coloured by sign."""
    values = np.asarray(changes, dtype=np.float64)
    order = np.argsort(-np.abs(values), kind="stable")[:most]
    place = np.arange(len(order), dtype=np.int32)
    texts = [plain_text(names[number]) for number in order]
    figure = go.Figure(layout=layout(height=height, uirevision=uirevision, bargap=0.3, showlegend=False))
    figure.add_bar(
        x=values[order],
        y=place,
        orientation="h",
        marker_color=[DIVERGING[0] if value < 0 else DIVERGING[-1] for value in values[order]],
        customdata=texts,
        hovertemplate="<b>%{customdata}</b><br>%{x:+.2f} standard deviations<extra></extra>",
    )
    figure.update_yaxes(tickvals=place, ticktext=texts, showgrid=False, autorange="reversed", ticklabelstandoff=6)
    figure.update_xaxes(title_text="change (standard deviations)", zeroline=True, zerolinecolor=QUIET_TEXT)
    return figure if len(order) else note(figure, "Nothing is known to change")


def _rows_height(rows: int) -> int:
    return 60 + 24 * min(max(rows, 4), 60)
