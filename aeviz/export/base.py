"""The description of an export, and helpers that exports share."""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aeviz import files
from aeviz.errors import install_command
from aeviz.results import MapRequest
from aeviz.runs import Run


@dataclass(frozen=True)
class Export:
    """An export: `write(run, path, report)` makes the file or folder and returns what is worth knowing, as a sentence.

    Attributes:
        needs: optional packages, by the names pip knows.
        slow: whether it takes more than a moment.
        shows: the default map of a run that the file shows; another can be passed to `write` as its last argument; None
            if the file shows no map.
    """

    name: str
    label: str
    help: str
    ending: str
    write: Callable[..., str]
    needs: tuple[str, ...] = ()
    slow: bool = True
    shows: Callable[[Run], MapRequest] | None = None

    def missing(self) -> str | None:
        """The command that installs the missing packages; None if none is missing."""
        return install_command(self.needs)


def write_members(out: Path, members: dict[str, bytes | str]) -> None:
    """Write files by name: into a zip if `out` has that extension, else into a folder.

    Raises:
        BadFile: `out` cannot be written.
    """
    if out.suffix.lower() != ".zip":
        out.mkdir(parents=True, exist_ok=True)
        for name, content in members.items():
            files.write_bytes(out / name, content.encode() if isinstance(content, str) else content)
        return
    with files.replacing(out) as beside, zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
