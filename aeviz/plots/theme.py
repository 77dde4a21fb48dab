"""One look for all figures: class colours, scales, and a layout that sits on a light or a dark page."""

from typing import Any

import plotly.graph_objects as go

# Searched for, from hand-picked hues: each at least 2.2 : 1 against #ffffff and 2.4 : 1 against #0e1117, each two
# at least 0.14 apart in OKLab, and 0.11 as seen with deuteranopia or protanopia (Machado et al. 2009). For
# comparison: Tableau 10 keeps 0.11 and 0.007. A test measures it.
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
CLASS_SYMBOLS = ("circle", "diamond", "square", "cross", "x")  # known to scattergl and scatter3d alike
UNKNOWN_COLOUR = "#8b8f98"
UNKNOWN_LABEL = "no label"

# Lightness only rises, and neither end sinks into a white or a dark page.
SEQUENTIAL = ("#3b4cc8", "#7a4fd0", "#b24fbf", "#dc5a94", "#ef7664", "#f29a35")

# For numbers of either sign: blue below, orange above a grey nothing, apart for all kinds of eyes. A test measures it.
DIVERGING = ("#1450e6", "#5b74c4", "#8b8f98", "#b98c58", "#f08c00")

QUIET_TEXT, INK = "#808495", "#17181c"
GRID = "rgba(128, 132, 149, 0.18)"
SCENE_GRID = "#a5a9b4"
MAX_NAME_LENGTH = 40

_AXIS = {"gridcolor": GRID, "linecolor": GRID, "zeroline": False, "automargin": True, "title": {"standoff": 8}}
# WebGL scenes lose faint see-through lines on white, so theirs are solid.
_SCENE_AXIS = {"gridcolor": SCENE_GRID, "zerolinecolor": SCENE_GRID, "showbackground": False}

# Colours of text stand in a template, not in the layout: Streamlit puts its theme's own in their place.
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
    """A copy that stands alone: dark letters on white, room around, and no height of its own.

    The letters are those of every machine: a picture is drawn without the page's own, which are measured otherwise.
    """
    paper = go.Figure(figure)
    return paper.update_layout(
        paper_bgcolor="#ffffff", plot_bgcolor="#ffffff", height=None, margin={"l": 16, "r": 16, "t": 16, "b": 16},
        font={"color": INK, "family": "Arial, Helvetica, sans-serif"},
    )  # fmt: skip


def class_marker(number: int) -> dict[str, str]:
    """The colour and symbol of a class by its number: ten colours, then the same with the next symbol."""
    if number < 0:
        return {"color": UNKNOWN_COLOUR, "symbol": CLASS_SYMBOLS[0]}
    cycle, colour = divmod(number, len(CLASS_COLOURS))
    return {"color": CLASS_COLOURS[colour], "symbol": CLASS_SYMBOLS[cycle % len(CLASS_SYMBOLS)]}


def plain_text(name: object) -> str:
    """A name that a person gave, as plain text: Plotly renders `<a>`, `<b>` and entities, and this shows them."""
    text = " ".join(str(name).split())
    text = text if len(text) <= MAX_NAME_LENGTH else text[: MAX_NAME_LENGTH - 1] + "…"
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def note(figure: go.Figure, text: str) -> go.Figure:
    """The figure with a quiet sentence in its middle, for when there is nothing to draw yet."""
    figure.add_annotation(text=text, x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False, opacity=0.7)
    return figure
