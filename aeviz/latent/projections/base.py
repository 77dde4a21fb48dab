"""Interface of projections: map codes to points, and new codes onto the same map."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from aeviz.config import Settings
from aeviz.errors import BadValue, MissingPackage, NotNow, install_command


class Step(NamedTuple):
    """Progress of a fit: iterations done and in total, current points (N, dims), and KL divergence where known."""

    done: int
    total: int
    points: np.ndarray | None = None
    kl: float = float("nan")


OnStep = Callable[[Step], None]


def ignore_step(step: Step) -> None:
    """An `on_step` that does nothing."""


class Projection(ABC):
    """Map codes (N, D) to points (N, dims); a subclass implements it and keeps what `place` needs as arrays."""

    name: ClassVar[str]
    label: ClassVar[str]
    summary: ClassVar[str]  # shown where the user chooses a method
    slow: ClassVar[bool] = False  # computed in a separate process
    linear: ClassVar[bool] = False  # points are an affine function of the codes, with an exact inverse transform
    supervised: ClassVar[bool] = False  # needs labels
    needs: ClassVar[tuple[str, ...]] = ()  # optional packages, by their pip names
    Settings: ClassVar[type[Settings]]

    def __init__(self, settings: Any = None) -> None:
        self.settings = self.Settings() if settings is None else settings

    @classmethod
    def missing(cls) -> str | None:
        """The pip command that installs missing packages; None if nothing is missing."""
        return install_command(cls.needs)

    @classmethod
    def check_installed(cls) -> None:
        """Check that all packages the method needs are installed.

        Raises:
            MissingPackage: a package is missing; includes the pip command.
        """
        line = cls.missing()
        if line:
            raise MissingPackage("{label} is not installed here; install it with: {line}", label=cls.label, line=line)

    @abstractmethod
    def fit(self, codes: np.ndarray, on_step: OnStep = ignore_step, labels: np.ndarray | None = None) -> np.ndarray:
        """Fit the map to codes (N, D) and return points (N, dims) float32.

        Args:
            codes: (N, D).
            on_step: called with the progress; may raise to stop the fit.
            labels: (N,), -1 if unknown; used by supervised methods only.

        Raises:
            BadValue: non-finite codes, too few codes, or too few classes.
            MissingPackage: a required package is not installed.
        """

    def resume(self, on_step: OnStep = ignore_step) -> np.ndarray:
        """Resume the fit and return points (N, dims); runs the remaining iterations, or as many again if none remain.

        Raises:
            NotNow: the method does not iterate.
        """
        raise NotNow("{label} is complete after one fit; only t-SNE can resume", label=self.label)

    def so_far(self) -> np.ndarray | None:
        """The points (N, dims) of a fit stopped by its `on_step`; None if there are none yet."""
        return None

    @abstractmethod
    def place(self, codes: np.ndarray) -> np.ndarray:
        """Place new codes (M, D) on the fitted map as points (M, dims) float32.

        Each row's point is bitwise independent of the other rows.
        """

    @abstractmethod
    def invert(self, points: np.ndarray) -> np.ndarray:
        """Inverse transform: the map's best estimate of the codes (M, D) float32 at points (M, dims)."""

    @abstractmethod
    def state(self) -> dict[str, np.ndarray]:
        """The fitted map as named arrays, enough for `from_state`."""

    @classmethod
    @abstractmethod
    def from_state(cls, settings: Any, arrays: dict[str, np.ndarray]) -> Self:
        """Restore a fitted map from the arrays of `state`."""

    def notes(self) -> dict[str, Any]:
        """Facts about the fit as JSON values; `axes` holds axis names if they have any."""
        return {}


def checked_codes(codes: np.ndarray) -> np.ndarray:
    """Validate codes (N, D) and return them as float64.

    Raises:
        BadValue: no codes, or non-finite codes.
    """
    codes = np.asarray(codes, dtype=np.float64)
    if len(codes) == 0:
        raise BadValue("no codes to map; choose at least one image")
    broken = int((~np.isfinite(codes).all(axis=1)).sum())
    if broken:
        raise BadValue(
            "{broken} of {n} codes are not finite numbers; a map needs a model whose training did not diverge",
            broken=broken,
            n=len(codes),
        )
    return codes
