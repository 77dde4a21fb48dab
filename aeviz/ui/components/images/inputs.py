"""Inputs for the user's own images: upload, drawing, camera, paste and drop."""

from collections.abc import Callable, Mapping

import numpy as np
import streamlit as st

from aeviz.data import Fitting, pictures
from aeviz.runs import Run
from aeviz.ui import cache, forms, show, state, words
from aeviz.ui.components.bridges import Dropped
from aeviz.ui.components.images import your_images
from aeviz.ui.components.images.pictures import TYPES, Chosen, fitted_images
from aeviz.ui.components.images.sketch import paste_line, sketch

FITTING = "fitting"
SIDE = 76  # pixels of the fitting preview


OnAdded = Callable[[list[str]], None]


def image_inputs(
    run: Run, key: str, others: Mapping[str, Callable[[], Chosen]] | None = None, on_added: OnAdded = lambda names: None
) -> Chosen:
    """Draw the image inputs and the fitting options; returns the chosen images, fitted to the run's network.

    Args:
        run: provides the image shape.
        key: prefix of widget keys.
        others: additional sources by name, shown first.
        on_added: called with the names of added images.
    """
    others = others or {}
    ways = [*others, *WAYS]
    forms.init_state(f"{key}.way", ways[0], ways)
    way = st.pills(
        "Images", ways, required=True, key=f"{key}.way", persist_state="session", label_visibility="collapsed",
        wrap=True
    ) or ways[0]  # fmt: skip
    if way in others:
        chosen = others[way]()
    else:
        WAYS[way](run, key, on_added)
        chosen = _fitted(run, key)
    paste_line(f"{key}.paste", lambda files: _take(key, files, on_added))
    return chosen


def show_import_problems() -> None:
    """Show files that could not be read, and the number of images removed by the limit."""
    for name, reason in your_images.problems():
        st.error(f"**{words.plain(name)}** cannot be read: {words.plain(reason)}")
    gone = your_images.displaced()
    if gone:
        older = f"{gone} older images were" if gone > 1 else "An older image was"
        st.warning(
            f"{older} removed: the limit is {your_images.MOST} images and {your_images.MOST_BYTES // 2**20} MB.",
            icon=":material/inventory_2:",
        )


def _take(key: str, files: list[Dropped], on_added: OnAdded) -> None:
    """Add pasted or dropped files and switch to the view that shows them."""
    names = your_images.take(files)
    if names:
        st.session_state[f"{key}.way"] = UPLOAD
        on_added(names)


def _upload(run: Run, key: str, on_added: OnAdded) -> None:
    """An uploader that is reset after each upload."""
    turn = f"{key}.turn"
    slot = f"{key}.files.{state.recall(turn, 0)}"

    def taken() -> None:
        files = st.session_state[slot]
        state.remember(turn, state.recall(turn, 0) + 1)
        on_added(your_images.take([Dropped(file.name, file.size, file.getvalue()) for file in files]))

    st.file_uploader(
        "Your images", type=TYPES, accept_multiple_files=True, key=slot, on_change=taken, label_visibility="collapsed"
    )  # fmt: skip


def _draw(run: Run, key: str, on_added: OnAdded) -> None:
    def drawn(number: int, content: bytes | None) -> None:
        on_added(your_images.put(f"Drawing {number}", content))

    sketch(run.config().data.shape, cache.border_of(run), key=f"{key}.sketch", on_drawn=drawn)


def _photograph(run: Run, key: str, on_added: OnAdded) -> None:
    slot = f"{key}.photo"

    def taken() -> None:
        photo = st.session_state[slot]
        if photo is not None:
            on_added(your_images.take([Dropped("Photo.jpg", photo.size, photo.getvalue())]))

    st.camera_input("Take a photo", key=slot, on_change=taken, label_visibility="collapsed")


UPLOAD = "Upload"
WAYS: dict[str, Callable[[Run, str, OnAdded], None]] = {UPLOAD: _upload, "Draw": _draw, "Camera": _photograph}


def _fitted(run: Run, key: str) -> Chosen:
    """The user's images fitted to the network, with the fitting form and a preview."""
    slot = st.container()
    if your_images.kept():
        with st.popover("Resizing", icon=":material/crop:", width="stretch"):
            _fitting_form(run, key)
    chosen = fitted_images(run, fitting_now())
    if chosen.files:
        with slot:
            _before_and_after(run, chosen)
    return chosen


def fitting_now() -> Fitting:
    """The current fitting of the user's images, shared by all pages."""
    _, fitting = state.recall(FITTING, ("", Fitting()))
    return fitting


def _fitting_form(run: Run, key: str) -> None:
    """Draw the fitting form with the current values, even if they were set on another page."""
    place, fitting = state.recall(FITTING, (key, Fitting()))
    if place != key:
        forms.fill(f"{key}.fitting", fitting.to_json())
    skip = ["grey"] if run.config().data.shape[0] == 1 else []
    asked = forms.settings_form(Fitting, f"{key}.fitting", skip=skip)
    state.remember(FITTING, (key, Fitting.parse(fitting.to_json() | asked)))


def _before_and_after(run: Run, chosen: Chosen) -> None:
    """Show the selected image as uploaded and as fitted."""
    one = chosen.files[chosen.picked]
    before = cache.preview(one.digest, 2 * SIDE, one.content)
    after = pictures.mosaic(chosen.pixels[chosen.picked][None], columns=1, gap=0)
    scale = max(1, 2 * SIDE // max(after.shape[:2]))
    after = after.repeat(scale, axis=0).repeat(scale, axis=1)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for picture, alt in ((before.picture, "Original file"), (after, "Network input")):
            height, width = picture.shape[:2]
            show.picture(_edged(np.asarray(picture)), alt, max(1, SIDE * width // max(height, width)))
        turned = " · colours inverted" if chosen.inverted[chosen.picked] else ""
        size = f"{before.size[0]} × {before.size[1]} → {words.shape(run.config().data.shape)}"
        st.caption(f"{size}{turned}", width="stretch")


def _edged(picture: np.ndarray) -> bytes:
    """A picture (H, W, 3) or (H, W) as PNG with a border, visible on any background."""
    edge = max(1, round(max(picture.shape[:2]) / SIDE))
    around = ((edge, edge), (edge, edge), (0, 0))[: picture.ndim]
    return pictures.encode_png(np.pad(picture, around, constant_values=pictures.GAP_COLOUR[0]))
