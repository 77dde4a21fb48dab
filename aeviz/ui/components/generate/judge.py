"""Are the samples good? Measured in a process of its own, beside what real images reach."""

from typing import Any

import streamlit as st

from aeviz import jobs, results
from aeviz.results import SampleRequest
from aeviz.runs import Run
from aeviz.ui import cache, warm, words
from aeviz.ui.components.job_progress import is_active, job_progress

NUMBERS = {
    "frechet": ("Fréchet distance", "How far the samples' features are from those of test images, as Gaussians; 0 is best."),
    "precision": ("Precision", "Share of the samples that lie among the test images: are they real?"),
    "recall": ("Recall", "Share of the test images that lie among the samples: is nothing left out?"),
}  # fmt: skip
FEATURES = {
    "classifier": "Compared by the features of a small classifier trained on this set, the same for all of its runs.",
    "encoder": "Compared by the codes of this run's own encoder: the set has no classes to train a judge on, so numbers compare within the run only.",
}  # fmt: skip


def judge(run: Run, request: SampleRequest) -> None:
    """The scores of such samples, with those of real images beside; or the button that has them measured."""
    st.markdown("**Are they good?**")
    if cache.images_if_here(run) is None:
        st.caption("It takes the images of the set to say so, and they are not here.")
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
        st.caption(words.sentence(job.status().message or "it was not finished"))
    st.button(
        "Judge them", icon=":material/balance:", key="samples.judge", on_click=_start, args=(run, request), width="stretch",
        help="Up to 5,000 new samples against as many test images; takes a minute or so, once.",
    )  # fmt: skip
    st.caption("Fréchet distance, precision and recall against the test images, beside what the training images reach.")


def _scores(kept: dict[str, Any]) -> None:
    floor = kept["floor"]
    for name, (label, meaning) in NUMBERS.items():
        with st.container(gap=None):
            st.metric(label, words.number(kept[name]), help=meaning)
            st.caption(f"Training images: {words.number(floor[name])}")
    st.caption(f"{FEATURES[kept['features']]} {kept['n']:,} images a side.")


def _start(run: Run, request: SampleRequest) -> None:
    job = results.sample_score_job(run, request)
    job = jobs.create(job.path.parent, job.path.name)
    of_class = () if request.label is None else ("--class", run.config().data.classes[request.label])
    warm.spare().start(
        job, "sample", run.id, "--from", request.sampler, "--seed", str(request.seed), "--temperature", str(request.temperature),
        "--components", str(request.components), *of_class, "--score", "--job", str(job.path),
    )  # fmt: skip
