"""Sample scores, computed by a job and shown with the training images as baseline."""

from typing import Any

import streamlit as st

from aeviz import jobs, results
from aeviz.results import SampleRequest
from aeviz.runs import Run
from aeviz.ui import cache, warm, words
from aeviz.ui.components.job_progress import is_active, job_progress

NUMBERS = {
    "frechet": (
        "Fréchet distance",
        "Distance between Gaussian fits to the features of samples and test images; 0 is best.",
    ),
    "precision": ("Precision", "Share of samples that are close to test images: how realistic they are."),
    "recall": ("Recall", "Share of test images that are close to samples: how much of the data they cover."),
}
FEATURES = {
    "classifier": "Uses features of a small classifier trained on this data set, shared by all its runs.",
    "encoder": "Uses the codes of this run's own encoder, because the data set has no classes to train a classifier "
    "on. "
    "Compare scores within this run only.",
}


def sample_scores(run: Run, request: SampleRequest) -> None:
    """Draw the scores of samples and of training images, or the button that starts scoring."""
    st.markdown("**Sample quality**")
    if cache.images_if_here(run) is None:
        st.caption("Scoring needs the images of the data set, which are not here.")
        return
    kept = results.kept_sample_score(run, request)
    if kept is not None:
        _scores(kept)
        return
    job = results.sample_score_job(run, request)
    if is_active(job):
        job_progress(job, "samples.cancel")
        return
    if job.path.exists() and job.status().state != "done":
        st.caption(words.sentence(job.status().message or "scoring did not finish"))
    st.button(
        "Score samples", icon=":material/balance:", key="samples.judge", on_click=_start, args=(run, request),
        width="stretch",
        help="Compares up to 5,000 new samples with as many test images. Takes about a minute; the result is saved.",
    )  # fmt: skip
    st.caption("Fréchet distance, precision and recall against the test images, with the training images as baseline.")


def _scores(kept: dict[str, Any]) -> None:
    floor = kept["floor"]
    for name, (label, meaning) in NUMBERS.items():
        with st.container(gap=None):
            st.metric(label, words.number(kept[name]), help=meaning)
            st.caption(f"Training images: {words.number(floor[name])}")
    st.caption(f"{FEATURES[kept['features']]} {kept['n']:,} images per side.")


def _start(run: Run, request: SampleRequest) -> None:
    job = results.sample_score_job(run, request)
    job = jobs.create(job.path.parent, job.path.name)
    of_class = () if request.label is None else ("--class", run.config().data.classes[request.label])
    warm.spare().start(
        job, "sample", run.id, "--from", request.sampler, "--seed", str(request.seed), "--temperature",
        str(request.temperature),
        "--components", str(request.components), *of_class, "--score", "--job", str(job.path),
    )  # fmt: skip
