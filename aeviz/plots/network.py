"""Hourglass chart of a network: output size of every layer."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from aeviz.plots.theme import UNKNOWN_COLOUR, layout, plain_text

PART_COLOURS = {
    "image": UNKNOWN_COLOUR, "encoder": "#6a62f0", "code": "#c0ae1e", "decoder": "#e5733f",
    "broken": "rgba(220, 53, 69, 0.28)",
}  # fmt: skip
BROKEN_LINE = "#dc3545"
FLOOR = 0.35  # so that a one-dimensional code still gets a visible bar
FEW, SOME, MANY = 9, 15, 27  # maximum bars for labels with parameters, with shapes, and with short sizes
FONT_SIZE = 11  # of the labels


@dataclass(frozen=True)
class Bar:
    """One layer in the chart: name, part of the network, output shape, and number of parameters."""

    name: str
    part: str
    shape: tuple[int, ...]
    parameters: int = 0

    @property
    def size(self) -> int:
        """Number of outputs of the layer."""
        return math.prod(self.shape)


def hourglass(bars: Sequence[Bar], *, places: int = 0, height: int = 230, share: float = 1.0) -> go.Figure:
    """Draw one bar per layer, from image to code and back; heights are logarithms of output sizes.

    Args:
        bars: the layers; the part `broken` marks one that does not fit.
        places: minimum number of bar slots, to reserve space for layers after a broken one.
        share: the figure's width relative to the usual one; narrow figures get shorter labels.
    """
    tall = np.log2(np.maximum([bar.size for bar in bars], 1.0)) + FLOOR
    places = max(places, len(bars))
    labels = [_label(bar, places / share) for bar in bars]
    drawn = go.Bar(
        x=np.arange(len(bars)),
        y=tall,
        base=-tall / 2,
        marker={
            "color": [PART_COLOURS[bar.part] for bar in bars],
            "cornerradius": 4,
            "line": {"color": BROKEN_LINE, "width": [2 * (bar.part == "broken") for bar in bars]},
        },
        text=labels,
        textposition="outside",
        textangle=0,
        textfont={"size": FONT_SIZE},
        constraintext="none",
        cliponaxis=False,
        customdata=[_hover_text(bar) for bar in bars],
        hovertemplate="%{customdata}<extra></extra>",
    )
    lines = 1 + max((label.count("<br>") for label in labels), default=0)
    reach = float(tall.max()) / 2
    across = {"visible": False, "fixedrange": True, "range": [-0.6, places - 0.4]}
    along = {"visible": False, "fixedrange": True, "range": [-reach * 1.04, reach * (1 + 0.24 * lines * 200 / height)]}
    settings = layout(height=height, uirevision="network", bargap=0.18, showlegend=False, xaxis=across, yaxis=along)
    return go.Figure(data=[drawn], layout=settings)


def _label(bar: Bar, places: float) -> str:
    """The label above a bar, as long as its width allows."""
    if bar.part == "broken":
        return "✕"
    if places > MANY:
        return abbreviated(bar.size) if bar.part in ("image", "code") else ""
    if places > SOME:
        return abbreviated(bar.size)
    shape = _shape(bar)
    return f"{shape}<br>{abbreviated(bar.parameters)} par." if bar.parameters and places <= FEW else shape


def _hover_text(bar: Bar) -> str:
    """The hover text of a bar."""
    if bar.part == "broken":
        return f"{plain_text(bar.name)} does not fit here"
    weights = f", {bar.parameters:,} parameters" if bar.parameters else ""
    return f"{plain_text(bar.name)}: {_shape(bar)}{f' = {bar.size:,}' if len(bar.shape) > 1 else ''} numbers{weights}"


def _shape(bar: Bar) -> str:
    return "×".join(map(str, bar.shape))


def abbreviated(value: int) -> str:
    """Abbreviate a count to three digits and a unit."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g}{unit}"
    return str(value)
