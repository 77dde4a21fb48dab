"""View Paths: paths between two to four images, their distance to the data, and the paths on the map."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aeviz import results
from aeviz.data import pictures
from aeviz.latent.paths.paths import MAX_STEPS, MAX_STOPS, MIN_STEPS, MIN_STOPS, PATHS, stop_steps
from aeviz.plots.theme import CLASS_COLOURS
from aeviz.results import MapRequest, Rebuilt, Walk
from aeviz.runs import Run
from aeviz.ui import cache, derived, show, state
from aeviz.ui.components.code_views import player
from aeviz.ui.components.export_buttons import export_menu
from aeviz.ui.components.images.image_picker import PickedImage, pick_images, through_network
from aeviz.ui.components.map import scenes
from aeviz.ui.components.map.canvas import last_request
from aeviz.ui.components.map.colours import Painted
from aeviz.ui.components.map.view import latent_map
from aeviz.ui.components.posters import Row, poster
from aeviz.ui.frame import show_errors

STAGE, STAGE_NARROW, STOPS_ROW, STRIP = 264, 220, 48, 92  # pixels of height
NARROW_NAME = 20
AROUND, LEAST_SEEN = 1.8, 0.45  # visible part of the map: multiple of the paths' extent, and minimum share of the map's
USUAL = ("straight", "spherical", "data")
NAME = "walk"
UNDER = (
    "Below each strip: distance to the nearest training image. Dashed line (1×): typical distance between neighbours."
)
COLOURS = [CLASS_COLOURS[number] for number in (0, 1, 2, 4)]


@dataclass(frozen=True)
class Chosen:
    """The images (None if missing), the chosen paths with their labels, and the number of steps."""

    images: list[PickedImage | None]
    paths: dict[str, str]
    steps: int


@dataclass(frozen=True)
class Paths:
    """Decoded paths: labels by name, codes z (R, S, D), frames (R, S, C, H, W) uint8, distance to the data (R, S)."""

    labels: dict[str, str]
    z: np.ndarray
    frames: np.ndarray
    distance: np.ndarray | None

    def marks(self) -> list[dict[str, str]]:
        """Label and colour of each path; colours do not depend on which others are chosen."""
        return [{"label": label, "colour": _colour(name)} for name, label in self.labels.items()]


def path_controls(run: Run) -> Chosen:
    """Select images, paths and number of steps."""
    count = st.segmented_control(
        "Images", range(MIN_STOPS, MAX_STOPS + 1), default=MIN_STOPS, required=True, key="walk.count",
        width="stretch",
        persist_state="session", help="A path passes through all of them in this order.",
    )  # fmt: skip
    images = pick_images(run, "ABCD"[:count], "walk")
    paths = _paths_picker(run)
    steps = st.slider("Steps", MIN_STEPS, MAX_STEPS, 16, key="walk.steps", persist_state="session")
    return Chosen(images, paths, max(steps, count))


def _paths_picker(run: Run) -> dict[str, str]:
    """Select paths; returns labels by name."""
    with st.container(gap="xxsmall"):
        st.markdown("Paths")
        offered = [
            (path, st.checkbox(
                path.label, path.name in USUAL, key=f"walk.path.{path.name}", help=path.help, persist_state="session",
            ))
            for path in results.paths_of(run)
        ]  # fmt: skip
    return {path.name: path.label for path, is_chosen in offered if is_chosen}


def path_canvas(run: Run, chosen: Chosen) -> None:
    """Draw the current step of each path next to the map, and all steps below."""
    images = [image for image in chosen.images if image is not None]
    if len(images) < len(chosen.images):
        st.info("An image is missing. Upload one on the left.", icon=":material/upload:")
        return
    if not chosen.paths:
        st.info("Choose at least one path.", icon=":material/route:")
        return
    x, rebuilt = np.stack([image.pixels for image in images]), through_network(run, images)
    paths = walked(run, rebuilt, chosen)
    shown = player(
        paths.frames, x, stop_steps(len(x), chosen.steps), paths.distance, paths.marks(),
        name=f"{run.id}.{chosen.steps}"
    )  # fmt: skip
    stage, strips, beside = _places()
    with stage:
        shown.stage(key="walk.stage", height=STAGE_NARROW if state.is_narrow() else STAGE)
    with strips:
        more = NARROW_NAME if state.is_narrow() else 0
        shown.strips(key="walk.strips", height=STOPS_ROW + more + (STRIP + more) * len(chosen.paths))
    with beside, show_errors():
        _map(run, paths, x, rebuilt.z)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            UNDER if paths.distance is not None else "The distance of the paths to the data is unknown: "
            "the images are not here.",
            width="stretch",
        )  # fmt: skip
        _export(paths)


def walked(run: Run, stops: Rebuilt, chosen: Chosen) -> Paths:
    """Compute and decode the chosen paths through the codes of some images."""
    walks: list[Walk] = [derived.walk(run, stops.z, stops.condition, name, chosen.steps) for name in chosen.paths]
    z = np.stack([walk.z for walk in walks])  # (R, S, D)
    condition = [walk.condition for walk in walks if walk.condition is not None]  # (S, K + 1) each, or none
    frames = cache.decode(run, z.reshape(-1, z.shape[-1]), np.concatenate(condition) if condition else None)
    images = pictures.to_pixels(frames)
    known = [walk.distance for walk in walks if walk.distance is not None]
    return Paths(
        chosen.paths, z, images.reshape(*z.shape[:2], *images.shape[1:]),
        np.stack(known) if len(known) == len(walks) else None
    )  # fmt: skip


def _colour(name: str) -> str:
    return COLOURS[list(PATHS).index(name) % len(COLOURS)]


def _places() -> tuple[DeltaGenerator, DeltaGenerator, DeltaGenerator]:
    """Containers for stage, strips and map; on narrow windows the map is between stage and strips."""
    if state.is_narrow():
        stage, beside, strips = st.container(), st.container(), st.container()
        return stage, strips, beside
    stage, beside = st.columns([3, 2], gap="medium")
    return stage, st.container(), beside


def _map(run: Run, paths: Paths, x: np.ndarray, codes: np.ndarray) -> None:
    """Draw the paths and their images on the last map if it is 2-D, else on PCA."""
    if cache.images_if_here(run) is None:
        return
    last = last_request(run)
    flat = last is not None and last.written_out().settings.get("dims", 2) == 2 and results.kept_map(run, last)
    request = last if last is not None and flat else MapRequest(settings={"dims": 2})
    found = results.project(run, request)
    classes = run.config().data.classes
    colours = Painted(found.labels if classes else None, classes or None, "Label", "label")
    scene = scenes.scene_of(run, request, found, colours, mode="dots", height=STAGE)
    points = derived.placed(run, request, found, paths.z.reshape(-1, paths.z.shape[-1])).reshape(*paths.z.shape[:2], -1)
    ways = [
        {"colour": mark["colour"], "x": way[:, 0].tolist(), "y": way[:, 1].tolist()}
        for mark, way in zip(paths.marks(), points, strict=True)
    ]
    stops = derived.placed(run, request, found, codes)
    latent_map(
        replace(
            scene, space=f"{scene.space} {hash(stops.tobytes())}", view=_view(found.points, points), tool="pan",
            roads=ways, stars=_stars(stops, x)
        ),
        key="walk.map",
    )  # fmt: skip


def _view(points: np.ndarray, paths: np.ndarray) -> dict[str, list[float]]:
    """The visible range of a map with points (N, 2) around paths (R, S, 2)."""
    low, high = paths.min(axis=(0, 1)), paths.max(axis=(0, 1))
    reach = np.maximum(AROUND * (high - low), LEAST_SEEN * np.ptp(points, axis=0)) / 2
    return {
        name: [float(middle - far), float(middle + far)]
        for name, middle, far in zip("xy", (low + high) / 2, reach, strict=True)
    }


def _stars(places: np.ndarray, x: np.ndarray) -> list[dict[str, Any]]:
    return [
        {"x": float(place[0]), "y": float(place[1]), "name": "", "near": [], "picture": show.image(image)}
        for place, image in zip(places, x, strict=True)
    ]


def _export(paths: Paths) -> None:
    count, steps = paths.z.shape[:2]
    flat = paths.z.reshape(count * steps, -1)
    distance = {} if paths.distance is None else {"distance": paths.distance}
    names = np.array(list(paths.labels))
    export_menu(
        NAME, paths.frames,
        {"road": names, "z": paths.z, "x_hat": paths.frames, **distance},
        {"road": names.repeat(steps), "step": np.tile(np.arange(1, steps + 1), count),
        **{k: v.ravel() for k, v in distance.items()}, "z": flat},
        film=True, picture=lambda: _poster(paths),
    )  # fmt: skip


def _poster(paths: Paths) -> bytes:
    """A poster of all paths with their distance to the data."""
    far = paths.distance
    rows = [
        Row(
            frames, mark["label"], "" if far is None else f"at most {far[path].max():.1f}×",
            curve=None if far is None else far[path], colour=mark["colour"],
        )
        for path, (frames, mark) in enumerate(zip(paths.frames, paths.marks(), strict=True))
    ]  # fmt: skip
    return poster(rows, "" if far is None else UNDER)
