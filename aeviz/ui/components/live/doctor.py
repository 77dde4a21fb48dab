"""The training doctor's most important finding, and a button that applies its cure."""

import json
from typing import Any

import streamlit as st

from aeviz import training
from aeviz.config import override
from aeviz.jobs import Status
from aeviz.runs import Run, RunConfig
from aeviz.training.doctor.diagnosis import Finding, diagnose
from aeviz.ui import state, warm, words
from aeviz.ui.components.live.follow import Follower
from aeviz.ui.components.train.start import start_run
from aeviz.ui.frame import catch_errors

HEIGHT = 54  # two lines; a narrow window takes what it needs
SOON = 8  # metrics lines needed for a verdict


def doctor_line(run: Run, status: Status, config: RunConfig, follower: Follower) -> None:
    """Draw the most important finding with its cure, or that there is none; the height is fixed."""
    settings = json.dumps(config.to_json(), sort_keys=True)
    findings = _findings(run.id, len(follower.lines), settings, status.state, config, follower.lines)
    with st.container(
        height="content" if state.is_narrow() else HEIGHT, border=False, key="doctor", vertical_alignment="center"
    ):
        if findings:
            _finding(run, findings, status.state != "done")
        else:
            quiet = "No problems found." if len(follower.lines) >= SOON else "Checking the training …"
            st.caption(f":material/stethoscope: {quiet}")


def _finding(run: Run, findings: list[Finding], goes_on: bool) -> None:
    """Draw the first finding and its cure, with the others in the tooltip; finished trainings can only restart."""
    first, others = findings[0], findings[1:]
    text, cure = st.columns([3, 2], vertical_alignment="center")
    more = f" :gray-badge[{len(others)} more]" if others else ""
    text.markdown(
        f":orange[:material/stethoscope: **{words.plain(first.title)}.**] {words.sentence(first.sentence)}{more}",
        help="\n".join(f"- **{words.plain(one.title)}.** {words.sentence(one.sentence)}" for one in findings),
    )
    if first.cure and (goes_on or first.again):
        cure.button(
            first.cure_label, key="cure", icon=":material/healing:", on_click=catch_errors(apply_cure),
            args=(run, first),
            width="stretch", help=_cure_in_words(first),
        )  # fmt: skip


def _cure_in_words(finding: Finding) -> str:
    values = ", ".join(
        f"{words.label(path.rpartition('.')[2])} = {words.number(value) if isinstance(value, int | float) else value}"
        for path, value in finding.cure.items()
    )
    return words.plain(f"{values}, in a new run" if finding.again else values)


@st.cache_data(max_entries=32, show_spinner=False)
def _findings(
    run_id: str, lines: int, settings: str, at: str, _config: RunConfig, _lines: list[dict[str, Any]]
) -> list[Finding]:
    return diagnose(_config, _lines, at)


def apply_cure(run: Run, finding: Finding) -> None:
    """Apply a cure: change live settings or the network, or else train a new run."""
    config, cure = run.config(), finding.cure
    if not finding.again and set(cure) <= set(training.live_paths(config)):
        for path, value in cure.items():
            training.turn(run, path, value)
    elif not finding.again and all(path.startswith("model.") for path in cure):
        model = _overridden(config.to_json(), cure)["model"]
        fresh = {name: value for name, value in model.items() if name != "sample_shape"}
        training.change(run, fresh, warm.spare().start)
    else:
        again = training.restart(run)
        again.write_config(RunConfig.parse(_overridden(again.config().to_json(), cure)))
        start_run(again, f"{words.run_title(config, run.note().title)}, fixed")


def _overridden(values: dict[str, Any], cure: dict[str, Any]) -> dict[str, Any]:
    for path, value in cure.items():
        override(values, path.split("."), value)
    return values
