"""A gallery of thumbnails; one can be selected or removed."""

from collections.abc import Callable, Collection, Sequence

import numpy as np

from aeviz.data import pictures
from aeviz.export.page.scene import columns_of, downsampled
from aeviz.ui import show
from aeviz.ui.components.bridges import bridge, joined, nothing, receive

_gallery = bridge("aeviz_gallery", joined("images/gallery.js"))


def gallery(
    images: np.ndarray,
    *,
    key: str,
    side: int,
    parts: int = 1,
    labels: Sequence[str] = (),
    notes: Sequence[str] = (),
    best: Collection[int] = (),
    picked: int | None = None,
    row: bool = False,
    together: str | None = None,
    height: int | None = None,
    on_picked: Callable[[int], None] | None = None,
    on_removed: Callable[[int], None] | None = None,
) -> None:
    """Draw images (N, C, H, W) uint8, each `side` pixels high.

    Args:
        parts: number of consecutive images that form one item.
        labels: text below each item.
        notes: tooltip of each item.
        best: indices of items marked as best.
        picked: index of the outlined item.
        row: whether to use a single row that scrolls horizontally.
        together: rows with the same name scroll together.
        height: maximum in pixels, then it scrolls.
        on_picked: called with the index of a clicked item.
        on_removed: called with the index of an item to remove.
    """
    small = downsampled(images, 2 * side)
    sheet = pictures.encode_webp(pictures.mosaic(small, columns_of(len(small)), gap=0))

    def number(value: object) -> int:
        if not isinstance(value, int | float) or not 0 <= value < len(images) // parts:
            raise ValueError(value)
        return int(value)

    _gallery(
        data={
            "sheet": show.address(sheet), "tile": [small.shape[3], small.shape[2]], "columns": columns_of(len(small)),
            "count": len(small) // parts, "parts": parts,
            "labels": list(labels), "notes": list(notes), "best": sorted(best), "picked": picked, "side": side,
            "row": row, "together": together, "height": height,
            "pickable": on_picked is not None, "removable": on_removed is not None, "said": {"remove": "Remove"},
        },
        key=key,
        on_picked_change=(lambda: receive(key, "picked", number, on_picked)) if on_picked else nothing,
        on_removed_change=(lambda: receive(key, "removed", number, on_removed)) if on_removed else nothing,
    )  # fmt: skip
