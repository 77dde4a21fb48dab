"""View All runs: the same images reconstructed by several runs, with errors and the best marked."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from aeviz.data import pictures
from aeviz.results import Rebuilt
from aeviz.runs import Run, list_runs
from aeviz.scores.images import psnr
from aeviz.ui import cache, pick, words
from aeviz.ui.components.export_buttons import export_menu
from aeviz.ui.components.images.gallery import gallery
from aeviz.ui.components.images.pictures import Chosen
from aeviz.ui.components.posters import Row, poster

MOST, AT_FIRST = 12, 4
SIDE = 64  # pixels


def runs_view(run: Run, chosen: Chosen) -> None:
    """Draw the originals and each chosen run's reconstructions."""
    others = {other.id: other for other in list_runs() if other.id != run.id and other.has_weights()}
    titles = pick.titles([run, *others.values()])
    runs = [run, *_run_picker(run, others, titles)]
    rebuilt = [cache.rebuild(each, chosen.fitted(each), _labels(run, each, chosen)) for each in runs]
    errors = np.array([each.numbers()["mse"] for each in rebuilt])  # (runs, n)
    with st.container(key="rivals", gap="small"):
        _row("**Original**", "", chosen.pixels, "original", list(chosen.captions), set(), chosen.names)
        first = errors.mean(axis=1).argmin() if len(runs) > 1 else -1
        for place, (each, made) in enumerate(zip(runs, rebuilt, strict=True)):
            best = set(np.flatnonzero(errors.argmin(axis=0) == place).tolist()) if len(runs) > 1 else set()
            title = f"{':material/trophy: ' if place == first else ''}**{words.plain(titles[each.id])}**"
            labels = [_decibels(error) for error in errors[place]]
            _row(title, _summary(made), pictures.to_pixels(made.x_hat), each.id, labels, best)
    with st.container(horizontal_alignment="right"):
        _export(runs, rebuilt, chosen, titles)


def _labels(run: Run, other: Run, chosen: Chosen) -> np.ndarray:
    """The images' labels (n,) for another run, -1 if its classes differ."""
    same = run.config().data.classes == other.config().data.classes
    return chosen.labels if same else np.full(len(chosen.labels), -1)


def _run_picker(run: Run, others: dict[str, Run], titles: dict[str, str]) -> list[Run]:
    """Select other runs; by default the latest ones with the same data set."""
    if not others:
        st.info(
            "There is only one run. Train another to compare their reconstructions here.", icon=":material/compare:"
        )
        return []
    name = run.config().data.name
    alike = [id for id, other in others.items() if other.config().data.name == name][:AT_FIRST]
    chosen = st.multiselect(
        "Runs", list(others), default=alike, key="pictures.rivals", format_func=lambda id: titles.get(id, id),
        max_selections=MOST,
        placeholder="Other runs", persist_state="session", label_visibility="collapsed",
    )  # fmt: skip
    return [others[id] for id in chosen]


def _row(
    title: str,
    numbers: str,
    images: np.ndarray,
    name: str,
    labels: list[str],
    best: set[int],
    notes: Sequence[str] = (),
) -> None:
    beside, shown = st.columns([1, 3], vertical_alignment="center", gap="small")
    with beside:
        st.markdown(title)
        if numbers:
            st.caption(numbers)
    with shown:
        gallery(
            images, key=f"rivals.{name}", side=SIDE, labels=labels, notes=notes, best=best, row=True, together="rivals"
        )


def _export(runs: list[Run], rebuilt: list[Rebuilt], chosen: Chosen, titles: dict[str, str]) -> None:
    """Export all rows as one picture, with the metrics of each image in each run."""
    numbers = [made.numbers() for made in rebuilt]
    rows = [
        Row(pictures.to_pixels(made.x_hat), titles[run.id], _summary(made), [_decibels(error) for error in each["mse"]])
        for run, made, each in zip(runs, rebuilt, numbers, strict=True)
    ]
    arrays = {"x": chosen.pixels}
    for run, made in zip(runs, rebuilt, strict=True):
        arrays |= {f"x_hat.{run.id}": made.x_hat, f"z.{run.id}": made.z}
    count = len(chosen.names)
    table = {
        "run": np.repeat([run.id for run in runs], count),
        "title": np.repeat([titles[run.id] for run in runs], count),
        "image": np.array(chosen.names * len(runs)),
    } | {measure: np.concatenate([each[measure] for each in numbers]) for measure in numbers[0]}
    original = Row(chosen.pixels, "Original", below=chosen.captions)
    export_menu("runs", chosen.pixels[None], arrays, table, picture=lambda: poster([original, *rows]))


def _summary(made: Rebuilt) -> str:
    """A run's metrics over all images."""
    numbers = made.numbers()
    error = float(np.mean(numbers["mse"]))
    return f"MSE {words.number(error)} · {words.decibels(psnr(error))} · SSIM {np.mean(numbers['ssim']):.2f}"


def _decibels(error: float) -> str:
    value = psnr(float(error))
    return "exact" if value is None else f"{value:.1f} dB"
