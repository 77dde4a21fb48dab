"""The hourglass: how many numbers are left of an image after every layer."""

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
FLOOR = 0.35  # so that a code of one number is still a bar
FEW, SOME, MANY = 9, 15, 27  # bars up to which shapes with parameters, shapes, and sizes in short can be read
LETTERS = 11  # size of the labels


@dataclass(frozen=True)
class Bar:
    """One layer of the drawing: what it is called, whose part it is, its output's shape, its parameters if it has any."""

    name: str
    part: str
    shape: tuple[int, ...]
    parameters: int = 0

    @property
    def size(self) -> int:
        """Numbers that the layer puts out."""
        return math.prod(self.shape)


def hourglass(bars: Sequence[Bar], *, places: int = 0, height: int = 230, share: float = 1.0) -> go.Figure:
    """One bar per layer, as tall as the logarithm of its outputs, from the image through the code and back.

    Args:
        bars: the layers there are; the part `broken` marks one that does not fit.
        places: room for so many bars, where those after a broken one are not there.
        share: of the usual width that the figure will have; on little room labels are shorter.
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
        textfont={"size": LETTERS},
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
    """What stands above a bar: as much as its width allows."""
    if bar.part == "broken":
        return "✕"
    if places > MANY:
        return abbreviated(bar.size) if bar.part in ("image", "code") else ""
    if places > SOME:
        return abbreviated(bar.size)
    shape = _shape(bar)
    return f"{shape}<br>{abbreviated(bar.parameters)} par." if bar.parameters and places <= FEW else shape


def _hover_text(bar: Bar) -> str:
    """What is said of a bar under the pointer."""
    if bar.part == "broken":
        return f"{plain_text(bar.name)} does not fit here"
    weights = f", {bar.parameters:,} parameters" if bar.parameters else ""
    return f"{plain_text(bar.name)}: {_shape(bar)}{f' = {bar.size:,}' if len(bar.shape) > 1 else ''} numbers{weights}"


def _shape(bar: Bar) -> str:
    return "×".join(map(str, bar.shape))


def abbreviated(value: int) -> str:
    """A count in at most four letters and a unit."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g}{unit}"
    return str(value)
