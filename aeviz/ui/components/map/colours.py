"""Colours of the map: the picker, and the values, computed by a job if slow."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from aeviz import jobs, results
from aeviz.results import Coloured, ColourInfo, Map, MapRequest, Split
from aeviz.runs import Run
from aeviz.ui import cache, forms, warm, words
from aeviz.ui.frame import redraw

KEY = "map.colour"


@dataclass(frozen=True)
class Paint:
    """The chosen colour and its settings."""

    info: ColourInfo | None
    settings: dict[str, Any]
    id: str = ""

    @property
    def name(self) -> str:
        """A text that identifies the choice."""
        return json.dumps([self.info.name, self.settings]) if self.info else ""


@dataclass(frozen=True)
class Painted:
    """Values (N,) of the map's dots, None for a single colour; class names; label; and an identifying key."""

    values: np.ndarray | None
    names: tuple[str, ...] | None
    label: str
    key: str
    note: str = ""
    signed: bool = False


def colour_picker(run: Run, split: Split) -> Paint:
    """Select the colour and its settings."""
    offered = {_id(info): info for info in results.colours_of(run, split, cache.images_if_here(run))}
    if not offered:
        return Paint(None, {})
    forms.init_state(KEY, next(iter(offered)), offered)
    about = (f"**{words.plain(words.capitalised(info.label))}**: {words.plain(info.help)}" for info in offered.values())
    picked = st.selectbox(
        "Colour", list(offered), key=KEY, format_func=lambda id: words.capitalised(offered[id].label),
        persist_state="session",
        help="\n\n".join(about),
    )  # fmt: skip
    chosen = offered[picked]
    asked = [name for name in forms.user_fields(chosen.Settings) if name in chosen.settings]
    settings = forms.settings_form(chosen.Settings, f"{KEY}.{chosen.name}", only=asked, **chosen.settings)
    return Paint(chosen, chosen.settings | settings, _id(chosen))


def _id(info: ColourInfo) -> str:
    return ":".join([info.name, *map(str, info.settings.values())]) if info.name == "factor" else info.name


def painted(run: Run, request: MapRequest, drawn: Map, paint: Paint) -> Painted:
    """The values of the map's dots; labels while slow ones are being computed."""
    if paint.info is None:
        return Painted(None, None, "", "none")
    asked = (run, request.split, paint.info.name, paint.settings, request)
    coloured = results.kept_colour(*asked)
    if coloured is None and paint.info.slow:
        _work(*asked)
        classes = run.config().data.classes
        return Painted(drawn.labels if classes else None, classes or None, "Label", "label")
    coloured = coloured or results.colour(*asked)
    values = _of_dots(run, request, drawn, coloured)
    label = (
        f"{words.capitalised(coloured.label)}, {coloured.unit}" if coloured.unit else words.capitalised(coloured.label)
    )
    return Painted(values, coloured.names, label, paint.name, coloured.note, coloured.kind == "sign")


def _of_dots(run: Run, request: MapRequest, drawn: Map, coloured: Coloured) -> np.ndarray:
    """The values of those rows of the split that are on the map."""
    if len(drawn.index) == len(coloured.values):
        return coloured.values
    return coloured.values[np.searchsorted(results.codes(run, request.split).index, drawn.index)]


def _work(run: Run, split: Split, name: str, settings: dict[str, Any], request: MapRequest) -> None:
    """Start the job that computes a slow colour, and show its progress."""
    job = results.colour_job(run, split, name, settings, request)
    if not job.path.exists():
        _start(run, split, name, settings, request)
    _progress(run, split, name, settings, request)


def _start(run: Run, split: Split, name: str, settings: dict[str, Any], request: MapRequest) -> None:
    job, written = results.colour_job(run, split, name, settings, request), request.written_out()
    job = jobs.create(job.path.parent, job.path.name)
    of_map = {key: value for key, value in written.settings.items() if key != "dims"}
    dims = ("--dims", str(written.settings["dims"])) if "dims" in written.settings else ()
    warm.spare().start(
        job, "colour", run.id, "--name", name, "--split", split, *_pairs("--set", settings), "--method", written.method,
        *dims, *_pairs("--map-set", of_map), "--job", str(job.path),
    )  # fmt: skip


def _pairs(option: str, settings: dict[str, Any]) -> list[str]:
    return [part for name, value in settings.items() for part in (option, f"{name}={json.dumps(value)}")]


@st.fragment(run_every=0.5)
def _progress(run: Run, split: Split, name: str, settings: dict[str, Any], request: MapRequest) -> None:
    job = results.colour_job(run, split, name, settings, request)
    status = job.status()
    if results.kept_colour(run, split, name, settings, request) is not None:
        redraw()
    with st.container(horizontal=True, vertical_alignment="center"):
        if status.state in jobs.LIVE:
            share = min(1.0, status.done / status.total) if status.total else 0.0
            st.progress(share, text=words.plain(status.message or "Starting …"))
            st.button("Cancel", icon=":material/close:", key="colour.cancel", on_click=job.ask, args=("stop",))
            return
        st.caption(words.sentence(status.message or "the colours were not computed"))
        st.button(
            "Compute", icon=":material/palette:", key="colour.start", on_click=_start,
            args=(run, split, name, settings, request)
        )  # fmt: skip
