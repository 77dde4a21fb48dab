"""The page Map: the map itself, what is known of it, and what a person has placed and picked on it."""

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
from aeviz.ui.components.images import brought
from aeviz.ui.components.images.pictures import Chosen
from aeviz.ui.components.map import newcomers, scenes, selection, work
from aeviz.ui.components.map.colours import Paint, Painted, painted
from aeviz.ui.components.map.controls import find, looks
from aeviz.ui.components.map.groups import page_if_asked
from aeviz.ui.components.map.link import link_of
from aeviz.ui.components.map.view import latent_map
from aeviz.ui.components.taking_away import take_map
from aeviz.ui.components.working import is_working
from aeviz.ui.serve import address

HEIGHT = 600
JUDGED_AT_ONCE = 2000  # points a map is judged on while one waits: a fraction of a second, once
LAST = "map.last"


def map_canvas(run: Run, request: MapRequest, paint: Paint, searched: str, view: dict[str, Any] | None) -> None:
    """The map: at once where it is kept or quick, while it is computed where it is slow."""
    with st.container(key="map_work"):  # always there, so that nothing below it is drawn anew when it fills
        try:
            drawn, live = _drawn(run, request)
        except AevizError as error:
            st.error(words.sentence(error), icon=":material/error:")
            drawn, live = None, None
        if drawn is None:
            request, view = last_request(run) or request, None
            drawn = results.kept_map(run, request)
            if drawn is not None:
                st.caption(f"Below is still the last map, by {PROJECTIONS[request.method].label}.")
    if drawn is None:
        return
    if not live:
        state.remember(LAST, (run.id, run.weights_id(), request))
    _canvas(run, request, drawn, live, paint, searched, view)


def last_request(run: Run) -> MapRequest | None:
    """The map of a run's present weights that was shown last."""
    id, mark, last = state.recall(LAST, ("", "", None))
    return last if id == run.id and mark == run.weights_id() else None


def _drawn(run: Run, request: MapRequest) -> tuple[Map | None, str | None]:
    """A map, and where its next frames are fetched while it is still computed; nothing before there is anything to see."""
    method = PROJECTIONS[request.method]
    job = results.map_job(run, request)
    working = method.slow and is_working(job)
    kept = results.kept_map(run, request)
    if kept is None and not method.slow:
        return results.project(run, request), None
    if kept is None and not working:
        method.check_installed()
        if not work.begins_by_itself(run, request):
            work.offer(run, request)
            return None, None
        work.start_map(run, request)
        working = True
    if not working:
        return kept, None
    work.progress(run, request)
    return work.map_so_far(run, request), address("frame", run.id, job.path.name)


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
    """The map and what is picked on it; a hand on the map runs this again, not the page."""
    page_if_asked()
    dims, dense = drawn.points.shape[1], len(drawn.points) > scenes.MOST_DOTS
    with st.container(horizontal=True, gap="small"):
        how = looks(run, dims, dense)
        if not live:
            take_map(run, request, dims)
    said = st.container(key="map_said")  # always there: what comes and goes above the map would have it drawn anew
    found = find(cache.images_if_here(run), drawn.index, run.config().data.classes, searched)
    if searched.strip() and not len(found):
        said.caption(f"Nothing on this map is called {words.plain(searched.strip())}.")
    with said:
        colours = painted(run, request, drawn, paint)
    if colours.note:
        said.caption(words.plain(colours.note))
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
        stars=newcomers.stars(run, request, drawn) if not live else (),
        link=link_of(request, paint.settings, chosen),
    )
    latent_map(
        scene, key="map", on_picked=lambda news: selection.hear(run, request.split, drawn, news),
        on_dropped=brought.take,
    )  # fmt: skip
    newcomers.newcomers_line(run)
    selection.selection_strip(run, request.split, selection.picked(run, request.split), dims)


def place_on_map(run: Run, chosen: Chosen) -> None:
    """The run's map with new images on it, each where its code belongs."""
    kept = [name for name in PROJECTIONS if results.kept_map(run, _usual(name))]
    offered = [name for name in PROJECTIONS if name in kept or name == "pca"]
    method = forms.choose(
        offered, offered[0], lambda name: PROJECTIONS[name].label, label="Map", key="place.method", label_visibility="collapsed"
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
    """What the map shows and how far it can be trusted, said under the controls."""
    drawn = results.kept_map(run, request)
    if drawn is None or is_working(results.map_job(run, request)):
        return
    numbers: dict[str, tuple[str, str]] = {
        "Points": (f"{len(drawn.points):,}", f"{words.label(request.split)} images.")
    }
    ratio = drawn.notes.get("explained_variance_ratio")
    if ratio:
        numbers["Variance shown"] = (f"{sum(ratio):.0%}", "Share of the codes' variance that lies in these axes.")
    perplexity, asked = drawn.notes.get("perplexity"), request.written_out().settings.get("perplexity")
    if perplexity and perplexity < asked:
        numbers["Perplexity"] = (words.number(perplexity), f"Asked were {asked:g}; so few codes allow no more.")
    if drawn.notes.get("kl_divergence") is not None:
        numbers["KL divergence"] = (words.number(drawn.notes["kl_divergence"]), "What t-SNE makes small; of use to compare maps of the same codes.")  # fmt: skip
    judged = results.kept_quality(run, request)
    if judged is None and len(drawn.points) <= JUDGED_AT_ONCE:
        judged = results.quality(run, request)
    numbers |= _quality(judged)
    with st.container(gap=None, key="facts"):
        for name, (value, meaning) in numbers.items():
            st.caption(f"{name} **{value}**", help=meaning)
    if judged is None:
        work.judging(run, request)
    work.go_on_button(run, request, drawn)
    if request.method == "pca":
        st.button(
            "Explained variance", icon=":material/bar_chart:", width="stretch", key="map.variance", on_click=_variance,
            args=(run, request.split),
        )  # fmt: skip


@st.dialog("Explained variance", width="medium")
def _variance(run: Run, split: Split) -> None:
    """What each principal component of the codes adds, the drawn ones first."""
    ratio = variance_ratio(results.codes(run, split).z)
    st.plotly_chart(
        plots.variance_bars(ratio, height=360), key="variance", config={"displayModeBar": False},
        alt="Explained variance by principal component",
    )  # fmt: skip


def _quality(judged: dict[str, Any] | None) -> dict[str, tuple[str, str]]:
    if judged is None:
        return {}
    meanings = {
        "trustworthiness": "Are neighbours on the map neighbours in the codes? 1 is perfect (k = 15).",
        "continuity": "Are neighbours in the codes neighbours on the map? 1 is perfect (k = 15).",
        "knn_map": "How often the 10 nearest dots tell an image's label (5-fold).",
        "knn_codes": "The same in the codes themselves: what the map could reach.",
    }
    return {words.label(name): (words.number(judged.get(name)), meaning) for name, meaning in meanings.items()}
