"""The page Map: which map, in which colours, and the map itself."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from aeviz import jobs, plots, results
from aeviz.latent.pca import variance_ratio
from aeviz.latent.project import PROJECTIONS
from aeviz.results import Map, MapRequest, Split
from aeviz.runs import Run
from aeviz.ui import cache, forms, words
from aeviz.ui.components import selection
from aeviz.ui.components.pictures import Chosen
from aeviz.ui.frame import draw_anew

HEIGHT = 600
# What a drag does is chosen with words beside the map; Streamlit takes the lasso's button out of Plotly's bar.
TOOLS = {"scrollZoom": True, "displaylogo": False, "modeBarButtonsToRemove": ["zoom2d", "pan2d", "autoScale2d"]}
DRAGS = {"lasso": "Lasso", "select": "Box", "pan": "Move"}
JUDGED_AT_ONCE = 12_000  # points a map is judged on while one waits, a few seconds once
CHART, DRAG = "map", "map.drag"
LABEL, ERROR = "label", "reconstruction error"


@dataclass(frozen=True)
class Colours:
    """What the dots are coloured by: values (N,), or None for the labels; class names; and what it is called."""

    values: np.ndarray | None
    classes: tuple[str, ...] | None
    label: str


def map_controls(run: Run) -> tuple[MapRequest, Colours]:
    """Method, dimensions, split and colour."""
    method = st.segmented_control(
        "Method", list(PROJECTIONS), default="pca", required=True, key="map.method", width="stretch",
        format_func=lambda name: PROJECTIONS[name].label, persist_state="session",
    )  # fmt: skip
    settings = forms.settings_form(PROJECTIONS[method].Settings, "map", only=["dims"])
    here = cache.images_if_here(run)
    splits: list[Split] = ["test"] if here and here.kept else ["test", "train"]
    split: Split = st.segmented_control(
        "Images", splits, default="test", required=True, key="map.split", width="stretch",
        format_func=words.label, persist_state="session", help="Test images were never trained on.",
    )  # fmt: skip
    request = MapRequest(method=method, split=split, settings=settings)
    colours = _colour_picker(run, split)
    if settings["dims"] == 2:
        st.segmented_control(
            "Drag", list(DRAGS), default="lasso", required=True, key=DRAG, width="stretch", format_func=DRAGS.__getitem__,
            persist_state="session", help="What dragging on the map does.",
        )  # fmt: skip
    more = [name for name in PROJECTIONS[method].Settings.model_fields if name != "dims"]
    if more:
        with st.expander("More", icon=":material/tune:"):
            settings |= forms.settings_form(PROJECTIONS[method].Settings, f"map.{method}", only=more)
            request = request.model_copy(update={"settings": settings})
    return request, colours


def _colour_picker(run: Run, split: Split) -> Colours:
    """What a person colours by, and the values for every dot."""
    dataset, classes = cache.images_if_here(run), run.config().data.classes
    options = [LABEL] if classes else []
    options += [ERROR, *dataset.columns] if dataset else []
    chosen = st.selectbox(
        "Colour", options, key="map.colour", format_func=lambda name: words.plain(words.label(name)), persist_state="session",
        help="Labels and known factors are not seen by the network; they show what it has found by itself.",
    )  # fmt: skip
    if chosen == ERROR and dataset:
        return Colours(cache.errors(run, split), None, "MSE")
    if chosen and chosen != LABEL and dataset:
        return Colours(dataset.columns[chosen][dataset.rows(split)], None, chosen)
    return Colours(None, classes or None, LABEL)


def map_canvas(run: Run, request: MapRequest, colours: Colours) -> None:
    """The map if it is there or quick to make, the way to make it if it is slow."""
    kept = results.kept_map(run, request)
    if kept is None and PROJECTIONS[request.method].slow:
        _slow_map(run, request)
        return
    drawn = kept or results.project(run, request)
    dims, drag = drawn.points.shape[1], st.session_state.get(DRAG, "lasso")
    space = f"{run.id} {request.method} {request.split} {dims}"
    picked, view = selection.follow(run, request.split, CHART, space)
    content = f"{space} {run.weights_mark()} {request.settings} {colours.label} {drag} {hash(picked.tobytes())}"
    st.plotly_chart(
        plots.latent_scatter(
            drawn.points, drawn.labels if colours.values is None else colours.values, class_names=colours.classes, colour_label=colours.label, index=drawn.index,
            axis_labels=_axis_labels(drawn), height=HEIGHT, uirevision=space, selected=picked,
            drag=drag, view=selection.steady_view(content, view), released=selection.times_released(),
        ),
        key=CHART, config=TOOLS, alt="Map of the latent codes",
    )  # fmt: skip
    selection.selection_strip(run, request.split, picked)


def _axis_labels(drawn: Map) -> list[str]:
    ratio = drawn.notes.get("explained_variance_ratio", [])
    return [f"PC {number + 1} ({share:.0%})" for number, share in enumerate(ratio[: drawn.points.shape[1]])]


def map_facts(run: Run, request: MapRequest) -> None:
    """What the map shows and how far it can be trusted, said under the controls."""
    drawn = results.kept_map(run, request)
    if drawn is None:
        return
    quick = len(drawn.points) <= JUDGED_AT_ONCE
    judged = results.kept_quality(run, request)
    if judged is None and quick:
        with st.spinner("Judging the map …"):
            judged = results.quality(run, request)
    numbers: dict[str, tuple[str, str]] = {
        "Points": (f"{len(drawn.points):,}", f"{words.label(request.split)} images.")
    }
    ratio = drawn.notes.get("explained_variance_ratio")
    if ratio:
        shown = sum(ratio[: drawn.points.shape[1]])
        numbers["Variance shown"] = (f"{shown:.0%}", "Share of the codes' variance that lies in these axes.")
    if judged:
        numbers |= _quality(judged)
    with st.container(gap=None, key="facts"):
        for name, (value, meaning) in numbers.items():
            st.caption(f"{name} **{value}**", help=meaning)
    if ratio:
        st.button(
            "Explained variance",
            icon=":material/bar_chart:",
            width="stretch",
            key="map.variance",
            on_click=_variance,
            args=(run, request.split),
        )


@st.dialog("Explained variance", width="medium")
def _variance(run: Run, split: Split) -> None:
    """What each principal component of the codes adds, the drawn ones first."""
    ratio = variance_ratio(results.codes(run, split).z)
    st.plotly_chart(
        plots.variance_bars(ratio, height=360), key="variance", config={"displayModeBar": False},
        alt="Explained variance by principal component",
    )  # fmt: skip


def _quality(judged: dict[str, Any]) -> dict[str, tuple[str, str]]:
    meanings = {
        "trustworthiness": "Are neighbours on the map neighbours in the codes? 1 is perfect (k = 15).",
        "continuity": "Are neighbours in the codes neighbours on the map? 1 is perfect (k = 15).",
        "knn_map": "How often the 10 nearest dots tell an image's label (5-fold).",
        "knn_codes": "The same in the codes themselves: what the map could reach.",
    }
    return {words.label(name): (words.number(judged.get(name)), meaning) for name, meaning in meanings.items()}


def _slow_map(run: Run, request: MapRequest) -> None:
    """A map that takes a while: the button, or the work under way."""
    job = results.map_job(run, request)
    if job.is_alive() or (job.status().state == "queued" and job.path.exists()):
        _working(run, request)
        return
    label = PROJECTIONS[request.method].label
    count = run.config().data.splits[request.split]
    with st.container(height=HEIGHT, horizontal_alignment="center", vertical_alignment="center", border=True):
        st.markdown(f"#### {label} of {count:,} codes is computed once and kept.", text_alignment="center")
        st.button(
            f"Draw {label}",
            type="primary",
            icon=":material/scatter_plot:",
            key="map.draw",
            on_click=start_map,
            args=(run, request),
        )
        if job.path.exists():
            status = job.status()
            if status.state in ("failed", "stopped", "interrupted"):
                st.caption(words.plain(status.message or "It was interrupted."), text_alignment="center")


def start_map(run: Run, request: MapRequest) -> None:
    """Start the process that computes a map."""
    written = request.written_out()
    job = results.map_job(run, request)
    job = jobs.create(job.path.parent, job.path.name)
    settings = [part for name, value in written.settings.items() for part in ("--set", f"{name}={json.dumps(value)}")]
    jobs.start(
        job, "project", run.id, "--method", written.method, "--split", written.split, *settings, "--job", str(job.path)
    )


@st.fragment(run_every=0.5)
def _working(run: Run, request: MapRequest) -> None:
    job = results.map_job(run, request)
    status = job.status()
    if not job.is_alive() and status.state != "queued":
        draw_anew()
    with st.container(height=HEIGHT, horizontal_alignment="center", vertical_alignment="center", border=True):
        share = min(1.0, status.done / status.total) if status.total else 0.0
        st.markdown(f"#### {words.plain(status.message or 'Starting …')}", text_alignment="center")
        st.progress(share, text=f"{share:.0%}", width=420)
        st.caption("You can leave this page meanwhile.", text_alignment="center")
        st.button("Cancel", icon=":material/close:", key="map.cancel", on_click=job.ask, args=("stop",))


def place_on_map(run: Run, chosen: Chosen) -> None:
    """The run's map with new images on it as stars, each where its code belongs."""
    kept = [name for name in PROJECTIONS if results.kept_map(run, _request(name))]
    offered = [name for name in PROJECTIONS if name in kept or not PROJECTIONS[name].slow]
    method = offered[0]
    if len(offered) > 1:
        method = st.segmented_control(
            "Map", offered, default=method, required=True, key="place.method", label_visibility="collapsed",
            format_func=lambda name: PROJECTIONS[name].label,
        )  # fmt: skip
    drawn = results.project(run, _request(method))
    stars = drawn.projection.place(cache.rebuild(run, chosen.pixels).z)
    config = run.config().data
    st.plotly_chart(
        plots.latent_scatter(
            drawn.points, drawn.labels, class_names=config.classes, colour_label=LABEL, index=drawn.index,
            axis_labels=_axis_labels(drawn), height=HEIGHT, uirevision=f"{run.id} {method}", highlight=stars,
            highlight_names=chosen.names,
        ),
        key="place", config=TOOLS, alt="The map with the images placed on it",
    )  # fmt: skip
    if PROJECTIONS[method].slow:
        st.caption("Placed between the dots of the nearest codes.")


def _request(method: str) -> MapRequest:
    return MapRequest(method=method, settings={"dims": 2})
