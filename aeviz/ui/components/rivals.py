"""The same images through several runs, one row each, with the numbers beside and the best marked."""

import numpy as np
import streamlit as st

from aeviz.data import pictures
from aeviz.results import Rebuilt
from aeviz.runs import Run, list_runs
from aeviz.scores.images import psnr
from aeviz.ui import cache, pick, words
from aeviz.ui.components.gallery import gallery
from aeviz.ui.components.pictures import Chosen

MOST, AT_FIRST = 12, 4
SIDE = 64  # pixels


def runs_view(run: Run, chosen: Chosen) -> None:
    """Originals above, and below them what each chosen run makes of them."""
    runs = [run, *_rival_picker(run)]
    rebuilt = [cache.rebuild(each, chosen.fitted(each), _labels(run, each, chosen)) for each in runs]
    errors = np.array([each.numbers()["mse"] for each in rebuilt])  # (runs, n)
    titles = pick.titles(runs)
    with st.container(key="rivals", gap="small"):
        _row("**Original**", "", chosen.pixels, "original", chosen.names, set())
        first = errors.mean(axis=1).argmin() if len(runs) > 1 else -1
        for place, (each, made) in enumerate(zip(runs, rebuilt, strict=True)):
            best = set(np.flatnonzero(errors.argmin(axis=0) == place).tolist()) if len(runs) > 1 else set()
            title = f"{':material/trophy: ' if place == first else ''}**{words.plain(titles[each.id])}**"
            labels = [_decibels(error) for error in errors[place]]
            _row(title, _summary(made), pictures.to_pixels(made.x_hat), each.id, labels, best)


def _labels(run: Run, other: Run, chosen: Chosen) -> np.ndarray:
    """The images' classes (n,) by their numbers in another run's set, -1 where that has other classes."""
    same = run.config().data.classes == other.config().data.classes
    return chosen.labels if same else np.full(len(chosen.labels), -1)


def _rival_picker(run: Run) -> list[Run]:
    """Other runs with weights; at first the latest of the same set."""
    others = {other.id: other for other in list_runs() if other.id != run.id and other.has_weights()}
    if not others:
        st.info(
            "There is one run only. Train another, and both rebuild the same images here.", icon=":material/compare:"
        )
        return []
    titles = pick.titles(list(others.values()))
    name = run.config().data.name
    alike = [id for id, other in others.items() if other.config().data.name == name][:AT_FIRST]
    chosen = st.multiselect(
        "Runs", list(others), default=alike, key="pictures.rivals", format_func=lambda id: titles.get(id, id), max_selections=MOST,
        placeholder="Other runs", persist_state="session", label_visibility="collapsed",
    )  # fmt: skip
    return [others[id] for id in chosen]


def _row(title: str, numbers: str, images: np.ndarray, name: str, labels: list[str], best: set[int]) -> None:
    beside, shown = st.columns([1, 3], vertical_alignment="center", gap="small")
    with beside:
        st.markdown(title)
        if numbers:
            st.caption(numbers)
    with shown:
        gallery(images, key=f"rivals.{name}", side=SIDE, labels=labels, best=best, row=True, together="rivals")


def _summary(made: Rebuilt) -> str:
    """A run's numbers over all the images."""
    numbers = made.numbers()
    error = float(np.mean(numbers["mse"]))
    return f"MSE {words.number(error)} · {words.decibels(psnr(error))} · SSIM {np.mean(numbers['ssim']):.2f}"


def _decibels(error: float) -> str:
    value = psnr(float(error))
    return "exact" if value is None else f"{value:.1f} dB"
