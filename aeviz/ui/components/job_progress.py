"""Progress of a running job, which any session can cancel."""

import streamlit as st

from aeviz.jobs import Job
from aeviz.ui import words
from aeviz.ui.frame import redraw

POLL_SECONDS = 0.25


def is_active(job: Job) -> bool:
    """Whether the job is running or queued."""
    return job.is_alive() or (job.path.exists() and job.status().state == "queued")


@st.fragment(run_every=POLL_SECONDS)
def job_progress(job: Job, key: str) -> None:
    """Draw a job's progress and its cancel button; redraw the page when the job ends."""
    if not is_active(job):
        redraw()
    status = job.status()
    share = min(1.0, status.done / status.total) if status.total else 0.0
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(share, text=words.plain(status.message or "Starting …"))
        if st.button("Cancel", icon=":material/close:", key=key):
            job.ask("stop")
            st.toast("Cancelling …", icon=":material/close:")  # takes effect at the next step of the process
