"""What a way out of aeviz is, and what all of them are given."""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aeviz import files
from aeviz.errors import install_line
from aeviz.results import MapRequest
from aeviz.runs import Run


@dataclass(frozen=True)
class Export:
    """One way out: `write(run, path, report)` makes the file or folder, and gives what is worth knowing of it in a sentence.

    Attributes:
        needs: optional packages, as they are installed.
        slow: whether it takes more than a moment.
        shows: the map of a run that the file shows unless another is asked for, which `write` is told last; None
            where it shows none.
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
        """The line that installs what this way needs and is not here; None where all of it is."""
        return install_line(self.needs)


def write_members(out: Path, members: dict[str, bytes | str]) -> None:
    """Write files by their names: as a zip where the name ends so, else into a folder.

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
