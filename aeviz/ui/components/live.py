"""A training as one watches it: how far, how fast, the loss, the pictures, and the buttons."""

from typing import Any

import streamlit as st

from aeviz import plots, training
from aeviz.jobs import Status
from aeviz.models import LOSSES
from aeviz.runs import Run, RunConfig
from aeviz.ui import frame, show, warm, words

POLL_SECONDS = 0.5
FIRST_SECONDS = 0.1
IDLE_SECONDS = 2.0
CHART_HEIGHT = 380
FEW_EPOCHS = 5


def live_panel(run: Run) -> None:
    """Draw a run's training; looks again twice a second for as long as it is at work."""
    live, waiting = run.is_live(), not _has_begun(run)
    pace = (FIRST_SECONDS if waiting else POLL_SECONDS) if live else None
    # One fragment whatever the pace: a look under way when the pace changes still finds it.
    st.fragment(_watching, run_every=pace)(run, live, waiting)
    if not live:
        _notice_revival(run)


@st.fragment(run_every=IDLE_SECONDS)
def _notice_revival(run: Run) -> None:
    """Another tab, or the command line, may take the run up again."""
    if not run.path.exists() or run.is_live():
        st.rerun()


def _watching(run: Run, live: bool, waiting: bool) -> None:
    """Look once, or again and again; quickly until the first loss is there."""
    if not run.path.exists():
        st.rerun()
    _panel(run)
    if run.is_live() != live or (live and waiting and _has_begun(run)):
        st.rerun()


def _has_begun(run: Run) -> bool:
    return any(line["step"] > 0 for line in run.metrics()[:3])


def _panel(run: Run) -> None:
    status, metrics, config = run.status(), run.metrics(), run.config()
    _buttons(run, status)
    _figures(run, status, metrics, config)
    if status.message and status.state in ("diverged", "failed"):
        st.error(words.plain(status.message), icon=":material/error:")
    if status.state == "interrupted":
        st.warning("The training was interrupted. Continue takes it up at its last checkpoint.")
    st.plotly_chart(
        plots.loss_curves(loss_series(metrics, _steps(config)), y_label=LOSSES[config.training.loss].unit, height=CHART_HEIGHT),
        key="loss_chart", config={"displayModeBar": False}, alt="Loss over epochs",
    )  # fmt: skip
    preview = run.path / "preview.webp"
    if preview.exists():
        show.picture(preview.read_bytes(), "Validation images above, their reconstructions below")
        st.caption("Validation images above, what the network makes of them below.")


def _figures(run: Run, status: Status, metrics: list[dict[str, Any]], config: RunConfig) -> None:
    """The numbers in one row, and how far the training is."""
    speeds = [line["images_per_s"] for line in metrics[-8:] if line.get("images_per_s")]
    seconds = metrics[-1]["seconds"] if metrics else 0.0
    share = _share(status, metrics, config)
    left = seconds * (1 - share) / share if share > 0 and status.state == "running" else None
    resolved, psnr = config.resolved, run.psnr()
    shown = {
        "Epoch": f"{status.epoch} / {config.training.epochs}",
        "Validation": f"{psnr:.2f} dB" if psnr else "–",
        "Speed": f"{words.count(sum(speeds) / len(speeds))} img/s" if speeds else "–",
        "Time left" if status.state == "running" else "Time": words.duration(seconds if left is None else left),
        "Device": resolved.device.upper() if resolved else "–",
    }
    with st.container(horizontal=True, gap="medium"):
        for name, value in shown.items():
            st.metric(name, value, width="content")
    st.progress(share)


def _share(status: Status, metrics: list[dict[str, Any]], config: RunConfig) -> float:
    """The share of all steps that is done."""
    step = max([status.step, *(line.get("step", 0) for line in metrics[-1:])])
    return 1.0 if status.state == "done" else min(1.0, step / (_steps(config) * config.training.epochs))


def _steps(config: RunConfig) -> int:
    """Steps per epoch."""
    return training.steps_per_epoch(config.data.splits["train"], config.training.batch_size)


def _buttons(run: Run, status: Status) -> None:
    """What can be asked of the run in its present state."""
    name, colour, icon = words.STATES[status.state]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(name, icon=icon, color=colour)  # type: ignore[arg-type]
        st.markdown(f"**{words.plain(words.run_title(run.config(), run.note().title))}**", width="stretch")
        if status.state in ("queued", "running"):
            if status.message:
                st.caption(words.plain(status.message), width="content")
            if status.state == "running":
                st.button("Pause", icon=":material/pause:", key="pause", on_click=run.ask, args=("pause",))
            st.button("Stop", icon=":material/stop:", key="stop", on_click=run.ask, args=("stop",))
        elif can_go_on(run, status):
            st.button(
                "Continue",
                icon=":material/play_arrow:",
                key="continue",
                type="primary",
                on_click=frame.said(go_on),
                args=(run,),
            )
        elif status.state == "done":
            st.button(
                f"Train {status.epoch:,} epochs more", icon=":material/more_time:", key="longer", on_click=frame.said(go_on),
                args=(run, 2), help="As many again, from where it stands.",
            )  # fmt: skip


def can_go_on(run: Run, status: Status) -> bool:
    """Whether a run has ended before its last epoch, and not by going astray."""
    ended = status.state in ("paused", "stopped", "failed", "interrupted", "done")
    return ended and status.epoch < run.config().training.epochs


def go_on(run: Run, times: int = 1) -> None:
    """Take a run up again, for as many epochs as it was asked for, or times as many."""
    training.resume(run, run.config().training.epochs * times)
    training.launch(run, warm.spare().start)


def loss_series(metrics: list[dict[str, Any]], steps: int) -> dict[str, tuple[list[float], list[float]]]:
    """Epochs (steps over steps per epoch) and losses by name; a term that equals the total is left out."""
    series: dict[str, tuple[list[float], list[float]]] = {}
    followed = {line["epoch"] for line in metrics if "val" not in line and line["step"] > 1}
    untrained = metrics[:1] if sum("val" in line for line in metrics) > FEW_EPOCHS else []  # it would dwarf the rest
    for line in metrics[len(untrained) :]:
        # An epoch's own mean would stand as a spike among the lines written within the epoch.
        parts = ("val",) if "val" in line and line["epoch"] in followed else ("train", "val")
        for part in parts:
            for term, value in line.get(part, {}).items():
                if term in ("mse", "psnr") or value is None:
                    continue
                x, y = series.setdefault(f"{part} {term}", ([], []))
                x.append(line["step"] / steps)
                y.append(value)
    for part in ("train", "val"):
        if series.get(f"{part} reconstruction") == series.get(f"{part} total"):
            series.pop(f"{part} reconstruction", None)
    return series
