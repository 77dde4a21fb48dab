"""Page Home: introduction, demo, runs and data sets."""

import streamlit as st

from aeviz import data, training
from aeviz.models.device import device_name, resolve_device
from aeviz.runs import Run, TrainingConfig, list_runs
from aeviz.training import Recipe
from aeviz.ui import cache, menu, show, state, words
from aeviz.ui.components.train.start import start_run
from aeviz.ui.frame import catch_errors

DEMO = Recipe(
    model={"variant": "vae", "latent_dim": 8, "body": {"name": "dense", "widths": (256, 64)}},
    training=TrainingConfig(epochs=100, batch_size=64, loss="bernoulli", learning_rate=2e-3),
)
SHOWN = 6


def intro() -> bool:
    """Draw the introduction and the demo; returns whether the demo is running."""
    st.markdown("#### Train autoencoders on your images, watch them learn, and explore their latent space.")
    first = next((run for run in list_runs() if run.id == state.recall("first")), None)
    if first:
        _demo_progress(first)
        return True
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Run the demo on digits",
            type="primary",
            icon=":material/play_arrow:",
            key="first",
            on_click=catch_errors(_start_demo),
        )
        st.caption(
            "Trains a small VAE in a few seconds, then opens its map. "
            f":material/memory: {words.plain(device_name(resolve_device('auto')))}",
            width="content",
        )
    return False


def _start_demo() -> None:
    run = training.prepare(DEMO, cache.dataset("digits", {}))
    start_run(run)
    state.remember("first", run.id)


@st.fragment(run_every=0.3)
def _demo_progress(run: Run) -> None:
    """Show the demo's training, then open its map."""
    status, total = run.status(), run.config().training.epochs
    if not run.is_live():
        state.remember("first", None)
        menu.go("map" if status.state == "done" else "train")
    preview = run.path / "preview.webp"
    with st.container(border=True):
        text = f"Epoch {status.epoch} of {total}" if status.epoch else (status.message or "Starting …")
        st.progress(min(1.0, status.epoch / total), text=words.plain(text))
        if preview.exists():
            show.cached_picture(preview.read_bytes(), "Images above, their reconstructions below")
        st.button("Stop", icon=":material/stop:", key="first.stop", on_click=run.ask, args=("stop",))


def overview() -> None:
    """Draw the lists of runs and data sets."""
    runs, sets = st.columns(2, gap="large")
    with runs:
        st.subheader("Runs", anchor=False)
        found = list_runs()
        for run in found[:SHOWN]:
            _run_row(run)
        if not found:
            st.caption("No runs yet. Train the first one with the button above.")
        if len(found) > SHOWN:
            st.page_link(menu.MENU["runs"].path, label=f"All {len(found)} runs", icon=menu.MENU["runs"].icon)
    with sets:
        st.subheader("Images", anchor=False)
        for info in data.list_data():
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{words.plain(info.label)}**", width="content")
                size = f"{info.n:,} × {words.shape(info.shape)}" if info.n and info.shape else ""
                st.caption(size if info.ready else f"{size} · not downloaded", width="content")
        st.page_link(menu.MENU["data"].path, label="Browse data sets or import images", icon=menu.MENU["data"].icon)


def _run_row(run: Run) -> None:
    """Draw a run with preview, title and state; a click on the title selects and opens it."""
    config, preview = run.config(), run.path / "preview.webp"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if preview.exists():
            show.cached_picture(preview.read_bytes(), "Images above, their reconstructions below", 150)
        opened = st.button(
            words.plain(words.run_title(config, run.note().title)), key=f"open.{run.id}", type="tertiary",
            on_click=state.choose_run, args=(run,), help="Open this run.",
        )  # fmt: skip
        show.state_badge(run.status().state)
        st.caption(words.when(config.created), width="content")
    if opened:
        menu.go("map" if run.has_weights() else "train")
