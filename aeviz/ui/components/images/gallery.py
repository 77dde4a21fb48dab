"""Small pictures side by side with hard pixel edges, of which one can be picked."""

from collections.abc import Callable, Collection, Sequence

import numpy as np

from aeviz.data import pictures
from aeviz.export.page.scene import columns_of, downsampled
from aeviz.ui import show
from aeviz.ui.components.bridges import bridge, hear, joined, nothing

_gallery = bridge("aeviz_gallery", joined("gallery.js"))


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
    """Images (N, C, H, W) uint8, each `side` pixels high.

    Args:
        parts: how many of them belong together, as one that can be picked.
        labels: what stands below each, if anything.
        notes: what is told of each where the pointer rests.
        best: numbers of those that are marked as the best.
        picked: the number of the one that is outlined.
        row: whether they stay in one row, which scrolls sideways.
        together: a name that rows share which scroll as one.
        height: in pixels, beyond which they scroll.
        on_picked: hears, as a callback, the number of a picture that is clicked.
        on_removed: the same of one that is to go.
    """
    small = downsampled(images, 2 * side)
    sheet = pictures.encode_webp(pictures.mosaic(small, columns_of(len(small)), gap=0))

    def number(told: object) -> int:
        if not isinstance(told, int | float) or not 0 <= told < len(images) // parts:
            raise ValueError(told)
        return int(told)

    _gallery(
        data={
            "sheet": show.address(sheet), "tile": [small.shape[3], small.shape[2]], "columns": columns_of(len(small)), "count": len(small) // parts, "parts": parts,
            "labels": list(labels), "notes": list(notes), "best": sorted(best), "picked": picked, "side": side, "row": row, "together": together, "height": height,
            "pickable": on_picked is not None, "removable": on_removed is not None, "said": {"remove": "Remove"},
        },
        key=key,
        on_picked_change=(lambda: hear(key, "picked", number, on_picked)) if on_picked else nothing,
        on_removed_change=(lambda: hear(key, "removed", number, on_removed)) if on_removed else nothing,
    )  # fmt: skip
