"""The parts of the card's benchmark: what each needs, how much of the time it has, and what it does."""

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

Found = dict[str, Any]
Work = tuple[str, Callable[[], Found]]
CORE = ("torch", "numpy", "pydantic", "safetensors", "psutil", "PIL")


@dataclass(frozen=True)
class Setting:
    """Where to run, and whether only to see that it runs."""

    device: str
    small: bool = False

    def to_json(self) -> dict[str, Any]:
        """The setting as plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Part:
    """A module with `works(setting)`: named pieces of work, in the order in which they matter.

    `needs` are modules without which it cannot be; `share` is of the whole time.
    """

    name: str
    title: str
    share: float
    needs: tuple[str, ...] = CORE

    def missing(self) -> list[str]:
        """What it needs and is not here."""
        return [name for name in self.needs if not is_here(name)]

    @property
    def module(self) -> str:
        """Where its `works` stand."""
        return f"bench.gpu.{self.name}"

    def works(self, setting: Setting) -> list[Work]:
        """All its pieces of work."""
        return works_of(self.module, setting)


PARTS: dict[str, Part] = {
    part.name: part
    for part in (
        Part("machine", "The machine", 0.06, ("torch",)),
        Part("steps", "Steps on the card against the processor's, and replayed ones against plain ones", 0.26),
        Part("runs", "Trainings: going on, changes of the network, settings turned", 0.12, (*CORE, "scipy")),
        Part("latent", "Codes, pictures, maps and scores on the card against the processor's", 0.1, (*CORE, "scipy")),
        Part("speed", "Training against the tutorial's loop", 0.3, (*CORE, "torchvision")),
        Part("maps", "t-SNE of 60,000 codes of 32 numbers", 0.16, (*CORE, "scipy")),
    )
}


def works_of(module: str, setting: Setting) -> list[Work]:
    """All pieces of work of a module."""
    found: list[Work] = importlib.import_module(module).works(setting)
    return found


def is_here(module: str) -> bool:
    """Whether a module can be imported, without importing it."""
    return importlib.util.find_spec(module) is not None


class Skipped(Exception):
    """A piece of work that cannot be done here, and why."""


def needed(*modules: str) -> None:
    """Raises: Skipped, if one of these optional modules is not here."""
    for module in modules:
        if not is_here(module):
            raise Skipped(f"needs {module}, which is not installed")
