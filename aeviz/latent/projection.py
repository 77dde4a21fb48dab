"""The contract of a projection: from codes to points on a map, and new codes onto the same map."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np

from aeviz.config import Settings
from aeviz.errors import BadValue

OnStep = Callable[[int, int, np.ndarray | None], None]


class Projection(ABC):
    """Codes (N, D) to points (N, dims); a subclass says how, and keeps what `place` needs as arrays."""

    name: ClassVar[str]
    label: ClassVar[str]
    slow: ClassVar[bool] = False
    Settings: ClassVar[type[Settings]]

    def __init__(self, settings: Any = None, *, n_jobs: int | None = None) -> None:
        self.settings = self.Settings() if settings is None else settings
        self.n_jobs = n_jobs or usable_cores()

    @abstractmethod
    def fit(self, codes: np.ndarray, on_step: OnStep | None = None) -> np.ndarray:
        """Points (N, dims) float32 for codes (N, D).

        Args:
            codes: (N, D).
            on_step: told `(done, total, points so far or None)`; what it raises ends the fit at once.

        Raises:
            BadValue: codes that are not finite, or too few of them.
        """

    @abstractmethod
    def place(self, codes: np.ndarray) -> np.ndarray:
        """Points (M, dims) float32 of further codes (M, D) on the map as it stands."""

    def invert(self, points: np.ndarray) -> np.ndarray | None:
        """Codes (M, D) that lie at points (M, dims), or None where the method has no such way back."""
        return None

    @abstractmethod
    def state(self) -> dict[str, np.ndarray]:
        """The fitted map as named arrays, enough for `from_state`."""

    @classmethod
    @abstractmethod
    def from_state(cls, settings: Any, arrays: dict[str, np.ndarray]) -> Self:
        """The map that `state` described."""

    def notes(self) -> dict[str, Any]:
        """What the method has to say about its fit, as plain JSON values."""
        return {}


def usable_cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def checked_codes(codes: np.ndarray) -> np.ndarray:
    """Codes (N, D) as float64.

    Raises:
        BadValue: some are not finite.
    """
    codes = np.asarray(codes, dtype=np.float64)
    broken = int((~np.isfinite(codes).all(axis=1)).sum())
    if broken:
        raise BadValue(
            "{broken} of {n} codes are not finite numbers; a map needs a model whose training did not diverge",
            broken=broken,
            n=len(codes),
        )
    return codes
