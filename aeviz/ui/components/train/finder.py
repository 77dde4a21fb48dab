"""The learning-rate finder: start, progress, curve, and use of the suggestion."""

import hashlib
import json
import shutil
import time
from typing import Any

import streamlit as st

from aeviz import files, jobs, plots, runs
from aeviz.jobs import Job
from aeviz.training import Recipe
from aeviz.ui import warm, words
from aeviz.ui.components.job_progress import is_active, job_progress
from aeviz.ui.frame import catch_errors

KEPT_SECONDS = 24 * 3600.0
# Settings a sweep does not depend on: it sets the rate itself and ends within the first epoch.
NOT_ASKED = ("learning_rate", "schedule", "warmup", "decay", "decay_epochs", "epochs", "patience", "ema")


def rate_finder(recipe: Recipe) -> None:
    """Draw the learning-rate finder for a recipe."""
    job = _job(recipe)
    if is_active(job):
        job_progress(job, "rates.cancel")
        return
    status = job.status()
    found = files.read_json(job.path / "sweep.json")
    st.button(
        "Find a learning rate" if not found else "Find again", icon=":material/troubleshoot:", width="stretch",
        key="rates.find", on_click=catch_errors(_start), args=(recipe,),
        help="Trains a throwaway network for a hundred steps while raising the learning rate, and suggests the rate "
        "where the loss falls fastest.",
    )  # fmt: skip
    if found:
        _found(found)
    elif status.state in ("failed", "stopped", "interrupted") and job.path.exists():
        st.caption(words.sentence(status.message or "the search was interrupted"))


def _found(found: dict[str, Any]) -> None:
    """Draw the curve of a finished sweep and its suggestion."""
    st.plotly_chart(
        plots.sweep_curve(found["rates"], found["losses"], found["suggestion"]), key="rates.curve",
        config={"displayModeBar": False}, alt="The loss over the learning rate",
    )  # fmt: skip
    st.button(
        f"Use {found['suggestion']:g}", icon=":material/check:", width="stretch", key="rates.use",
        on_click=_use, args=(found["suggestion"],),
    )  # fmt: skip


def _use(rate: float) -> None:
    st.session_state["train.learning_rate"] = rate


def _job(recipe: Recipe) -> Job:
    """The job shared by all recipes with the same sweep."""
    values = recipe.to_json()
    values["training"] = {name: value for name, value in values["training"].items() if name not in NOT_ASKED}
    asked = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]
    return Job(runs.runs_root() / ".jobs" / f"rates-{asked}")


def _start(recipe: Recipe) -> None:
    """Start the sweep, and delete jobs older than `KEPT_SECONDS`."""
    wanted = _job(recipe)
    for old in wanted.path.parent.glob("rates-*"):
        if time.time() - old.stat().st_mtime > KEPT_SECONDS and not Job(old).is_alive():
            shutil.rmtree(old, ignore_errors=True)
    job = jobs.create(wanted.path.parent, wanted.path.name)
    (job.path / "sweep.json").unlink(missing_ok=True)
    files.write_json(job.path / "recipe.json", recipe.to_json())
    warm.spare().start(job, "rates", "--config", str(job.path / "recipe.json"), "--job", str(job.path))
