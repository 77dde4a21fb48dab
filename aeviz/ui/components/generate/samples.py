"""View Samples: random images with their nearest training images and scores."""

from typing import Any

import numpy as np
import streamlit as st

from aeviz import results
from aeviz.data import pictures
from aeviz.latent.sampling.samplers import SAMPLERS, SampleSettings
from aeviz.results import SampleRequest, Samples
from aeviz.runs import Run
from aeviz.ui import cache, derived, forms, state, words
from aeviz.ui.components.code_views import mosaic
from aeviz.ui.components.export_buttons import export_menu
from aeviz.ui.components.generate.scores import sample_scores

HEIGHT, HEIGHT_NARROW = 600, 400
KEY = "samples"
ORDERS = {"drawn": "As drawn", "nearest": "Nearest first"}


def samples_controls(run: Run) -> dict[str, Any]:
    """Select sampler, temperature and count; returns unvalidated values of a `SampleRequest`."""
    offered = {sampler.name: sampler for sampler in results.samplers_of(run)}
    name = st.selectbox(
        "Sampler", list(offered), key=f"{KEY}.from.{len(offered)}", format_func=lambda name: offered[name].label,
        persist_state="session",
        help="\n".join(f"- **{sampler.label}**: {sampler.help}" for sampler in offered.values()),
    )  # fmt: skip
    asked: dict[str, Any] = {"sampler": name}
    if SAMPLERS[name].takes_label(cache.model(run)):
        asked["label"] = _class_picker(run, must=name == "class")
    if "components" in SAMPLERS[name].fit_settings(SampleSettings()):
        asked["components"] = _slider("components")
    asked["temperature"] = _slider("temperature", 0.05)
    asked["count"] = _slider("count")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xxsmall"):
        asked["seed"] = forms.settings_form(SampleSettings, KEY, only=["seed"])["seed"]
        st.button("", icon=":material/casino:", key=f"{KEY}.another", on_click=_another, help="Draw other samples.")
    return asked


def _class_picker(run: Run, must: bool) -> int | None:
    classes = run.config().data.classes
    offered = [*([] if must else [None]), *range(len(classes))]
    return st.selectbox(
        "Class", offered, key=f"{KEY}.label.{len(offered)}", persist_state="session",
        format_func=lambda number: "All classes" if number is None else classes[number],
    )  # fmt: skip


def _slider(name: str, step: float = 1) -> Any:
    """A slider with the bounds, default and help of a setting."""
    field = SampleSettings.model_fields[name]
    rules = forms.bounds(field)
    return st.slider(
        words.label(name), rules["ge"], rules["le"], field.default, step, key=f"{KEY}.{name}", help=field.description,
        persist_state="session"
    )  # fmt: skip


def _another() -> None:
    st.session_state[f"{KEY}.seed"] = int(np.random.default_rng().integers(10_000))


def samples_canvas(run: Run, asked: dict[str, Any]) -> None:
    """Draw the samples and their scores."""
    request = SampleRequest.parse(asked)
    found = derived.samples(run, request)
    narrow = state.is_narrow()
    shown, beside = (st.container(), st.container()) if narrow else st.columns([7, 2], gap="medium")
    with shown:
        _mosaic(run, found, HEIGHT_NARROW if narrow else HEIGHT)
    with beside:
        sample_scores(run, request)


def _mosaic(run: Run, found: Samples, height: int) -> None:
    x_hat = pictures.to_pixels(found.x_hat)
    with st.container(horizontal=True, vertical_alignment="center"):
        order = _order_picker(found)
        st.space("stretch")
        _export(found, x_hat)
    nearest, texts = _nearest(run, found)
    mosaic(
        x_hat, key="samples.mosaic", alt=f"{len(x_hat)} samples", height=height, nearest=nearest, words=texts,
        order=order
    )  # fmt: skip
    st.caption(
        "Point at a sample to see its nearest training image. If they look the same, it is a copy."
        if nearest is not None
        else "The images of this run are not here, so copies cannot be detected."
    )


def _order_picker(found: Samples) -> np.ndarray | None:
    """Select the order: sample indices (n,), or None for the order drawn."""
    if found.distance is None:
        return None
    order = st.segmented_control(
        "Order", list(ORDERS), default="drawn", required=True, key=f"{KEY}.order", label_visibility="collapsed",
        format_func=ORDERS.__getitem__, persist_state="session",
        help="Nearest first: samples most like a training image, to reveal copies.",
    )  # fmt: skip
    return np.argsort(found.distance, kind="stable") if order == "nearest" else None


def _nearest(run: Run, found: Samples) -> tuple[np.ndarray | None, list[str]]:
    """The training image (n, C, H, W) nearest to each sample, and its description."""
    if found.nearest is None or found.distance is None:
        return None, []
    dataset = cache.images_of(run)
    texts = [
        f"#{row}{_class(dataset.classes, dataset.labels[row])} · MSE {distance:.4f} apart"
        for row, distance in zip(found.nearest, found.distance, strict=True)
    ]
    return np.ascontiguousarray(dataset.images[found.nearest]), texts


def _class(classes: tuple[str, ...], label: int) -> str:
    return f" · {classes[label]}" if label >= 0 and classes else ""


def _export(found: Samples, x_hat: np.ndarray) -> None:
    known = {"label": found.labels, "nearest": found.nearest, "distance": found.distance}
    numbers = {"z": found.z} | {name: values for name, values in known.items() if values is not None}
    columns = int(np.ceil(np.sqrt(len(x_hat))))
    full = np.concatenate([x_hat, np.zeros((-len(x_hat) % columns, *x_hat.shape[1:]), np.uint8)])
    export_menu(
        KEY, full.reshape(-1, columns, *x_hat.shape[1:]), numbers | {"x_hat": x_hat}, dict(reversed(numbers.items()))
    )
