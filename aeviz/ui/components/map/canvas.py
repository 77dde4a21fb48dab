"""Page Map: the map, its quality, placed images and selection."""

from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from aeviz import plots, results
from aeviz.errors import AevizError
from aeviz.latent.principal_axes import variance_ratio
from aeviz.latent.projections.register import PROJECTIONS
from aeviz.results import Map, MapRequest, Split
from aeviz.runs import Run
from aeviz.ui import cache, forms, state, words
from aeviz.ui.components.export_jobs import export_map
from aeviz.ui.components.images import your_images
from aeviz.ui.components.images.pictures import Chosen
from aeviz.ui.components.job_progress import is_active
from aeviz.ui.components.map import map_jobs, placed_images, scenes, selection
from aeviz.ui.components.map.colours import Paint, Painted, painted
from aeviz.ui.components.map.controls import display_options, find
from aeviz.ui.components.map.groups import page_if_asked
from aeviz.ui.components.map.link import link_of
from aeviz.ui.components.map.view import latent_map
from aeviz.ui.serve.addresses import address

HEIGHT = 600
JUDGED_AT_ONCE = 2000  # points up to which map quality is computed directly, in a fraction of a second
LAST = "map.last"


def map_canvas(run: Run, request: MapRequest, paint: Paint, searched: str, view: dict[str, Any] | None) -> None:
    """Draw the map: at once if it is saved or quick to compute, else while it is computed."""
    with st.container(key="map_work"):  # always present, so that elements below it are not recreated when it fills
        try:
            drawn, live = _drawn(run, request)
        except AevizError as error:
            st.error(words.sentence(error), icon=":material/error:")
            drawn, live = None, None
        if drawn is None:
            request, view = last_request(run) or request, None
            drawn = results.kept_map(run, request)
            if drawn is not None:
                st.caption(f"Showing the last map, by {PROJECTIONS[request.method].label}.")
    if drawn is None:
        return
    if not live:
        state.remember(LAST, (run.id, run.weights_id(), request))
    _canvas(run, request, drawn, live, paint, searched, view)


def last_request(run: Run) -> MapRequest | None:
    """The last map shown for the run's current weights, or None."""
    id, mark, last = state.recall(LAST, ("", "", None))
    return last if id == run.id and mark == run.weights_id() else None


def _drawn(run: Run, request: MapRequest) -> tuple[Map | None, str | None]:
    """The map and, while it is computed, the URL path of its next frames; (None, None) if there is no map."""
    method = PROJECTIONS[request.method]
    job = results.map_job(run, request)
    working = method.slow and is_active(job)
    kept = results.kept_map(run, request)
    if kept is None and not method.slow:
        return results.project(run, request), None
    if kept is None and not working:
        method.check_installed()
        if not map_jobs.starts_automatically(run, request):
            map_jobs.offer(run, request)
            return None, None
        map_jobs.start_map(run, request)
        working = True
    if not working:
        return kept, None
    map_jobs.progress(run, request)
    return map_jobs.map_so_far(run, request), address("frame", run.id, job.path.name)


@st.fragment
def _canvas(
    run: Run,
    request: MapRequest,
    drawn: Map,
    live: str | None,
    paint: Paint,
    searched: str,
    view: dict[str, Any] | None,
) -> None:
    """Draw the map and its selection; interactions rerun this fragment only."""
    page_if_asked()
    dims, dense = drawn.points.shape[1], len(drawn.points) > scenes.MOST_DOTS
    with st.container(horizontal=True, gap="small"):
        how = display_options(run, dims, dense)
        if not live:
            export_map(run, request, dims)
    notes = st.container(key="map_said")  # always present: elements that appear above the map would recreate it
    found = find(cache.images_if_here(run), drawn.index, run.config().data.classes, searched)
    if searched.strip() and not len(found):
        notes.caption(f"No dot on this map matches {words.plain(searched.strip())}.")
    with notes:
        colours = painted(run, request, drawn, paint)
    if colours.note:
        notes.caption(words.plain(colours.note))
    scene = scenes.scene_of(run, request, drawn, colours, mode=how.show, height=HEIGHT, live=live)
    chosen = how.choices() | {"colour": paint.id}
    scene = replace(
        scene,
        tool=how.tool,
        grid=how.grid,
        found=scenes.found_of(drawn, found, dense=how.show == "density"),
        view=view,
        picked=np.flatnonzero(np.isin(drawn.index, selection.picked(run, request.split))),
        names=scenes.names_of(run, request, drawn, colours) if how.names and not live else (),
        means=scenes.means_of(run, request, drawn) if how.show == "means" and not live else (),
        stars=placed_images.stars(run, request, drawn) if not live else (),
        link=link_of(request, paint.settings, chosen),
    )
    latent_map(
        scene, key="map", on_picked=lambda news: selection.receive(run, request.split, drawn, news),
        on_dropped=your_images.take,
    )  # fmt: skip
    placed_images.placed_images_row(run)
    selection.selection_strip(run, request.split, selection.picked(run, request.split), dims)


def place_on_map(run: Run, chosen: Chosen) -> None:
    """View On the map: a map of the run with the chosen images at their codes."""
    kept = [name for name in PROJECTIONS if results.kept_map(run, _usual(name))]
    offered = [name for name in PROJECTIONS if name in kept or name == "pca"]
    method = forms.choose(
        offered, offered[0], lambda name: PROJECTIONS[name].label, label="Map", key="place.method",
        label_visibility="collapsed"
    )  # fmt: skip
    request = _usual(method)
    drawn = results.project(run, request)
    classes = run.config().data.classes
    colours = Painted(drawn.labels if classes else None, classes or None, "Label", "label")
    scene = scenes.scene_of(run, request, drawn, colours, mode="dots", height=HEIGHT)
    stars = scenes.stars_of(run, request, drawn, chosen)
    latent_map(replace(scene, tool="pan", stars=stars), key="place")


def _usual(method: str) -> MapRequest:
    return MapRequest(method=method, settings={"dims": 2})


def map_facts(run: Run, request: MapRequest) -> None:
    """Show the map's statistics and quality scores under the controls."""
    drawn = results.kept_map(run, request)
    if drawn is None or is_active(results.map_job(run, request)):
        return
    numbers: dict[str, tuple[str, str]] = {
        "Points": (f"{len(drawn.points):,}", f"{words.label(request.split)} images.")
    }
    ratio = drawn.notes.get("explained_variance_ratio")
    if ratio:
        numbers["Variance shown"] = (f"{sum(ratio):.0%}", "Share of the codes' variance captured by these axes.")
    requested = results.lowered_from(drawn, request)
    if requested is not None:
        numbers["Perplexity"] = (
            words.number(drawn.notes["perplexity"]),
            f"Lowered from {requested:g}, because there are too few codes.",
        )
    if drawn.notes.get("kl_divergence") is not None:
        numbers["KL divergence"] = (
            words.number(drawn.notes["kl_divergence"]),
            "The t-SNE objective. Compare it only between maps of the same codes.",
        )
    judged = results.kept_quality(run, request)
    if judged is None and len(drawn.points) <= JUDGED_AT_ONCE:
        judged = results.quality(run, request)
    numbers |= _quality(judged)
    with st.container(gap=None, key="facts"):
        for name, (value, meaning) in numbers.items():
            st.caption(f"{name} **{value}**", help=meaning)
    if judged is None:
        map_jobs.quality_progress(run, request)
    map_jobs.resume_button(run, request, drawn)
    if request.method == "pca":
        st.button(
            "Explained variance", icon=":material/bar_chart:", width="stretch", key="map.variance", on_click=_variance,
            args=(run, request.split),
        )  # fmt: skip


@st.dialog("Explained variance", width="medium")
def _variance(run: Run, split: Split) -> None:
    """Draw the explained variance of each principal component."""
    ratio = variance_ratio(results.codes(run, split).z)
    st.plotly_chart(
        plots.variance_bars(ratio, height=360), key="variance", config={"displayModeBar": False},
        alt="Explained variance by principal component",
    )  # fmt: skip


def _quality(judged: dict[str, Any] | None) -> dict[str, tuple[str, str]]:
    if judged is None:
        return {}
    meanings = {
        "trustworthiness": "Whether neighbours on the map are neighbours in the codes; 1 is perfect (k = 15).",
        "continuity": "Whether neighbours in the codes are neighbours on the map; 1 is perfect (k = 15).",
        "knn_map": "How often the 10 nearest dots predict an image's label (5-fold cross-validation).",
        "knn_codes": "The same in latent space: the accuracy the map could reach.",
    }
    return {words.label(name): (words.number(judged.get(name)), meaning) for name, meaning in meanings.items()}
