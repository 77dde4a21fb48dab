"""Histogram of reconstruction errors."""

import numpy as np
import plotly.graph_objects as go

from aeviz.plots.theme import CLASS_COLOURS, UNKNOWN_COLOUR, layout

BARS = 60
SPREAD = 1e-6  # minimum width of the range


def error_range(errors: np.ndarray) -> tuple[float, float]:
    """Minimum and maximum finite error of (N,), always slightly apart."""
    finite = errors[np.isfinite(errors)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)
    return low, max(high, low + SPREAD)


def error_histogram(
    errors: np.ndarray,
    chosen: np.ndarray,
    within: tuple[float, float],
    *,
    height: int = 150,
    uirevision: str = "errors",
) -> go.Figure:
    """Histogram of errors (N,), those of the `chosen` (N,) bool in front; bars outside the range `within` are faint."""
    low, high = error_range(errors)
    edges = np.linspace(low, high, BARS + 1)
    middles, wide = (edges[1:] + edges[:-1]) / 2, edges[1] - edges[0]
    inside = (edges[1:] > within[0]) & (edges[:-1] < within[1])
    figure = go.Figure(
        layout=layout(height=height, uirevision=uirevision, barmode="overlay", bargap=0.08, showlegend=False)
    )
    for values, colour, strong in ((errors, UNKNOWN_COLOUR, 0.35), (errors[chosen], CLASS_COLOURS[0], 1.0)):
        counts = np.histogram(values[np.isfinite(values)], edges)[0].astype(np.int32)
        figure.add_bar(
            x=middles.astype(np.float32), y=counts, width=wide, hovertemplate="%{y:,} images of about %{x:.3g}<extra></extra>",
            marker={"color": colour, "opacity": np.where(inside, strong, 0.2 * strong).astype(np.float32)},
        )  # fmt: skip
    figure.update_xaxes(title_text="mean squared error of an image", range=[low, high], showgrid=False)
    figure.update_yaxes(title_text="images", fixedrange=True)
    figure.update_xaxes(fixedrange=True)
    return figure
