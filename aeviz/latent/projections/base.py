"""The contract of a projection: from codes to points on a map, and new codes onto the same map."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from aeviz.config import Settings
from aeviz.errors import BadValue, MissingPackage, NotNow, install_command


class Step(NamedTuple):
    """How far a fit is: iterations done of how many, the points (N, dims) so far, and the KL divergence, where known."""

    done: int
    total: int
    points: np.ndarray | None = None
    kl: float = float("nan")


OnStep = Callable[[Step], None]


def unheard(step: Step) -> None:
    """The `on_step` of whoever does not want to know."""


class Projection(ABC):
    """Codes (N, D) to points (N, dims); a subclass says how, and keeps what `place` needs as arrays."""

    name: ClassVar[str]
    label: ClassVar[str]
    summary: ClassVar[str]  # for a person who chooses
    slow: ClassVar[bool] = False  # takes long enough to be computed in a process of its own
    linear: ClassVar[bool] = False  # points are an affine function of the codes, with an exact way back
    supervised: ClassVar[bool] = False  # cannot do without labels
    needs: ClassVar[tuple[str, ...]] = ()  # optional packages, as they are installed
    Settings: ClassVar[type[Settings]]

    def __init__(self, settings: Any = None) -> None:
        self.settings = self.Settings() if settings is None else settings

    @classmethod
    def missing(cls) -> str | None:
        """The line that installs what the method needs and is not here; None where all of it is."""
        return install_command(cls.needs)

    @classmethod
    def check_installed(cls) -> None:
        """Pass where all that the method needs is here.

        Raises:
            MissingPackage: with the line that installs the rest.
        """
        line = cls.missing()
        if line:
            raise MissingPackage("{label} is not installed here; install it with: {line}", label=cls.label, line=line)

    @abstractmethod
    def fit(self, codes: np.ndarray, on_step: OnStep = unheard, labels: np.ndarray | None = None) -> np.ndarray:
        """Points (N, dims) float32 for codes (N, D).

        Args:
            codes: (N, D).
            on_step: told how far the fit is; what it raises ends the fit at once.
            labels: (N,), -1 where unknown; read by supervised methods only.

        Raises:
            BadValue: codes that are not finite, or too few of them, or too few classes.
            MissingPackage: the method needs a package that is not here.
        """

    def go_on(self, on_step: OnStep = unheard) -> np.ndarray:
        """Points (N, dims) after further iterations: those still due, or as many again where none were.

        Raises:
            NotNow: the method does not iterate.
        """
        raise NotNow("{label} is complete as it is; only t-SNE can go on", label=self.label)

    def so_far(self) -> np.ndarray | None:
        """The points (N, dims) that a fit ended by its `on_step` has come to, None where there are none yet."""
        return None

    @abstractmethod
    def place(self, codes: np.ndarray) -> np.ndarray:
        """Points (M, dims) float32 of further codes (M, D) on the map as it stands.

        A row's point is the same to the last bit whatever comes with it.
        """

    @abstractmethod
    def invert(self, points: np.ndarray) -> np.ndarray:
        """Codes (M, D) float32 that lie at points (M, dims), by the map's own best guess."""

    @abstractmethod
    def state(self) -> dict[str, np.ndarray]:
        """The fitted map as named arrays, enough for `from_state`."""

    @classmethod
    @abstractmethod
    def from_state(cls, settings: Any, arrays: dict[str, np.ndarray]) -> Self:
        """The map that `state` described."""

    def notes(self) -> dict[str, Any]:
        """What the method has to say about its fit, as plain JSON values; `axes` names what has a name of its own."""
        return {}


def checked_codes(codes: np.ndarray) -> np.ndarray:
    """Codes (N, D) as float64.

    Raises:
        BadValue: there are none, or some are not finite.
    """
    codes = np.asarray(codes, dtype=np.float64)
    if len(codes) == 0:
        raise BadValue("there are no codes to map; choose at least one image")
    broken = int((~np.isfinite(codes).all(axis=1)).sum())
    if broken:
        raise BadValue(
            "{broken} of {n} codes are not finite numbers; a map needs a model whose training did not diverge",
            broken=broken,
            n=len(codes),
        )
    return codes
