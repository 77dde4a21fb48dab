"""The hourglass: how many numbers are left of an image after every layer."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from aeviz.plots.theme import UNKNOWN_COLOUR, layout, shown

PART_COLOURS = {"image": UNKNOWN_COLOUR, "encoder": "#6a62f0", "code": "#c0ae1e", "decoder": "#e5733f"}
FLOOR = 0.35  # so that a code of one number is still a bar


def hourglass(names: Sequence[str], sizes: Sequence[int], parts: Sequence[str], *, height: int = 260) -> go.Figure:
    """One bar per layer (S,), as tall as the logarithm of its outputs, from the image through the code and back."""
    tall = np.log2(np.maximum(np.asarray(sizes, dtype=np.float64), 1.0)) + FLOOR
    figure = go.Figure(layout=layout(height=height, uirevision="network", bargap=0.18, showlegend=False))
    figure.add_bar(
        x=np.arange(len(sizes)),
        y=tall,
        base=-tall / 2,
        marker={"color": [PART_COLOURS[part] for part in parts], "cornerradius": 4},
        text=[f"{size:,}" for size in sizes],
        textposition="outside",
        cliponaxis=False,
        customdata=[shown(name) for name in names],
        hovertemplate="%{customdata}: %{text} numbers<extra></extra>",
    )
    reach = float(tall.max()) / 2 * 1.25
    figure.update_xaxes(visible=False, fixedrange=True)
    figure.update_yaxes(visible=False, fixedrange=True, range=[-reach, reach])
    return figure
