"""Ways to take a run elsewhere, by name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aeviz.runs import Run
from aeviz.runs.archive import export_run


@dataclass(frozen=True)
class Export:
    """One way out: `write(run, path)` writes a file or folder."""

    name: str
    label: str
    write: Callable[[Run, Path], None]


EXPORTS: dict[str, Export] = {
    export.name: export for export in (Export("zip", "Zip, to load in aeviz elsewhere", export_run),)
}
