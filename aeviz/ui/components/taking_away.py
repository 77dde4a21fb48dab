"""Ways out of aeviz: a file at once where that is quick, else made by a process of its own and kept while it holds."""

import tempfile
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aeviz import export, jobs
from aeviz.export import EXPORTS, Export
from aeviz.jobs import Status
from aeviz.models import costs
from aeviz.results import MapRequest
from aeviz.runs import Run, archive, stored_images
from aeviz.ui import cache, warm, words
from aeviz.ui.components.working import is_working, working
from aeviz.ui.frame import kindly, said

WIDTH = 560  # pixels, so that nothing moves when a button says more


def take_run(run: Run) -> None:
    """All the ways out for a run."""
    with st.popover("Take it along", icon=":material/download:", key=f"take.{run.id}", on_change="rerun") as box:
        if not box.open:
            return
        with st.container(width=WIDTH):
            _zip(run)
            for way in EXPORTS.values():
                if way.name != "zip":
                    _way_out(run, way)


def take_map(run: Run, request: MapRequest, dims: int) -> None:
    """The ways out that show a map, for the one that is being looked at."""
    with st.popover("Share", key="take.map", on_change="rerun", help="Take this map along.") as box:
        if not box.open:
            return
        with st.container(width=WIDTH):
            for way in EXPORTS.values():
                if way.shows:
                    _way_out(run, way, request)
                    if dims == 3 and export.stored_export(run, way, request) is None:
                        st.caption("In 3-D nothing is decoded under the pointer.")


def _way_out(run: Run, way: Export, request: MapRequest | None = None) -> None:
    """One way out, with one action: have it made, cancel that, or download it."""
    row, line = _row(way), way.missing()
    if line:
        row.button("Make", icon=":material/build:", key=f"make.{way.name}", disabled=True)
        st.caption(f"Needs `{line}`")
    elif way.slow:
        with kindly():
            _made(run, way, request, row)
    else:
        row.download_button(
            "Download", lambda: _written(run, way), f"{run.id}{way.ending}", key=f"download.{way.name}",
            icon=":material/download:", on_click="ignore",
        )  # fmt: skip


def _row(way: Export) -> DeltaGenerator:
    """What a way out is and what it is for, with place for its action beside."""
    row = st.container(horizontal=True, vertical_alignment="center")
    with row.container(gap=None):
        st.markdown(f"**{way.label}**")
        st.caption(way.help)
    return row


def _made(run: Run, way: Export, request: MapRequest | None, row: DeltaGenerator) -> None:
    """A file that takes a while: how far it is, the file itself, or the button that has it made."""
    job = export.export_job(run, way, request)
    if is_working(job):
        working(job, f"cancel.{way.name}")
        return
    path, status = export.stored_export(run, way, request), job.status() if job.path.exists() else None
    if path is None:
        row.button(
            "Make", icon=":material/build:", key=f"make.{way.name}", on_click=said(_start), args=(run, way, request)
        )
        if status:
            _say_end(status)
        return
    kind = (request or way.shows(run)).method if way.shows else way.name
    row.download_button(
        f"Download ({costs.in_bytes(path.stat().st_size)})", path.read_bytes, f"{run.id}-{kind}{way.ending}",
        key=f"download.{way.name}", icon=":material/download:", type="primary", on_click="ignore",
    )  # fmt: skip
    if status and status.state == "done":
        st.caption(words.plain(status.message))


def _say_end(status: Status) -> None:
    """How the last attempt ended, if it made nothing."""
    if status.state == "stopped":
        st.caption("Cancelled; nothing was kept.")
    elif status.state in ("failed", "interrupted"):
        st.error(words.sentence(status.message or "it was interrupted; make it again"), icon=":material/error:")


def _start(run: Run, way: Export, request: MapRequest | None) -> None:
    """Start the process that makes the file."""
    job = export.export_job(run, way, request)
    job = jobs.create(job.path.parent, job.path.name)
    which = request.options() if request else []
    warm.spare().start(job, "export", run.id, "--to", way.name, *which, "--job", str(job.path))


def _written(run: Run, way: Export) -> bytes:
    """The file of a way that is quick."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / f"{run.id}{way.ending}"
        export.write_export(way.name, run, out)
        return out.read_bytes()


def _zip(run: Run) -> None:
    """The run for aeviz elsewhere, with or without its test images."""
    row, here = _row(EXPORTS["zip"]), cache.images_if_here(run)
    with_images = st.toggle(
        "With up to 2,000 test images", key="with_images", disabled=here is None,
        help="So that the map works where the data set is not.",
    )  # fmt: skip
    row.download_button(
        "Download", lambda: packed(run, with_images), f"{run.id}.zip", "application/zip", key="download.zip",
        icon=":material/download:", on_click="ignore",
    )  # fmt: skip


def packed(run: Run, with_images: bool) -> bytes:
    """The run as a zip, with or without its test images; those that came with it go on as they are."""
    if with_images and not stored_images.has_stored_images(run):
        stored_images.store_images(run, cache.images_of(run))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run.zip"
        archive.export_run(run, out, with_kept=with_images)
        return out.read_bytes()
