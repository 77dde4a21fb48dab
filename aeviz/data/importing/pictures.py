"""All pictures of an import source as one list, whether from a zip, a folder, or an array."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from aeviz.data.dataset import Shape
from aeviz.data.importing.arrays import ArrayPart, are_arrays, read_arrays, to_bytes
from aeviz.data.importing.entries import Skipped, clean_text, open_entries
from aeviz.data.importing.fitting import Fit, fit_picture
from aeviz.data.importing.layout import Layout, Place, lay_out
from aeviz.data.importing.reading import decode, flatten, read_colour
from aeviz.data.importing.tables import Table, read_table
from aeviz.errors import BadFile


@dataclass(frozen=True)
class Picture:
    """An unread picture: its file name, its path in the source, its class and split, and a function that reads it."""

    file: str
    path: str
    label: str | None
    is_test: bool
    read: Callable[[], np.ndarray]


Found = tuple[list[Picture], Table | None, list[Skipped]]


@contextlib.contextmanager
def open_pictures(sources: list[Path], shape: Shape, fit: Fit, background: str) -> Iterator[Found]:
    """All pictures of the sources, readable inside the block, a table of extra columns, and the skipped files.

    Raises:
        BadFile: a source is unreadable.
        BadArchive: a zip is refused as a whole.
    """
    if sources and are_arrays(sources):
        parts, scale = read_arrays(sources)
        yield [picture for part in parts for picture in _array_pictures(part, scale, shape, fit, background)], None, []
        return
    with open_entries(sources) as (entries, skipped):
        layout = lay_out(entries)
        pictures = [_file_picture(place, shape, fit, background) for place in layout.pictures]
        yield pictures, _read_tables(layout, skipped), skipped


def _file_picture(place: Place, shape: Shape, fit: Fit, background: str) -> Picture:
    def read() -> np.ndarray:
        return decode(place.entry.read(), shape, fit, background)

    return Picture(place.file, clean_text(place.entry.name), place.label, place.is_test, read)


def _read_tables(layout: Layout, skipped: list[Skipped]) -> Table | None:
    """The first readable table; the others are reported as skipped."""
    table = None
    for entry in layout.tables:
        try:
            if table is not None:
                raise BadFile("{reason}", reason="only one table is read")
            table = read_table(entry.read())
        except BadFile as error:
            skipped.append(Skipped(clean_text(entry.name), str(error.values.get("reason", error))))
    reason = "a table is read only at the top, next to the images or their folders"
    skipped.extend(Skipped(clean_text(entry.name), reason) for entry in layout.deep_tables)
    return table


def _array_pictures(part: ArrayPart, scale: float, shape: Shape, fit: Fit, background: str) -> Iterator[Picture]:
    colour = read_colour(background)

    def reader(row: int) -> Callable[[], np.ndarray]:
        def read() -> np.ndarray:
            pixels = to_bytes(part.images[row], scale)  # (H, W, C)
            picture = Image.fromarray(np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels))
            return fit_picture(flatten(picture, colour), shape, fit, colour)

        return read

    for row in range(len(part.images)):
        file = f"{part.name}[{row}]"
        yield Picture(file, file, part.labels[row] if part.labels else None, part.is_test, reader(row))
