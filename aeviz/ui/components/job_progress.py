"""A job at work: seen, and cancelled, from any tab."""

import streamlit as st

from aeviz.jobs import Job
from aeviz.ui import words
from aeviz.ui.frame import redraw

POLL_SECONDS = 0.25


def is_active(job: Job) -> bool:
    """Whether the job's process is at work, or waits for its turn."""
    return job.is_alive() or (job.path.exists() and job.status().state == "queued")


@st.fragment(run_every=POLL_SECONDS)
def job_progress(job: Job, key: str) -> None:
    """How far a job is and what it does just now, and the button that cancels it; at its end the page is drawn anew."""
    if not is_active(job):
        redraw()
    status = job.status()
    share = min(1.0, status.done / status.total) if status.total else 0.0
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(share, text=words.plain(status.message or "Starting …"))
        if st.button("Cancel", icon=":material/close:", key=key):
            job.ask("stop")
            st.toast("Cancelling …", icon=":material/close:")  # the process hears it at its next step
