"""Jobs of slow maps: start, progress, stop and continue."""

import math

import streamlit as st

from aeviz import jobs, results
from aeviz.jobs import Job
from aeviz.latent.projections.register import PROJECTIONS
from aeviz.results import Map, MapRequest
from aeviz.runs import Run
from aeviz.ui import warm, words
from aeviz.ui.components.job_progress import is_active
from aeviz.ui.frame import redraw

AT_ONCE = 20_000  # codes up to which a slow map starts automatically


def starts_automatically(run: Run, request: MapRequest) -> bool:
    """Whether a map starts automatically: with default settings, few codes, and no earlier attempt."""
    usual = PROJECTIONS[request.method].Settings().to_json()
    same = {name: value for name, value in request.written_out().settings.items() if name != "dims"}
    few = run.config().data.splits[request.split] <= AT_ONCE
    untried = not results.map_job(run, request).path.exists()
    return few and untried and same == {name: value for name, value in usual.items() if name != "dims"}


def start_map(run: Run, request: MapRequest, go_on: bool = False) -> None:
    """Start the job that computes or continues a map."""
    job, further = _created(results.map_job(run, request)), ["--go-on"] if go_on else []
    if not go_on:
        results.drop_frame(run, request)
    warm.spare().start(job, "project", run.id, *request.options(), "--no-judge", *further, "--job", str(job.path))


def _created(job: Job) -> Job:
    return jobs.create(job.path.parent, job.path.name)


@st.fragment(run_every=0.5)
def quality_progress(run: Run, request: MapRequest) -> None:
    """Compute the map's quality in a job, and show its progress or failure."""
    job = results.quality_job(run, request)
    if results.kept_quality(run, request) is not None:
        redraw()
    if not job.path.exists() or job.status().state == "done":  # outdated: the map has been continued since
        # No user waits for it, so it does not use the spare process.
        jobs.start(_created(job), "project", run.id, *request.options(), "--job", str(job.path))
    if is_active(job):
        st.caption(":material/hourglass_top: Computing map quality …")
    else:
        st.caption(words.sentence(job.status().message or "the map quality could not be computed"))


def map_so_far(run: Run, request: MapRequest) -> Map:
    """The current state of a map under computation, initially its PCA start; it cannot place new images."""
    start = results.project(
        run, MapRequest(method="pca", split=request.split, settings={"dims": request.settings["dims"]})
    )
    frame = results.map_frame(run, request)
    points = start.points if frame is None else frame.points
    return Map(points, start.labels, start.index, {}, 0.0, start.projection)


def offer(run: Run, request: MapRequest) -> None:
    """Draw the button that starts a slow map, and how the last attempt ended."""
    job, label = results.map_job(run, request), PROJECTIONS[request.method].label
    count = run.config().data.splits[request.split]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            f"Draw {label}", type="primary", icon=":material/scatter_plot:", key="map.draw", on_click=start_map,
            args=(run, request)
        )  # fmt: skip
        status = job.status() if job.path.exists() else None
        if status and status.state == "stopped":
            st.caption(words.sentence(status.message))
        elif status is None or status.state not in ("failed", "interrupted"):
            st.caption(f"from {count:,} codes. The result is saved.")
    if status and status.state in ("failed", "interrupted"):
        st.error(words.sentence(status.message or "the computation was interrupted"), icon=":material/error:")


@st.fragment(run_every=0.5)
def progress(run: Run, request: MapRequest) -> None:
    """Draw the map job's progress with an estimate of the remaining time, and the stop button."""
    job = results.map_job(run, request)
    if not is_active(job):
        redraw()
    status, frame = job.status(), results.map_frame(run, request)
    parts = [words.plain(status.message or "Starting …")]
    if frame is not None and frame.iteration:
        parts = [f"Iteration {frame.iteration:,} of {frame.iterations:,}"]
        if math.isfinite(frame.kl):
            parts.append(f"KL divergence {frame.kl:.3f}")
        if math.isfinite(frame.seconds_left):
            parts.append(f"about {words.duration(frame.seconds_left)} left")
    share = min(1.0, status.done / status.total) if status.total else 0.0
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(share, text=" · ".join(parts))
        st.button(
            "Stop", icon=":material/stop:", key="map.stop", on_click=job.ask, args=("stop",),
            help="Keep the map as it is now. You can continue it later."
        )  # fmt: skip


def resume_button(run: Run, request: MapRequest, drawn: Map) -> None:
    """Draw the button that continues a stopped map or refines a finished one."""
    if "iterations" not in drawn.notes:
        return
    stopped = drawn.notes.get("stopped_at")
    done = stopped or drawn.notes["iterations"]
    st.button(
        "Continue", icon=":material/play_arrow:", key="map.go_on", on_click=start_map, args=(run, request, True),
        help=f"{'Stopped' if stopped else 'Finished'} after {done:,} iterations. Continues from there.",
    )  # fmt: skip
