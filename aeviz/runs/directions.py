"""Directions named by the user: stored with the run, one small JSON file each, and exported with it."""

import hashlib
import re
import time
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from aeviz import files
from aeviz.config import Settings
from aeviz.errors import BadFile, BadValue, UnknownName
from aeviz.runs.run import Run

FOLDER = "directions"
MOST_BYTES = 2**16  # per file; 512 numbers take 12 kB


class Direction(Settings):
    """A named vector (D,) in code space: adding it once leads from group A to group B."""

    name: str = Field(min_length=1, max_length=80, description="What it does, in the user's words.")
    vector: tuple[float, ...] = Field(min_length=1, max_length=512)
    method: Literal["mean_difference", "classifier_normal"]
    source: str = Field("", max_length=200, description="What the groups were.")
    weights: str = Field("", max_length=100, description="The weights whose codes it was made from.")
    specificity: float | None = Field(None, ge=0.0, le=1.0, description="The share of its changes that is intended.")
    changes: dict[str, float] = Field(
        default_factory=dict, max_length=20, description="What changes most, in standard deviations."
    )
    created: float = Field(default_factory=time.time, ge=0.0, le=1e11)


def list_directions(run: Run) -> list[Direction]:
    """The run's directions, oldest first.

    Raises:
        BadFile: a file holds no direction.
    """
    paths = (run.path / FOLDER).glob("*.json")
    return sorted((read_direction(path) for path in paths), key=lambda found: (found.created, found.name))


def find_direction(run: Run, name: str) -> Direction:
    """The run's direction of this name.

    Raises:
        UnknownName: there is none.
    """
    path = _path(run, name)
    if not path.exists():
        known = ", ".join(found.name for found in list_directions(run)) or "none yet"
        raise UnknownName("no direction is called {name!r}; there are: {known}", name=name, known=known)
    return read_direction(path)


def save_direction(run: Run, direction: Direction) -> None:
    """Store a new direction.

    Raises:
        BadValue: its name is taken, or it does not fit the run's codes.
    """
    check_length(run, direction)
    path = _path(run, direction.name)
    if path.exists():
        raise BadValue("there is a direction called {name!r} already; choose another name", name=direction.name)
    path.parent.mkdir(exist_ok=True, mode=0o700)
    files.write_json(path, direction.to_json())


def rename_direction(run: Run, name: str, new_name: str) -> Direction:
    """Give a direction another name.

    Raises:
        UnknownName: there is none of the old name.
        BadValue: the new name is taken or not allowed.
    """
    found = find_direction(run, name)
    if new_name == name:
        return found
    renamed = Direction.parse(found.to_json() | {"name": new_name})
    save_direction(run, renamed)
    _path(run, name).unlink()
    return renamed


def delete_direction(run: Run, name: str) -> None:
    """Remove a direction.

    Raises:
        UnknownName: there is none of this name.
    """
    find_direction(run, name)
    _path(run, name).unlink()


def read_direction(path: Path) -> Direction:
    """Read the direction in a file.

    Raises:
        BadFile, BadValue: the file holds none.
    """
    if path.stat().st_size > MOST_BYTES:
        raise BadFile("{file} is larger than a direction can be", file=path.name)
    try:
        values: Any = files.read_json(path)
    except (ValueError, RecursionError) as error:
        raise BadFile("{file} holds no direction ({reason})", file=path.name, reason=error) from None
    return Direction.parse(values)


def check_direction(run: Run, path: Path) -> None:
    """Reject a foreign file that holds no direction in this run's code space, or one of another name.

    Raises:
        BadFile, BadValue: the file is rejected.
    """
    found = read_direction(path)
    check_length(run, found)
    if path != _path(run, found.name):
        raise BadFile("{file} holds a direction with another name, {name!r}", file=path.name, name=found.name)


def check_length(run: Run, direction: Direction) -> None:
    """Reject a direction of another length, as after a change of the network.

    Raises:
        BadValue: it does not fit.
    """
    length = run.config().model.latent_dim
    if len(direction.vector) != length:
        raise BadValue(
            "the direction {name!r} has {found} numbers, but this run's codes have {length}; make it again",
            name=direction.name, found=len(direction.vector), length=length,
        )  # fmt: skip


def _path(run: Run, name: str) -> Path:
    """The file of a direction: the safe part of its name, and a hash that distinguishes similar names."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", name)[:40].strip("-") or "direction"
    return run.path / FOLDER / f"{words}-{hashlib.sha256(name.encode()).hexdigest()[:10]}.json"
