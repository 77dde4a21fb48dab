"""Exports of runs and maps: quick ones are downloaded at once, slow ones are created by a job and cached."""

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
from aeviz.ui.components.job_progress import is_active, job_progress
from aeviz.ui.frame import catch_errors, show_errors

WIDTH = 560  # pixels; fixed, so that the layout does not move when a button's label changes


def export_run(run: Run) -> None:
    """Draw the menu of all exports of a run."""
    with st.popover("Export", icon=":material/download:", key=f"take.{run.id}", on_change="rerun") as box:
        if not box.open:
            return
        with st.container(width=WIDTH):
            _zip(run)
            for target in EXPORTS.values():
                if target.name != "zip":
                    _export_row(run, target)


def export_map(run: Run, request: MapRequest, dims: int) -> None:
    """Draw the menu of exports that include the current map."""
    with st.popover("Export", key="take.map", on_change="rerun", help="Export this map.") as box:
        if not box.open:
            return
        with st.container(width=WIDTH):
            for target in EXPORTS.values():
                if target.shows:
                    _export_row(run, target, request)
                    if dims == 3 and export.stored_export(run, target, request) is None:
                        st.caption("3-D exports cannot decode images under the pointer.")


def _export_row(run: Run, target: Export, request: MapRequest | None = None) -> None:
    """Draw one export with its action: create, cancel or download."""
    row, line = _row(target), target.missing()
    if line:
        row.button("Create", icon=":material/build:", key=f"make.{target.name}", disabled=True)
        st.caption(f"Needs `{line}`")
    elif target.slow:
        with show_errors():
            _slow_export(run, target, request, row)
    else:
        row.download_button(
            "Download", lambda: _quick_export(run, target), f"{run.id}{target.ending}", key=f"download.{target.name}",
            icon=":material/download:", on_click="ignore",
        )  # fmt: skip


def _row(target: Export) -> DeltaGenerator:
    """Draw label and help of an export; returns the container for its action."""
    row = st.container(horizontal=True, vertical_alignment="center")
    with row.container(gap=None):
        st.markdown(f"**{target.label}**")
        st.caption(target.help)
    return row


def _slow_export(run: Run, target: Export, request: MapRequest | None, row: DeltaGenerator) -> None:
    """Draw a slow export: the progress of its job, the download, or the button that starts the job."""
    job = export.export_job(run, target, request)
    if is_active(job):
        job_progress(job, f"cancel.{target.name}")
        return
    path, status = export.stored_export(run, target, request), job.status() if job.path.exists() else None
    if path is None:
        row.button(
            "Make",
            icon=":material/build:",
            key=f"make.{target.name}",
            on_click=catch_errors(_start),
            args=(run, target, request),
        )
        if status:
            _last_result(status)
        return
    kind = (request or target.shows(run)).method if target.shows else target.name
    row.download_button(
        f"Download ({costs.in_bytes(path.stat().st_size)})", path.read_bytes, f"{run.id}-{kind}{target.ending}",
        key=f"download.{target.name}", icon=":material/download:", type="primary", on_click="ignore",
    )  # fmt: skip
    if status and status.state == "done":
        st.caption(words.plain(status.message))


def _last_result(status: Status) -> None:
    """Show why the last attempt created nothing."""
    if status.state == "stopped":
        st.caption("Cancelled. Nothing was saved.")
    elif status.state in ("failed", "interrupted"):
        st.error(
            words.sentence(status.message or "the export was interrupted; create it again"), icon=":material/error:"
        )


def _start(run: Run, target: Export, request: MapRequest | None) -> None:
    """Start the export job."""
    job = export.export_job(run, target, request)
    job = jobs.create(job.path.parent, job.path.name)
    which = request.options() if request else []
    warm.spare().start(job, "export", run.id, "--to", target.name, *which, "--job", str(job.path))


def _quick_export(run: Run, target: Export) -> bytes:
    """Write a quick export and return its bytes."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / f"{run.id}{target.ending}"
        export.write_export(target.name, run, out)
        return out.read_bytes()


def _zip(run: Run) -> None:
    """Draw the zip export, optionally with test images."""
    row, here = _row(EXPORTS["zip"]), cache.images_if_here(run)
    with_images = st.toggle(
        "Include up to 2,000 test images", key="with_images", disabled=here is None,
        help="Lets the map work where the data set is not available.",
    )  # fmt: skip
    row.download_button(
        "Download", lambda: packed(run, with_images), f"{run.id}.zip", "application/zip", key="download.zip",
        icon=":material/download:", on_click="ignore",
    )  # fmt: skip


def packed(run: Run, with_images: bool) -> bytes:
    """The run as a zip, optionally with test images; images already stored with the run are kept unchanged."""
    if with_images and not stored_images.has_stored_images(run):
        stored_images.store_images(run, cache.images_of(run))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run.zip"
        archive.export_run(run, out, with_kept=with_images)
        return out.read_bytes()
