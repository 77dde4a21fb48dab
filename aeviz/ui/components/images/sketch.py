"""Components for drawing, and for pasted or dropped images."""

from collections.abc import Callable
from typing import Any

from aeviz.data import Border
from aeviz.ui.components.bridges import Dropped, bridge, content_of, files_of, joined, receive

_sketch = bridge("aeviz_sketch", joined("images/sketch.js"))
_paste = bridge("aeviz_paste", joined("map/base.js", "images/paste.js"))

WHITE, BLACK = "#ffffff", "#000000"
SKETCH_TEXTS = {
    "sheet": "Drawing area", "brush": "Brush", "eraser": "Eraser", "width": "Width", "colour": "Colour",
    "undo": "Undo (Ctrl Z)",
    "clear": "Clear", "next": "Keep it and start another",
}  # fmt: skip
PASTE_TEXTS = {
    "hint": "Or paste or drop images anywhere on the page.", "paste": "Paste", "pasted": "Pasted",
    "nothing": "The clipboard contains no image."
}  # fmt: skip


def sketch(
    shape: tuple[int, ...], border: Border | None, *, key: str, on_drawn: Callable[[int, bytes | None], None]
) -> None:
    """Draw a canvas with the aspect ratio of images (C, H, W), dark if the data set's borders are.

    `on_drawn` is called after each stroke with the drawing's number and its PNG, or None if it is empty.
    """
    dark = border is None or border.mean < 0.5

    def read(value: Any) -> tuple[int, bytes | None]:
        return int(value["number"]), content_of(value["content"])

    _sketch(
        data={
            "key": key, "shape": list(shape), "said": SKETCH_TEXTS, "ink": WHITE if dark else BLACK,
            "paper": BLACK if dark else WHITE,
        },
        key=key, on_drawn_change=lambda: receive(key, "drawn", read, lambda value: on_drawn(*value)),
    )  # fmt: skip


def paste_line(key: str, on_pasted: Callable[[list[Dropped]], None]) -> None:
    """Accept images pasted or dropped anywhere on the page."""
    _paste(data={"said": PASTE_TEXTS}, key=key, on_pasted_change=lambda: receive(key, "pasted", files_of, on_pasted))
