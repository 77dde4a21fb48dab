"""Intermediate frames of a map, passed from the computing process to viewers."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aeviz.latent.projections.base import Step
from aeviz.results.store import Report, read_arrays, write_arrays

SECONDS_BETWEEN = 0.25


@dataclass(frozen=True)
class Frame:
    """Points (N, 2|3) during a fit, with KL divergence and seconds left, NaN if unknown."""

    iteration: int
    iterations: int
    kl: float
    seconds_left: float
    points: np.ndarray


OnFrame = Callable[[Frame], None]


def ignore_frame(frame: Frame) -> None:
    """An `on_frame` that does nothing."""


class FrameFile:
    """The latest frame in a job's folder, written at most four times a second."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "frame.npz"
        self._written = -SECONDS_BETWEEN

    def write(self, frame: Frame) -> None:
        """Write the frame, unless the last write was under a quarter of a second ago."""
        if time.monotonic() - self._written < SECONDS_BETWEEN:
            return
        numbers = {name: np.array(getattr(frame, name)) for name in ("iteration", "iterations", "kl", "seconds_left")}
        write_arrays(self._path, {"points": frame.points.astype(np.float32)} | numbers)
        self._written = time.monotonic()

    def drop(self) -> None:
        """Delete the frame of an earlier attempt."""
        self._path.unlink(missing_ok=True)

    def read(self) -> Frame | None:
        """Read the frame; None if it is missing or unreadable."""
        arrays = read_arrays(self._path)
        if arrays is None:
            return None
        points = arrays.pop("points")
        return Frame(**{name: number.item() for name, number in arrays.items()}, points=points)


class Watcher:
    """An `on_step` that turns steps into frames and progress reports; the report may stop the fit."""

    def __init__(self, label: str, report: Report, on_frame: OnFrame) -> None:
        self._message = f"Computing {label}"
        self._report, self._on_frame = report, on_frame
        self._started: tuple[int, float] | None = None  # the first iteration and its time

    def __call__(self, step: Step) -> None:
        seconds_left = self._seconds_left(step)
        if step.points is not None:
            self._on_frame(Frame(step.done, step.total, step.kl, seconds_left, step.points))
        self._report(step.done, step.total, self._message)

    def _seconds_left(self, step: Step) -> float:
        now = time.monotonic()
        if self._started is None or step.done <= self._started[0]:
            self._started = step.done, now  # work before the first iteration does not count
            return float("nan")
        first, since = self._started
        return (now - since) / (step.done - first) * (step.total - step.done)
