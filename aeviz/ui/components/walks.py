"""A walk between two images: who they are, which road, and what one sees on it."""

import numpy as np
import streamlit as st

from aeviz import results
from aeviz.data import pictures
from aeviz.runs import Run
from aeviz.ui import cache, show, state
from aeviz.ui.components.arriving import arrivals_of_images, say_problems
from aeviz.ui.components.gallery import gallery
from aeviz.ui.components.pictures import STRIP, Chosen, as_colour

LARGE, SMALL, STRIP_WIDTH = 300, 150, 960  # pixels
MOST_COLUMNS = 16
TEST, YOURS = "Test image", "Yours"


def ends_picker(run: Run) -> list[np.ndarray | None]:
    """Two images (C, H, W) uint8, each from the set or a person's own; None for one that is still to come."""
    with st.popover("Images of yours", icon=":material/add_photo_alternate:", width="stretch"):
        chosen = arrivals_of_images(run, "walk")
        say_problems()
    return [_end(run, "From", "a", chosen), _end(run, "To", "b", chosen)]


def _end(run: Run, label: str, key: str, chosen: Chosen) -> np.ndarray | None:
    here = cache.images_if_here(run)
    sources = [TEST, YOURS] if here else [YOURS]
    source = st.segmented_control(
        label, sources, default=sources[0], required=True, key=f"walk.{key}.source", width="stretch",
        persist_state="session",
    )  # fmt: skip
    if source == YOURS or here is None:
        return _yours(chosen, key)
    rows = here.rows("test")
    labels = here.labels[rows]
    another = int(np.argmax(labels != labels[0])) or len(rows) // 2  # of another class, where there are classes
    number = _numbered(key, len(rows), 0 if key == "a" else another)
    return np.asarray(here.images[rows[number : number + 1]])[0]


def _numbered(key: str, count: int, default: int) -> int:
    slot = f"walk.{key}.row"
    number, chance = st.columns([3, 1], vertical_alignment="bottom", gap="small")
    with number:
        chosen = st.number_input(
            "Number",
            0,
            count - 1,
            min(default, count - 1),
            key=slot,
            persist_state="session",
            label_visibility="collapsed",
        )
    with chance:
        st.button(
            "",
            icon=":material/casino:",
            key=f"walk.{key}.draw",
            on_click=_draw,
            args=(slot, count),
            help="Another one by chance.",
        )
    return chosen


def _yours(chosen: Chosen, key: str) -> np.ndarray | None:
    """One of a person's own images, by a click."""
    if not chosen.files:
        return None
    place = min(state.recall(f"walk.{key}.yours", 0), len(chosen.files) - 1)
    gallery(
        chosen.pixels, key=f"walk.{key}.strip", side=STRIP, notes=chosen.names, picked=place, row=True,
        on_picked=lambda number: state.remember(f"walk.{key}.yours", number),
    )  # fmt: skip
    return np.asarray(chosen.pixels[place])


def _draw(slot: str, count: int) -> None:
    st.session_state[slot] = int(np.random.default_rng().integers(count))


def road_picker(run: Run) -> tuple[str, int]:
    """Which road, and in how many steps."""
    roads = {road.name: road for road in results.roads_of(run)}
    road = st.radio(
        "Road", list(roads), key="walk.road", persist_state="session", format_func=lambda name: roads[name].label,
        help="\n".join(f"- **{road.label}**: {road.help}" for road in roads.values()),
    )  # fmt: skip
    steps = st.slider("Steps", 3, 32, 11, key="walk.steps", persist_state="session")
    return road, steps


def walk_view(run: Run, ends: list[np.ndarray | None], road: str, steps: int) -> None:
    """Both ends with their reconstructions, the place one is at, and the whole strip."""
    images = [image for image in ends if image is not None]
    if len(images) < len(ends):
        st.info("Bring the image that is still missing: by “Images of yours”, on the left.", icon=":material/upload:")
        return
    x = np.stack(images)
    z = cache.rebuild(run, x).z
    frames = pictures.to_pixels(cache.decode(run, results.walk(run, z, road, steps).z))
    _stage(x, frames)
    columns = min(steps, MOST_COLUMNS)
    scale = max(1, STRIP_WIDTH // (columns * x.shape[-1]))
    strip = pictures.mosaic(frames, columns=columns, scale=scale, gap=2)
    show.picture(pictures.encode_png(strip), "The whole road")
    st.download_button(
        "Save the strip", pictures.encode_png(pictures.mosaic(frames, columns=len(frames), scale=4)), "walk.png", "image/png",
        icon=":material/download:", key="walk.save", on_click="ignore",
    )  # fmt: skip


@st.fragment
def _stage(x: np.ndarray, frames: np.ndarray) -> None:
    """A slider along the road, and the picture at its place, large between the two ends."""
    narrow = state.is_narrow()
    if narrow:
        middle, ends = st.container(), st.container(horizontal=True, horizontal_alignment="distribute")
        left, right = ends, ends
    else:
        left, middle, right = st.columns([1, 2, 1], vertical_alignment="center", gap="medium")
    side = SMALL // 2 if narrow else SMALL
    with left:
        _picture(x[0], "From", side)
        _picture(frames[0], "rebuilt", side)
    with right:
        _picture(x[1], "To", side)
        _picture(frames[-1], "rebuilt", side)
    with middle:
        slot = st.container(horizontal_alignment="center")
        place = st.slider(
            "Place on the road",
            1,
            len(frames),
            (len(frames) + 1) // 2,
            key=f"walk.place.{len(frames)}",
            label_visibility="collapsed",
        )
        with slot:
            _picture(frames[place - 1], f"step {place} of {len(frames)}", LARGE)


def _picture(image: np.ndarray, caption: str, side: int) -> None:
    """One image (C, H, W) with hard pixel edges over its caption."""
    scale = max(1, side // max(image.shape[-2:]))
    picture = pictures.mosaic(as_colour(image)[None], columns=1, scale=scale, gap=0)
    with st.container(horizontal_alignment="center", gap="xxsmall", width=side if side < SMALL else "stretch"):
        show.picture(pictures.encode_png(picture), caption, side)
        st.caption(caption, text_alignment="center")
