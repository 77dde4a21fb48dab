"""Pickers shared by several pages: run and data set."""

import streamlit as st

from aeviz import data
from aeviz.errors import AevizError
from aeviz.runs import Run, list_runs
from aeviz.ui import show, state, words


def run_picker() -> None:
    """Select the run, and show its preview; drawn by the main script so that it persists across pages."""
    runs = list_runs()
    ids = [run.id for run in runs]
    if not ids:
        st.caption("No runs yet. Your runs will be listed here.")
        return
    missing = state.follow_address(ids)
    named = titles(runs)
    st.selectbox(
        "Run", ids, key=state.picker(), on_change=state.picked, format_func=lambda id: named.get(id, id),
        help="All pages show this run. The page address contains it, so links keep it.",
    )  # fmt: skip
    state.write_address()
    if missing:
        st.caption(f":material/link_off: The run {words.plain(missing)} in the page address does not exist.")
    run = state.current_run()
    if run:
        _portrait(run)


def titles(runs: list[Run]) -> dict[str, str]:
    """Title of each run by ID; equal titles are distinguished by time and, if it differs, body."""
    named = {run.id: _title(run) for run in runs}
    alike = {title: [body for other, _, body in named.values() if other == title] for title, _, _ in named.values()}
    return {
        id: " ".join([*([when] if len(alike[title]) > 1 else []), title,
        *([f"· {body}"] if len(set(alike[title])) > 1 else [])])
        for id, (title, when, body) in named.items()
    }  # fmt: skip


def _title(run: Run) -> tuple[str, str, str]:
    """A run's title, creation time and body."""
    try:
        config = run.config()
        title, when = words.run_title(config, run.note().title), words.when(config.created, seconds=True)
        return title, when, words.label(config.model.body.name).lower()
    except AevizError:
        return run.id, "", ""


def _portrait(run: Run) -> None:
    """Show the run's preview and state, refreshed while it trains."""
    st.fragment(_picture, run_every=2.0 if run.is_live() else None)(run)


def _picture(run: Run) -> None:
    if not run.path.exists():
        return
    psnr = run.psnr()
    with st.container(horizontal=True, vertical_alignment="center"):
        show.state_badge(run.status().state)
        if psnr:
            st.caption(f"{psnr:.1f} dB on validation", width="content")
    preview = run.path / "preview.webp"
    if preview.exists():
        show.cached_picture(show.cached_bytes(preview), "Images above, their reconstructions below")


def data_picker(key: str) -> data.DataInfo:
    """Select a data set; those not downloaded are marked."""
    infos = {info.name: info for info in data.list_data()}
    chosen = st.selectbox(
        "Images",
        list(infos),
        key=key,
        format_func=lambda name: infos[name].label + ("" if infos[name].ready else " ↓"),
        help="Built-in data sets are always available. Public ones (↓) are downloaded once. Import your own on the "
        "page Data.",
        persist_state="session",
    )
    return infos[chosen or next(iter(infos))]
