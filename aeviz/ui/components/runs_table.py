"""Page Runs: the table of runs, details and actions of the selected run, and import."""

import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from aeviz import results, runs
from aeviz.data import set_label
from aeviz.errors import AevizError
from aeviz.models import VARIANTS, costs
from aeviz.runs import Note, Run, archive
from aeviz.ui import frame, menu, show, state, words
from aeviz.ui.components.export_jobs import export_run
from aeviz.ui.components.live.head import can_resume, resume


def run_table() -> None:
    """Draw the table of runs; a click selects a run."""
    found = runs.list_runs()
    if not found:
        frame.empty_state("No runs yet. Train an autoencoder, or import a run below.")
        return
    rows = [_row(run) for run in found]
    current = state.current_run()
    # The key depends on the selected run, because the ticked row does not follow it otherwise.
    key = f"runs.table.{current.id if current else ''}.{len(found)}"
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, key=key, on_select=lambda: _choose(key, found),
        selection_mode="single-row-required", row_height=44,
        selection_default={"selection": {"rows": _chosen_row(found)}},
        column_config={
            "Preview": st.column_config.ImageColumn(width="medium"),
            "Test PSNR": st.column_config.TextColumn(
                alignment="right", help="Computed from the mean squared error over the test images."
            ),
            "Created": st.column_config.DatetimeColumn(format="D MMM, HH:mm"),
        },
        alt="All runs",
    )  # fmt: skip


def _choose(key: str, found: list[Run]) -> None:
    picked = st.session_state[key].selection.rows
    if picked and picked[0] < len(found):
        state.choose_run(found[picked[0]])


def _chosen_row(found: list[Run]) -> list[int]:
    current = state.current_run()
    return [next((place for place, run in enumerate(found) if current and run.id == current.id), 0)]


def _row(run: Run) -> dict[str, Any]:
    config, status, metrics = run.config(), run.status(), run.metrics()
    preview = run.path / "preview.webp"
    return {
        "Preview": show.address(preview.read_bytes()) if preview.exists() else None,
        "Title": words.run_title(config, run.note().title),
        "Data": set_label(config.data.name),
        "Autoencoder": VARIANTS[config.model.variant].label,
        "Latent": config.model.latent_dim,
        "State": words.STATES[status.state][0],
        "Test PSNR": words.decibels(results.kept_psnr(run)),
        "Time": words.duration(metrics[-1]["seconds"]) if metrics else "–",
        "Created": pd.Timestamp(config.created, unit="s", tz="UTC"),
        "Size": costs.in_bytes(sum(file.stat().st_size for file in run.path.rglob("*") if file.is_file())),
    }


def details() -> None:
    """Draw the selected run: title, note, settings and actions."""
    run = state.current_run()
    if run is None:
        return
    note, status = run.note(), run.status()
    st.subheader(words.plain(words.run_title(run.config(), note.title)), anchor=False)
    if status.message:
        st.caption(words.plain(status.message))
    with st.container(horizontal=True, vertical_alignment="center"):
        if run.has_weights() and st.button("Open map", icon=":material/scatter_plot:", type="primary", key="open"):
            menu.go("map")
        if can_resume(run, status):
            st.button(
                "Continue",
                icon=":material/play_arrow:",
                key="runs.continue",
                on_click=frame.catch_errors(resume),
                args=(run,),
            )
        if run.has_weights():
            export_run(run)
        _delete(run)
    title = st.text_input(
        "Title", note.title, key=f"title.{run.id}", max_chars=120, placeholder=words.run_title(run.config())
    )
    text = st.text_area(
        "Note", note.note, key=f"note.{run.id}", max_chars=5000, placeholder="What did you try? What did you see?"
    )
    if (title, text) != (note.title, note.note):
        run.write_note(Note(title=title, note=text))
        st.rerun()
    with st.expander("Training settings", icon=":material/tune:"):
        config = run.config()
        st.json(
            {
                "data": config.data.params,
                "model": config.model.to_json(),
                "training": config.training.to_json(),
                "seed": config.seed,
            }
        )


def _delete(run: Run) -> None:
    """Draw the delete button with its confirmation."""
    with st.popover(
        "Delete",
        icon=":material/delete:",
        key=f"delete.{run.id}",
        disabled=run.is_live(),
        help="Stop the training first." if run.is_live() else None,
    ):
        named = words.plain(words.run_title(run.config(), run.note().title))
        st.markdown(f"Delete **{named}** and all its files? This cannot be undone.")
        st.button("Delete run", type="primary", key="delete.yes", on_click=frame.catch_errors(_deleted), args=(run,))


def _deleted(run: Run) -> None:
    runs.delete(run)
    state.choose_run(next(iter(runs.list_runs()), None))
    st.toast("Run deleted.", icon=":material/delete:")


def load_zip() -> None:
    """Draw the import of a run from a zip."""
    st.subheader("Import a run", anchor=False)
    st.caption("A zip exported from this or another aeviz. Only JSON and safetensors files are accepted.")
    serial = state.recall("runs.upload", 0)
    file = st.file_uploader("Zip of a run", type=["zip"], key=f"runs.zip.{serial}", label_visibility="collapsed")
    if file is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / (Path(file.name).name or "run.zip")
        path.write_bytes(file.getvalue())
        try:
            run = archive.import_run(path)
        except AevizError as error:
            st.error(words.sentence(error), icon=":material/error:")
            return
    state.remember("runs.upload", serial + 1)
    state.choose_run(run)
    st.toast("Run imported.", icon=":material/check:")
    st.rerun()
