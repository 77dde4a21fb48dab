"""The user's own images: kept for the session, shared by all pages and runs."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from aeviz import data
from aeviz.errors import BadFile
from aeviz.ui import state
from aeviz.ui.components.bridges import Dropped

MOST, MOST_BYTES = 24, 256 * 2**20  # limits; the oldest are removed first
TOO_LARGE = "it is larger than 20 MB; use Upload, or shrink it first"
PROBE = (3, 8, 8)  # a small shape to check quickly whether a file is readable
KEPT, PICKED, PROBLEMS, DISPLACED = "your_images", "your_images.picked", "your_images.problems", "your_images.displaced"


@dataclass(frozen=True)
class YourImage:
    """A readable image file; `digest` identifies its content."""

    name: str
    content: bytes
    digest: str


def kept() -> list[YourImage]:
    """The images, oldest first."""
    return list(state.recall(KEPT, []))


def picked() -> int:
    """The index of the selected image; 0 if there is none."""
    return int(max(0, min(state.recall(PICKED, 0), len(kept()) - 1)))


def pick(number: int) -> None:
    """Select an image, and clear messages about the last import."""
    state.remember(PICKED, number)
    state.remember(PROBLEMS, [])
    state.remember(DISPLACED, 0)


def problems() -> list[tuple[str, str]]:
    """Files of the last import that could not be read, each with the reason."""
    return list(state.recall(PROBLEMS, []))


def displaced() -> int:
    """How many images the last import displaced."""
    return int(state.recall(DISPLACED, 0))


def take(files: Sequence[Dropped]) -> list[str]:
    """Add readable files, select the last one, and record unreadable ones; returns the names of added images."""
    good, bad, before = [], [], len(kept())
    for file in files:
        try:
            good.append(_read(file))
        except BadFile as error:
            bad.append((file.name, str(error.values.get("reason", error))))
    for one in good:
        _keep([*kept(), YourImage(_unique_name(one.name), one.content, one.digest)])
    if good:
        pick(len(kept()) - 1)
    state.remember(PROBLEMS, bad)
    state.remember(DISPLACED, before + len(good) - len(kept()))
    return [one.name for one in kept()[-len(good) :]] if good else []


def put(name: str, content: bytes | None) -> list[str]:
    """Add or replace an image by name, or remove it if `content` is None; returns the name if it is new."""
    others, names = kept(), [one.name for one in kept()]
    place = names.index(name) if name in names else len(others)
    new = [] if content is None else [_read(Dropped(name, len(content), content))]
    wanted = others[:place] + new + others[place + 1 :]
    _keep(wanted)
    if new:
        pick(min(place, len(kept()) - 1))
        state.remember(DISPLACED, len(wanted) - len(kept()))
    return [name] if new and name not in names else []


def remove(number: int) -> None:
    """Remove an image; the selection stays on the same image."""
    if number < picked():
        pick(picked() - 1)
    _keep([one for place, one in enumerate(kept()) if place != number])


def clear() -> None:
    """Remove all images."""
    _keep([])
    state.remember(PROBLEMS, [])


def _read(file: Dropped) -> YourImage:
    """Check that a file is a readable image.

    Raises:
        BadFile: it is not, or it is too large.
    """
    if file.content is None:
        raise BadFile("{reason}", reason=TOO_LARGE)
    data.read_image(file.content, PROBE)
    return YourImage(file.name, file.content, hashlib.sha256(file.content).hexdigest())


def _unique_name(name: str) -> str:
    """The name, with a number appended if it is taken."""
    stem, dot, ending = name.rpartition(".") if "." in name else (name, "", "")
    taken = {one.name for one in kept()}
    numbered = (f"{stem} {number}{dot}{ending}" for number in range(2, MOST + 2))
    return next(free for free in (name, *numbered) if free not in taken)


def _keep(pictures: list[YourImage]) -> None:
    pictures = pictures[-MOST:]
    while len(pictures) > 1 and sum(len(one.content) for one in pictures) > MOST_BYTES:
        pictures = pictures[1:]
    state.remember(KEPT, pictures)
