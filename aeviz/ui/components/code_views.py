"""What is drawn of codes in the browser itself: roads that are played, mosaics with a glass, and a direction's slider."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aeviz.data import pictures
from aeviz.export.page.scene import columns_of
from aeviz.latent.conditioning import Turn
from aeviz.plots.packed import pack
from aeviz.runs import Run
from aeviz.ui import show, state
from aeviz.ui.components.bridges import bridge, joined
from aeviz.ui.components.map.scenes import decoding_of
from aeviz.ui.serve import keep

SAID = {
    "play": "Play", "pause": "Pause", "step": "step", "of": "of", "place": "Position on the path", "stops": "Images",
    "most": "at most", "near": "close to the data", "edge": "between images", "far": "far from the data",
}  # fmt: skip
CAPTIONS = ("Sample", "Nearest training image")


def _component(name: str, *parts: str) -> Any:
    """A component whose JavaScript is these files of `static/`, one after another."""
    return bridge(name, joined(*(f"{part}.js" for part in ("map/base", "sheet", *parts))))


_player = _component("aeviz_player", "player")
_mosaic = _component("aeviz_mosaic", "mosaic")
_direction = _component("aeviz_direction", "decoder", "map/decode", "direction")


def sheet(images: np.ndarray) -> dict[str, Any]:
    """Images (N, C, H, W) uint8 as one picture, for `static/sheet.js`."""
    columns = columns_of(len(images))
    picture = pictures.encode_webp(pictures.mosaic(images, columns, gap=0))
    height, width = images.shape[2:]
    return {"picture": picture, "columns": columns, "count": len(images), "width": width, "height": height}


def kept(values: Mapping[str, Any], *contents: np.ndarray | None) -> str:
    """Where a browser fetches a value that holds arrays, named by its contents (those that are large and whatever else)."""
    mark = hashlib.sha256(b"".join(part.tobytes() for part in contents if part is not None))
    return keep(f"codes {mark.hexdigest()}", lambda: pack(dict(values)))


def player(
    frames: np.ndarray,
    stops: np.ndarray,
    places: np.ndarray,
    distance: np.ndarray | None,
    roads: Sequence[Mapping[str, str]],
    *,
    name: str,
) -> "Player":
    """Roads (label, colour), ready to be shown.

    Args:
        frames: (R, S, C, H, W) uint8, of each road its steps.
        stops: (M, C, H, W) uint8, the images the roads lead through.
        places: (M,) at which steps.
        distance: (R, S) to the data, if known.
        roads: what they are called.
        name: tells this walk from others; stage, strips and map of one name move together.
    """
    flat = frames.reshape(-1, *frames.shape[2:])
    packed = {"frames": sheet(flat), "stops": sheet(stops), "places": places.tolist()}
    if distance is not None:
        packed["distance"] = np.asarray(distance, np.float32).ravel()
    return Player(kept(packed, frames, stops, places, distance), list(roads), name)


class Player:
    """Roads whose parts stand where a page puts them."""

    def __init__(self, where: str, roads: list[Mapping[str, str]], name: str) -> None:
        self._shared = {"address": where, "roads": roads, "name": name, "said": SAID, "narrow": state.is_narrow()}

    def stage(self, *, key: str, height: int) -> None:
        """One step of every road, large, with a slider and a button that plays."""
        self._show("stage", key, height)

    def strips(self, *, key: str, height: int) -> None:
        """All steps of every road in a row, and under them the distance to the data."""
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
    """Images (N, C, H, W) uint8 in the largest grid that fits, or in rows (label, note) of so many columns.

    Args:
        images: the pictures.
        key: of the component.
        alt: what they are, for those who do not see them.
        height: in pixels, at most; named rows that need more scroll.
        nearest: (N, C, H, W) uint8, shown beside each under the pointer.
        words: (N,) said of each under the pointer.
        order: (N,) which picture stands in each cell.
        fade: (N,) how opaque each cell is.
        marks: cells with a frame.
        columns: how many pictures a row has.
        rows: what the rows are called.
    """
    packed: dict[str, Any] = {"sheet": sheet(images), "nearest": None if nearest is None else sheet(nearest)}
    packed |= {"words": list(words), "marks": [int(cell) for cell in marks]}
    packed |= {name: np.asarray(part) for name, part in (("order", order), ("fade", fade)) if part is not None}
    said = np.frombuffer(repr((list(words), packed["marks"])).encode(), np.uint8)
    data = {
        "address": kept(packed, images, nearest, order, fade, said), "alt": alt, "height": height, "columns": columns, "captions": CAPTIONS,
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
    turn: Turn | None = None,
) -> None:
    """What becomes of a code z (D,) plus so much of a vector (D,), drawn while the slider moves from low to high.

    Args:
        run: whose decoder.
        z: where it begins.
        vector: what is added, times the amount.
        key: of the component.
        name: tells this direction on this code from others; each remembers its amount.
        label: what the moving picture is called.
        low, high, start: amounts.
        pictures: what stands before it: caption, image (C, H, W) uint8, and a sign that follows.
        marks: what to write under the slider, by amount.
        steps: pictures of the whole way, below.
        turn: what a conditional network is told along with it.
    """
    data = {
        "decode": decoding_of(run), "z": z.astype(float).tolist(), "vector": vector.astype(float).tolist(), "name": name, "label": label,
        "turn": turn and [part.astype(float).tolist() for part in turn],
        "low": low, "high": high, "start": start, "steps": steps, "signs": [sign for _, _, sign in pictures],
        "pictures": [{"caption": caption, "source": show.image(image)} for caption, image, _ in pictures],
        "marks": [{"at": at, "text": text} for at, text in marks.items()],
    }  # fmt: skip
    _direction(data=data, key=key)


def _nothing() -> None:
    """Streamlit runs the page again for those who listen, and that is all there is to do."""
