"""The header of a training: state, transport buttons and key numbers."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from aeviz import training
from aeviz.jobs import LIVE, Status
from aeviz.runs import Run, RunConfig
from aeviz.ui import show, warm, words
from aeviz.ui.components.live.follow import Follower, follow, wait_until
from aeviz.ui.components.train.start import start_run
from aeviz.ui.frame import catch_errors

ANSWER_SECONDS = 0.4
HELPS = {"Rate": "The learning rate at the last step, after the schedule."}
MAIN_WIDTH = 160  # of the first button; fixed, so that the others do not move


def head(run: Run, status: Status) -> None:
    """Draw the transport buttons and the run's state; buttons keep their places in all states."""
    can_stop = status.state in LIVE or (status.state == "paused" and run.is_alive())
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="transport"):
        _play_or_pause(run, status)
        _button("Step", "skip_next", _step, run, "Take one optimizer step, then pause.", can_step(run, status))
        _button("Stop", "stop", _stop, run, "Stop training. You can continue it later.", can_stop)
        _button("Restart", "replay", _restart, run, "Start a new run with the same settings. This run is kept.")
        _button(
            "Fork", "call_split", _fork, run, "Start a new run from this run's weights. This run is kept.",
            run.checkpoint.exists(),
        )  # fmt: skip
        show.state_badge(status.state)
        device = run.config().resolved
        if device:
            how = ", with torch's plain kernels" if device.plain else ""
            st.caption(f"on {device.device.upper()}{how}", width="content")
        if status.state in LIVE and status.message:
            st.caption(words.plain(status.message), width="content")


def _button(
    name: str, icon: str, action: Callable[[Run], None], run: Run, help: str, can: bool = True, **more: Any
) -> None:
    st.button(
        name, icon=f":material/{icon}:", key=name.lower(), on_click=catch_errors(action), args=(run,), help=help,
        disabled=not can, **more,
    )  # fmt: skip


def _play_or_pause(run: Run, status: Status) -> None:
    if status.state in LIVE:
        help = "Pause training. Continue resumes at the next step."
        _button("Pause", "pause", _pause, run, help, status.state == "running", width=MAIN_WIDTH)
    elif status.state == "done" and status.epoch >= run.config().training.epochs:
        st.button(
            f"{status.epoch:,} more epochs", icon=":material/more_time:", key="longer", on_click=catch_errors(resume),
            args=(run, 2), help="Train for as many epochs again.", width=MAIN_WIDTH,
        )  # fmt: skip
    else:
        help, can = "Resume from the last step.", can_resume(run, status)
        _button("Continue", "play_arrow", resume, run, help, can, type="primary", width=MAIN_WIDTH)


def can_resume(run: Run, status: Status) -> bool:
    """Whether a run can resume: it ended early, but did not diverge."""
    ended = status.state in ("paused", "stopped", "done") and _has_epochs_left(run, status)
    return ended or status.state in training.CUT_SHORT


def can_step(run: Run, status: Status) -> bool:
    """Whether a single step can be taken: the run is idle and can resume."""
    return status.state != "done" and can_resume(run, status) and _has_epochs_left(run, status)


def _has_epochs_left(run: Run, status: Status) -> bool:
    return status.epoch < run.config().training.epochs


def resume(run: Run, times: int = 1) -> None:
    """Resume a run for its configured epochs, or `times` as many."""
    if times > 1:
        training.resume(run, run.config().training.epochs * times)
    training.play(run, warm.spare().start)
    wait_until(lambda: run.status().state != "paused", ANSWER_SECONDS)


def _pause(run: Run) -> None:
    run.ask("pause")
    wait_until(lambda: run.status().state != "running", ANSWER_SECONDS)


def _stop(run: Run) -> None:
    run.ask("stop")


def _step(run: Run) -> None:
    before = follow(run).step
    training.step(run, warm.spare().start)
    wait_until(lambda: follow(run).step > before and run.status().state == "paused", ANSWER_SECONDS)


def _restart(run: Run) -> None:
    start_run(training.restart(run), f"{_title(run)}, restarted")


def _fork(run: Run) -> None:
    start_run(training.fork(run), f"{_title(run)}, forked")


def _title(run: Run) -> str:
    return words.run_title(run.config(), run.note().title)


def numbers(run: Run, status: Status, config: RunConfig, follower: Follower) -> None:
    """Draw the key numbers in one row, and the progress."""
    share = _share(status, config, follower)
    seconds, running = follower.seconds, status.state == "running"
    left = seconds * (1 - share) / share if share > 0 and running else None
    best, rate = follower.best or {}, follower.lines[-1]["lr"] if follower.lines else None
    speed = sum(follower.speeds) / len(follower.speeds) if follower.speeds else None
    shown = {
        "Epoch": f"{status.epoch} / {config.training.epochs}",
        "Step": f"{max(status.step, follower.step):,}",
        "Validation": words.decibels(best.get("psnr")),
        "SSIM": words.number(best.get("ssim")),
        "Rate": words.number(rate),
        "Images/s": words.count(speed) if speed else "–",
        "Time left" if running else "Time": words.duration(seconds if left is None else left),
    }
    with st.container(horizontal=True, gap="medium", key="live_numbers"):
        for name, value in shown.items():
            st.metric(name, value, width="content", help=HELPS.get(name))
    st.progress(share)


def _share(status: Status, config: RunConfig, follower: Follower) -> float:
    """The share of all steps done."""
    step = max(status.step, follower.step)
    return 1.0 if status.state == "done" else min(1.0, step / (follower.steps_per_epoch * config.training.epochs))
