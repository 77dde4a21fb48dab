"""Image pickers: choose a test image or one of the user's own by its thumbnail."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aeviz.data import Dataset, pictures
from aeviz.results import Rebuilt
from aeviz.runs import Run
from aeviz.ui import cache, show, state, words
from aeviz.ui.components.images import your_images
from aeviz.ui.components.images.class_labels import labels_of
from aeviz.ui.components.images.gallery import gallery
from aeviz.ui.components.images.inputs import fitting_now, image_inputs, show_import_problems
from aeviz.ui.components.images.pictures import Chosen, fitted_images, name_of

SIDE = 160  # minimum pixels of a displayed image
NARROW = 96  # pixels on narrow windows
OFFERED, OFFERED_SIDE, ROOM = 39, 44, 230  # number of offered test images, and pixels
NEW, SHUFFLE = "images.new", "offered"


class PickedImage(NamedTuple):
    """Pixels (C, H, W) uint8 that fit the run's network, and the class label, -1 if unknown."""

    pixels: np.ndarray
    label: int


def through_network(run: Run, images: Sequence[PickedImage]) -> Rebuilt:
    """Reconstruct the images with a run's network."""
    return cache.rebuild(run, np.stack([image.pixels for image in images]), np.array([image.label for image in images]))


def pick_images(run: Run, labels: str, key: str) -> list[PickedImage | None]:
    """Draw a picker for each label; newly added images fill them in turn. None if there is no image."""
    _assign_new(key, len(labels))
    return [_picker(run, label, f"{key}.{place}", place) for place, label in enumerate(labels)]


def pick_image(run: Run, label: str, key: str) -> PickedImage | None:
    """Draw an image picker; newly added images are selected. None if there is no image."""
    _assign_new(key, 1)
    return _picker(run, label, f"{key}.0", 0)


def your_images_button(run: Run, key: str) -> None:
    """Draw the popover to add the user's own images, which all pickers then offer."""
    with st.popover("Your images", icon=":material/add_photo_alternate:", width="stretch"):
        image_inputs(run, f"{key}.yours", on_added=_queue)
        show_import_problems()


def _queue(names: list[str]) -> None:
    state.remember(NEW, [*state.recall(NEW, []), *names])


def _assign_new(key: str, count: int) -> None:
    """Assign newly added images to the pickers in turn."""
    turn = state.recall(f"{key}.turn", 0)
    for name in state.recall(NEW, [])[:count]:
        state.remember(f"{key}.{turn % count}", name)
        turn += 1
    state.remember(f"{key}.turn", turn)
    state.remember(NEW, [])


def _picker(run: Run, label: str, key: str, place: int) -> PickedImage | None:
    """Draw one picker; by default the first test image of class number `place`."""
    here, yours = cache.images_if_here(run), fitted_images(run, fitting_now())
    chosen = _choice(here, yours, key, place)
    image, name = _resolve(run, here, yours, chosen)
    with st.container(gap="xxsmall"):
        st.markdown(f"**{label}** :small[{words.plain(name)}]")
        slot, beside = _places()
        with slot:
            _picture(image.pixels if image else None, label)
        with beside, st.container(horizontal=True, gap="xxsmall"):
            _chooser(here, yours, key, chosen)
    return image


def _choice(here: Dataset | None, yours: Chosen, key: str, place: int) -> int | str | None:
    """The chosen test image number or own image name, or a default if it no longer exists."""
    kept = state.recall(key)
    if kept in yours.names:
        return str(kept)
    rows = () if here is None else here.rows("test")
    if here is not None and len(rows):
        return kept if isinstance(kept, int) and kept < len(rows) else _first_of_class(here.labels[rows], place)
    return yours.names[0] if yours.names else None


def _resolve(run: Run, here: Dataset | None, yours: Chosen, chosen: int | str | None) -> tuple[PickedImage | None, str]:
    """The chosen image and its name."""
    if isinstance(chosen, str):
        place = yours.names.index(chosen)
        return PickedImage(yours.pixels[place], int(yours.labels[place])), chosen
    if here is None or chosen is None:
        return None, ""
    row = here.rows("test")[chosen]
    image = np.asarray(here.images[row])
    return PickedImage(image, int(labels_of(run, image[None], here.labels[[row]])[0])), name_of(here, row)


def _first_of_class(labels: np.ndarray, place: int) -> int:
    """The first row of the class number `place`, or without classes row number `place`."""
    firsts = np.unique(labels[labels >= 0], return_index=True)[1]
    return int(firsts[place % len(firsts)]) if len(firsts) > 1 else place % len(labels)


def _places() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Containers for image and chooser, side by side even on narrow windows, where columns would stack."""
    if not state.is_narrow():
        slot, beside = st.columns([2, 3], gap="small", vertical_alignment="center")
        return slot, beside
    row = st.container(horizontal=True, vertical_alignment="center", gap="small")
    return row.container(width=NARROW), row.container(width="stretch")


def _picture(image: np.ndarray | None, label: str) -> None:
    if image is None:
        st.markdown("### :material/image:", text_alignment="center")
        return
    scale = -(-SIDE // max(image.shape[1:]))
    show.picture(pictures.encode_png(pictures.mosaic(image[None], columns=1, scale=scale, gap=0)), label)


def _chooser(here: Dataset | None, yours: Chosen, key: str, chosen: int | str | None) -> None:
    """Draw the thumbnails to choose from, and buttons for a test image by number or at random."""
    rows = here.rows("test") if here else np.empty(0, np.int64)
    if not yours.names and not len(rows):
        return
    with st.popover("Choose", key=f"{key}.choose", on_change="rerun") as box:
        if box.open and yours.names:
            _yours(yours, key, chosen)
        if box.open and here and len(rows):
            _of_the_set(here, rows, key, chosen)
    if len(rows):
        st.button(
            "", icon=":material/casino:", key=f"{key}.draw", on_click=_draw, args=(key, len(rows)),
            help="Pick a random test image."
        )  # fmt: skip


def _yours(yours: Chosen, key: str, chosen: int | str | None) -> None:
    st.caption("Your images")
    gallery(
        yours.pixels, key=f"{key}.yours", side=OFFERED_SIDE, notes=yours.names, height=ROOM // 2,
        picked=yours.names.index(chosen) if isinstance(chosen, str) else None,
        on_picked=lambda number: state.remember(key, yours.names[number]), on_removed=your_images.remove,
    )  # fmt: skip


def _of_the_set(here: Dataset, rows: np.ndarray, key: str, chosen: int | str | None) -> None:
    """Draw random test images sorted by class, and an input for an image number."""
    offered = _offered(here, rows)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("From the test set", width="stretch")
        st.button("Show others", icon=":material/refresh:", key=f"{key}.others", on_click=_shuffle, type="tertiary")
    gallery(
        np.ascontiguousarray(here.images[rows[offered]]), key=f"{key}.set", side=OFFERED_SIDE, height=ROOM,
        notes=[name_of(here, row) for row in rows[offered]], picked=_place_in(offered, chosen),
        on_picked=lambda number: state.remember(key, int(offered[number])),
    )  # fmt: skip
    slot = f"{key}.number"
    st.session_state[slot] = chosen if isinstance(chosen, int) else None
    st.number_input(
        f"Number of a test image (0 to {len(rows) - 1:,})", 0, len(rows) - 1, None, key=slot, on_change=_numbered,
        args=(key, slot)
    )  # fmt: skip


def _offered(here: Dataset, rows: np.ndarray) -> np.ndarray:
    """Numbers (n,) of random test images sorted by class, the same for all pickers."""
    drawn = np.random.default_rng(state.recall(SHUFFLE, 0)).permutation(len(rows))[:OFFERED]
    return drawn[np.lexsort((drawn, here.labels[rows[drawn]]))]


def _place_in(offered: np.ndarray, chosen: Any) -> int | None:
    found = np.flatnonzero(offered == chosen)
    return int(found[0]) if len(found) else None


def _shuffle() -> None:
    state.remember(SHUFFLE, state.recall(SHUFFLE, 0) + 1)


def _draw(key: str, count: int) -> None:
    state.remember(key, int(np.random.default_rng().integers(count)))


def _numbered(key: str, slot: str) -> None:
    if st.session_state[slot] is not None:
        state.remember(key, int(st.session_state[slot]))
