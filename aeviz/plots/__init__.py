"""Plotly figures from arrays, shared by the app and the exports; imports nothing else of aeviz."""

from aeviz.plots.bars import change_bars, counts_bars, variance_bars
from aeviz.plots.cells import numbered_colours, without_dots
from aeviz.plots.errors import error_histogram, error_range
from aeviz.plots.groups import grouped
from aeviz.plots.network import hourglass
from aeviz.plots.rates import rate_curve, sweep_curve
from aeviz.plots.scatter import latent_scatter
from aeviz.plots.theme import DIVERGING, on_paper, plain_text

__all__ = [
    "DIVERGING",
    "change_bars",
    "counts_bars",
    "error_histogram",
    "error_range",
    "grouped",
    "hourglass",
    "latent_scatter",
    "numbered_colours",
    "on_paper",
    "plain_text",
    "rate_curve",
    "sweep_curve",
    "variance_bars",
    "without_dots",
]
