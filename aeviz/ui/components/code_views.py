"""Components that show decoded codes: a path player, image mosaics and a direction slider."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aeviz.data import pictures
from aeviz.export.page.scene import columns_of
from aeviz.latent.conditioning import ConditionShift
from aeviz.plots.packed import pack
from aeviz.runs import Run
from aeviz.ui import show, state
from aeviz.ui.components.bridges import bridge, joined
from aeviz.ui.components.map.scenes import decoding_of
from aeviz.ui.serve.blobs import keep

TEXTS = {
    "play": "Play", "pause": "Pause", "step": "step", "of": "of", "place": "Position on the path", "stops": "Images",
    "most": "at most", "near": "close to the data", "edge": "between images", "far": "far from the data",
}  # fmt: skip
CAPTIONS = ("Sample", "Nearest training image")


def _component(name: str, *parts: str) -> Any:
    """Register a component from files of `static/`."""
    return bridge(name, joined(*(f"{part}.js" for part in ("map/base", "images/sheet", *parts))))


_player = _component("aeviz_player", "codes/player")
_mosaic = _component("aeviz_mosaic", "codes/mosaic")
_direction = _component("aeviz_direction", "codes/decoder", "map/decode", "codes/direction")


def sheet(images: np.ndarray) -> dict[str, Any]:
    """Images (N, C, H, W) uint8 as one sprite sheet for `static/images/sheet.js`."""
    columns = columns_of(len(images))
    picture = pictures.encode_webp(pictures.mosaic(images, columns, gap=0))
    height, width = images.shape[2:]
    return {"picture": picture, "columns": columns, "count": len(images), "width": width, "height": height}


def kept(values: Mapping[str, Any], *contents: np.ndarray | None) -> str:
    """Store a packed value for the browser and return its URL path; `contents` identify it."""
    mark = hashlib.sha256(b"".join(part.tobytes() for part in contents if part is not None))
    return keep(f"codes {mark.hexdigest()}", lambda: pack(dict(values)))


def player(
    frames: np.ndarray,
    stops: np.ndarray,
    places: np.ndarray,
    distance: np.ndarray | None,
    paths: Sequence[Mapping[str, str]],
    *,
    name: str,
) -> "Player":
    """Prepare decoded paths for display.

    Args:
        frames: (R, S, C, H, W) uint8, the steps of each path.
        stops: (M, C, H, W) uint8, the images the paths pass through.
        places: (M,) steps of the stops.
        distance: (R, S) to the data, if known.
        paths: label and colour of each path.
        name: identifies this walk; stage, strips and map with the same name are synchronised.
    """
    flat = frames.reshape(-1, *frames.shape[2:])
    packed = {"frames": sheet(flat), "stops": sheet(stops), "places": places.tolist()}
    if distance is not None:
        packed["distance"] = np.asarray(distance, np.float32).ravel()
    return Player(kept(packed, frames, stops, places, distance), list(paths), name)


class Player:
    """Paths whose parts a page places separately."""

    def __init__(self, where: str, paths: list[Mapping[str, str]], name: str) -> None:
        self._shared = {"address": where, "roads": paths, "name": name, "said": TEXTS, "narrow": state.is_narrow()}

    def stage(self, *, key: str, height: int) -> None:
        """Draw the current step of each path, with a slider and a play button."""
        self._show("stage", key, height)

    def strips(self, *, key: str, height: int) -> None:
        """Draw all steps of each path in a row, with the distance to the data below."""
        self._show("strips", key, height)

    def _show(self, part: str, key: str, height: int) -> None:
        _player(
            data=self._shared | {"part": part, "height": height}, key=key, height=height, on_missing_change=_nothing
        )


def mosaic(
    images: np.ndarray,
    *,
    key: str,
    alt: str,
    height: int,
    nearest: np.ndarray | None = None,
    words: Sequence[str] = (),
    order: np.ndarray | None = None,
    fade: np.ndarray | None = None,
    marks: Sequence[int] = (),
    columns: int | None = None,
    rows: Sequence[Mapping[str, str]] | None = None,
) -> None:
    """Draw images (N, C, H, W) uint8 in the largest grid that fits, or in labelled rows of `columns` images.

    Args:
        images: the images.
        key: widget key.
        alt: alternative text.
        height: maximum in pixels; labelled rows that need more scroll.
        nearest: (N, C, H, W) uint8, shown next to the image under the pointer.
        words: (N,) texts for the image under the pointer.
        order: (N,) index of the image in each cell.
        fade: (N,) opacity of each cell.
        marks: framed cells.
        columns: images per row.
        rows: label and note of each row.
    """
    packed: dict[str, Any] = {"sheet": sheet(images), "nearest": None if nearest is None else sheet(nearest)}
    packed |= {"words": list(words), "marks": [int(cell) for cell in marks]}
    packed |= {name: np.asarray(part) for name, part in (("order", order), ("fade", fade)) if part is not None}
    texts = np.frombuffer(repr((list(words), packed["marks"])).encode(), np.uint8)
    data = {
        "address": kept(packed, images, nearest, order, fade, texts), "alt": alt, "height": height, "columns": columns,
        "captions": CAPTIONS,
        "rows": None if rows is None else [dict(row) for row in rows], "narrow": state.is_narrow(),
    }  # fmt: skip
    _mosaic(data=data, key=key, on_missing_change=_nothing)


def direction_slider(
    run: Run,
    z: np.ndarray,
    vector: np.ndarray,
    *,
    key: str,
    name: str,
    label: str,
    low: float,
    high: float,
    start: float,
    pictures: Sequence[tuple[str, np.ndarray, str]],
    marks: Mapping[float, str],
    steps: int,
    turn: ConditionShift | None = None,
) -> None:
    """Draw a slider for the amount of a vector (D,) added to a code z (D,), decoded in the browser.

    Args:
        run: provides the decoder.
        z: the starting code.
        vector: added times the amount.
        key: widget key.
        name: identifies this direction and code; the amount is remembered by it.
        label: caption of the decoded image.
        low, high, start: range and initial value of the amount.
        pictures: preceding images: caption, image (C, H, W) uint8 and the sign after it.
        marks: tick labels of the slider by amount.
        steps: number of images in the strip below.
        turn: conditioning along the direction, for a conditional network.
    """
    data = {
        "decode": decoding_of(run), "z": z.astype(float).tolist(), "vector": vector.astype(float).tolist(),
        "name": name, "label": label,
        "turn": turn and [part.astype(float).tolist() for part in turn],
        "low": low, "high": high, "start": start, "steps": steps, "signs": [sign for _, _, sign in pictures],
        "pictures": [{"caption": caption, "source": show.image(image)} for caption, image, _ in pictures],
        "marks": [{"at": at, "text": text} for at, text in marks.items()],
    }  # fmt: skip
    _direction(data=data, key=key)


def _nothing() -> None:
    """Callback that does nothing: Streamlit reruns the page only if a callback is set."""
