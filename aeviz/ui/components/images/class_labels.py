"""Class labels of the user's own images for conditional networks: set by the user, else the best reconstruction."""

import hashlib

import numpy as np
import streamlit as st

from aeviz.runs import Run
from aeviz.ui import state

UNKNOWN = -1


def user_labels(run: Run, pixels: np.ndarray) -> np.ndarray:
    """The user's labels (n,) of images (n, C, H, W), -1 if not set."""
    return np.array([state.recall(_key(run, image), UNKNOWN) for image in pixels], np.int64)


def labels_of(run: Run, pixels: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Labels (n,) of images (n, C, H, W), with missing ones replaced by the user's."""
    return np.where(labels >= 0, labels, user_labels(run, pixels))


def class_picker(run: Run, image: np.ndarray, used: int) -> None:
    """Select the class of an image (C, H, W) uint8 without a label."""
    classes, key = run.config().data.classes, _key(run, image)
    label = state.recall(key, UNKNOWN)
    options = [UNKNOWN, *range(len(classes))]
    best = "Best reconstruction" if label >= 0 else f"{classes[used]} (best reconstruction)"
    names = {UNKNOWN: best} | dict(enumerate(classes))
    st.selectbox(
        "Class", options, options.index(label), key=f"{key}.picker", format_func=names.__getitem__,
        on_change=_store_label,
        args=(key,), width=220,
        help="The network is conditioned on a class. For an image without a label, aeviz uses the class with the best "
        "reconstruction unless you choose one.",
    )  # fmt: skip


def _store_label(key: str) -> None:
    state.remember(key, st.session_state[f"{key}.picker"])


def _key(run: Run, image: np.ndarray) -> str:
    return f"told.{run.config().data.name}.{hashlib.sha256(image.tobytes()).hexdigest()[:16]}"
