"""Common style of all figures: class colours, colour scales, and a layout for light and dark pages."""

from typing import Any

import plotly.graph_objects as go

# Optimised from hand-picked hues: contrast of at least 2.2 : 1 on #ffffff and 2.4 : 1 on #0e1117, pairwise OKLab
# distance of at least 0.14, and 0.11 with deuteranopia or protanopia (Machado et al. 2009). For comparison, Tableau 10
# has 0.11 and 0.007. A test checks this.
CLASS_COLOURS = (
    "#266bf9",  # blue
    "#e94104",  # vermilion
    "#248f64",  # green
    "#c0ae1e",  # gold
    "#881db2",  # purple
    "#f38cae",  # pink
    "#3ab6fc",  # sky
    "#8c3a17",  # brown
    "#33626f",  # slate
    "#9874b7",  # lavender
)
CLASS_SYMBOLS = ("circle", "diamond", "square", "cross", "x")  # supported by both scattergl and scatter3d
UNKNOWN_COLOUR = "#8b8f98"
UNKNOWN_LABEL = "no label"

# Lightness increases monotonically, and both ends are visible on white and dark pages.
SEQUENTIAL = ("#3b4cc8", "#7a4fd0", "#b24fbf", "#dc5a94", "#ef7664", "#f29a35")

# For signed numbers: blue below and orange above a grey zero, safe for colour-blind readers. A test checks this.
DIVERGING = ("#1450e6", "#5b74c4", "#8b8f98", "#b98c58", "#f08c00")

QUIET_TEXT, INK = "#808495", "#17181c"
GRID = "rgba(128, 132, 149, 0.18)"
SCENE_GRID = "#a5a9b4"
MAX_NAME_LENGTH = 40

_AXIS = {"gridcolor": GRID, "linecolor": GRID, "zeroline": False, "automargin": True, "title": {"standoff": 8}}
# Opaque, because WebGL scenes lose faint transparent lines on white.
_SCENE_AXIS = {"gridcolor": SCENE_GRID, "zerolinecolor": SCENE_GRID, "showbackground": False}

# Text colours go into a template, not the layout, so that Streamlit can replace them with its theme.
TEMPLATE = go.layout.Template(
    layout={
        "font": {"color": QUIET_TEXT, "family": "Source Sans, Source Sans Pro, system-ui, sans-serif", "size": 13},
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "scene": {"xaxis": _SCENE_AXIS, "yaxis": _SCENE_AXIS, "zaxis": _SCENE_AXIS},
    }
)
LAYOUT: dict[str, Any] = {
    "template": TEMPLATE,
    "paper_bgcolor": "rgba(0, 0, 0, 0)",
    "plot_bgcolor": "rgba(0, 0, 0, 0)",
    "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
    "hoverlabel": {"namelength": -1},
    "modebar": {"bgcolor": "rgba(0, 0, 0, 0)", "color": "rgba(128, 132, 149, 0.55)", "activecolor": QUIET_TEXT},
    "colorway": list(CLASS_COLOURS),
}


def layout(*, height: int, uirevision: str, **settings: Any) -> go.Layout:
    """The common layout at a fixed height; zoom and camera are kept while `uirevision` stays the same."""
    return go.Layout({**LAYOUT, "height": height, "uirevision": uirevision, **settings})


def on_paper(figure: go.Figure) -> go.Figure:
    """A standalone copy for export: dark text on white, with margins and no fixed height.

    It uses system fonts, since the page's web fonts are not available when the image is rendered.
    """
    paper = go.Figure(figure)
    return paper.update_layout(
        paper_bgcolor="#ffffff", plot_bgcolor="#ffffff", height=None, margin={"l": 16, "r": 16, "t": 16, "b": 16},
        font={"color": INK, "family": "Arial, Helvetica, sans-serif"},
    )  # fmt: skip


def class_marker(number: int) -> dict[str, str]:
    """Colour and symbol of a class number: ten colours, then the same colours with the next symbol."""
    if number < 0:
        return {"color": UNKNOWN_COLOUR, "symbol": CLASS_SYMBOLS[0]}
    cycle, colour = divmod(number, len(CLASS_COLOURS))
    return {"color": CLASS_COLOURS[colour], "symbol": CLASS_SYMBOLS[cycle % len(CLASS_SYMBOLS)]}


def plain_text(name: object) -> str:
    """Escape and shorten a user-supplied name, since Plotly renders `<a>`, `<b>` and entities."""
    text = " ".join(str(name).split())
    text = text if len(text) <= MAX_NAME_LENGTH else text[: MAX_NAME_LENGTH - 1] + "…"
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def note(figure: go.Figure, text: str) -> go.Figure:
    """Add a centred note to a figure that has nothing to draw yet."""
    figure.add_annotation(text=text, x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False, opacity=0.7)
    return figure
