"""The live panel of a training, refreshed periodically."""

import streamlit as st

from aeviz import training
from aeviz.jobs import LIVE
from aeviz.runs import Run
from aeviz.ui import state, words
from aeviz.ui.components.live.doctor import doctor_line
from aeviz.ui.components.live.follow import follow, wait_until
from aeviz.ui.components.live.head import head, numbers
from aeviz.ui.components.live.views import VIEWS, view_switch
from aeviz.ui.frame import redraw

POLL_SECONDS = 0.45
IDLE_SECONDS = 2.0
WAIT_SECONDS = 0.4  # longest wait of a refresh for the first loss


def live_panel(run: Run) -> None:
    """Draw a run's training, refreshed twice a second while it runs."""
    shown = _page_state(run)
    live = run.is_alive() or shown[0] in LIVE  # a paused process accepts requests for a while
    # The same fragment for both intervals, so that a refresh under way still finds it when the interval changes.
    st.fragment(_refresh, run_every=POLL_SECONDS if live else None)(run, shown)
    if not live:
        _redraw_if_resumed(run)


PageState = tuple[str, bool, int, bool]


def _page_state(run: Run) -> PageState:
    """What the rest of the page depends on: state, whether the process is alive, network changes, and undo."""
    return run.status().state, run.is_alive(), follow(run).changes, training.can_undo(run)


@st.fragment(run_every=IDLE_SECONDS)
def _redraw_if_resumed(run: Run) -> None:
    """Redraw if the run was deleted, or resumed by another session or the command line."""
    if not run.path.exists() or run.is_live():
        redraw()


def _refresh(run: Run, shown: PageState) -> None:
    """Refresh the panel; redraw the whole page if the run's state changed or an error is to be shown."""
    if not run.path.exists() or state.current_run() != run or _page_state(run) != shown or state.recall("problem"):
        redraw()
    _panel(run)


def _panel(run: Run) -> None:
    status, config, follower = run.status(), run.config(), follow(run)
    with st.container(gap="xsmall"):
        head(run, status)
        numbers(run, status, config, follower)
        if status.message and status.state in ("diverged", "failed"):
            st.error(words.plain(status.message), icon=":material/error:")
        if status.state == "interrupted":
            st.warning("The training was interrupted. Continue resumes from its last checkpoint.")
        doctor_line(run, status, config, follower)
        view = VIEWS[view_switch()]
        if status.state == "running" or (status.state == "queued" and not status.message):
            wait_until(lambda: follow(run).has_begun, WAIT_SECONDS)
        view(run, config, follower, status.state in LIVE)
