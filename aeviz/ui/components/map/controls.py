"""Controls of the map: method, split, colour, search, and display options above the map."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from aeviz.data import Dataset
from aeviz.latent.projections.register import PROJECTIONS
from aeviz.results import MapRequest, Split
from aeviz.runs import Run
from aeviz.ui import cache, forms
from aeviz.ui.components.map.colours import Paint, colour_picker
from aeviz.ui.components.map.groups import axes_picker

TOOLS = {"lasso": "Lasso", "select": "Box", "pan": "Move"}
SHOWS = {"dots": "Dots", "pictures": "Pictures", "means": "Means", "density": "Density"}
DECODES = (
    "Shows decoded images on a grid over the map. On linear maps such as PCA the inverse transform is exact; "
    "on t-SNE and UMAP it is fitted to the codes of nearby dots."
)
MOST_FOUND = 5000
MOST_DIGITS = 18  # of a row number


@dataclass(frozen=True)
class DisplayOptions:
    """Display options of the map: mode, drag tool, class names, decoded grid."""

    show: str
    tool: str
    names: bool
    grid: bool

    def choices(self) -> dict[str, Any]:
        """The options stored in a link."""
        return {"show": self.show, "names": self.names, "grid": self.grid}


def map_controls(run: Run) -> tuple[MapRequest, Paint, str]:
    """Select method, settings, split and colour; returns them with the search text."""
    method = forms.choose(
        PROJECTIONS, "pca", lambda name: PROJECTIONS[name].label, label="Method", key="map.method",
        persist_state="session",
        help="\n\n".join(f"**{cls.label}**: {cls.summary}" for cls in PROJECTIONS.values()),
    )  # fmt: skip
    cls = PROJECTIONS[method].Settings
    settings = forms.settings_form(cls, "map", only=["dims"]) if "dims" in cls.model_fields else {}
    here = cache.images_if_here(run)
    splits: list[Split] = ["test"] if here and here.kept else ["test", "train"]
    split: Split = forms.segmented(
        splits, "test", label="Images", key="map.split", width="stretch", persist_state="session",
        help="Test images were not used for training.",
    )  # fmt: skip
    paint = colour_picker(run, split)
    searched = st.text_input("Find", key="map.find", placeholder="Label, file, #number", icon=":material/search:")
    if "directions" in cls.model_fields:
        settings["directions"] = axes_picker(run)
    more = [name for name in forms.user_fields(cls) if name != "dims"]
    if more:
        with st.expander("More settings", icon=":material/tune:"):
            settings |= forms.settings_form(cls, f"map.{method}", only=more)
    return MapRequest(method=method, split=split, settings=settings), paint, searched


def display_options(run: Run, dims: int, dense: bool) -> DisplayOptions:
    """Draw the display options; `dense` if there are too many dots to draw individually."""
    labelled = bool(run.config().data.classes)
    shows = ["density"] if dense else [name for name in SHOWS if name != "means" or labelled]
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="looks"):
        tool = show = None
        names = grid = False
        if dims == 2:
            tool = forms.segmented(
                TOOLS, "lasso", TOOLS.__getitem__, label="Drag", key="map.tool", persist_state="session",
                label_visibility="collapsed"
            )  # fmt: skip
            show = forms.segmented(
                shows, shows[0], SHOWS.__getitem__, label="Show", key="map.show", persist_state="session",
                label_visibility="collapsed"
            )  # fmt: skip
            forms.init_state("map.names", True)
            names = st.toggle(
                "Names", key="map.names", persist_state="session", help="Show class names on their regions."
            )
            grid = st.toggle("Decode", key="map.grid", persist_state="session", help=DECODES)
    return DisplayOptions(show or "dots", tool or "pan", names, grid)


def find(dataset: Dataset | None, index: np.ndarray, classes: tuple[str, ...], text: str) -> np.ndarray:
    """The rows of `index` (N,) that match a text: a label, a row number such as `#17`, or part of a file name or label.

    Returns the matches of the first of these that finds any; ignores case.
    """
    wanted = text.strip().casefold()
    if not wanted or dataset is None:
        return index[:0]
    named = [number for number, name in enumerate(classes) if name.casefold() == wanted]
    partly = [number for number, name in enumerate(classes) if wanted in name.casefold()]
    digits = wanted.lstrip("#")
    row = int(digits) if digits.isdecimal() and len(digits) <= MOST_DIGITS else -1
    labels = dataset.labels[index]
    ways = (
        lambda: np.isin(labels, named),
        lambda: index == row,
        lambda: np.array(
            [dataset.files is not None and wanted in dataset.files[one].casefold() for one in index], bool
        ),
        lambda: np.isin(labels, partly),
    )
    found = (index[way()] for way in ways)
    return next((rows for rows in found if len(rows)), index[:0])[:MOST_FOUND]
