"""Follow a run's metrics file; each update reads only new lines."""

import os
import threading
import time
from collections.abc import Callable
from typing import Any

import streamlit as st

from aeviz import files, training
from aeviz.runs import Run, RunConfig
from aeviz.ui import words

FEW_EPOCHS = 5
MOST_POINTS = 700  # per curve sent to the browser
LOOK_SECONDS = 0.005
SCORES = ("mse", "psnr", "ssim")

Curve = tuple[list[float], list[float]]


class Follower:
    """The metrics a run has written so far; shared by all sessions."""

    def __init__(self, run: Run, config: RunConfig) -> None:
        self._path = run.path / "metrics.jsonl"
        self._steps = training.steps_per_epoch(config.data.splits["train"], config.training.batch_size)
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._read, self._file = 0, 0
        self._step = -1
        self._followed: set[int] = set()  # epochs with lines before their end
        self._curves: dict[str, Curve] = {}
        self.lines: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.best: dict[str, Any] | None = None
        self.vitals: dict[str, Any] | None = None
        self.gradients: dict[str, float] | None = None
        self.speeds: list[float] = []
        self.has_begun = False

    def look(self) -> None:
        """Read new lines; read the whole file again if a resume has truncated it."""
        with self._lock:
            try:
                state = os.stat(self._path)
            except FileNotFoundError:
                self._forget()
                return
            if state.st_size == self._read and state.st_ino == self._file:
                return
            if state.st_ino != self._file or state.st_size < self._read:
                self._forget()
                self._file = state.st_ino
            fresh, read = files.read_lines(self._path, self._read)
            if fresh and fresh[0].get("step", 0) < self._step:  # truncated, and already longer than before
                self._forget()
                self._file = state.st_ino
                fresh, read = files.read_lines(self._path)
            self._read = read
            for line in fresh:
                self._add(line)

    def _add(self, line: dict[str, Any]) -> None:
        self.lines.append(line)
        self._step = line["step"]
        self.has_begun |= line["step"] > 0
        if "event" in line:
            event = line["event"]
            shown = {"x": self._epochs(line), "step": line["step"], "words": event_words(event)}
            self.events.append({"kind": "", **event, **shown})
        if line.get("images_per_s"):
            self.speeds = [*self.speeds[-7:], line["images_per_s"]]
        self.vitals = line.get("vitals") or self.vitals
        self.gradients = line.get("gradients") or self.gradients
        val = line.get("val")
        if val is None and line["step"] > 1:
            self._followed.add(line["epoch"])
        if val is not None and (self.best is None or val["total"] < self.best["total"]):
            self.best = val
        # The mean over the epoch would appear as a spike among the lines written within it.
        parts = ("val",) if val is not None and line["epoch"] in self._followed else ("train", "val")
        for part in parts:
            for term, value in (line.get(part) or {}).items():
                if term not in SCORES and value is not None:
                    x, y = self._curves.setdefault(f"{part} {term}", ([], []))
                    x.append(self._epochs(line))
                    y.append(float(f"{value:.5g}"))

    def _epochs(self, line: dict[str, Any]) -> float:
        return round(float(line["step"]) / self._steps, 4)

    def curves(self) -> dict[str, Curve]:
        """Epochs (steps divided by steps per epoch) and losses by name, without terms equal to the total."""
        with self._lock:
            ordered = sorted(self._curves.items(), key=lambda named: named[0].startswith("val "))  # training first
            curves = {name: _thinned(self._without_start(name, curve)) for name, curve in ordered}
        for part in ("train", "val"):
            if curves.get(f"{part} reconstruction") == curves.get(f"{part} total"):
                curves.pop(f"{part} reconstruction", None)
        return curves

    def _without_start(self, name: str, curve: Curve) -> Curve:
        """Drop the untrained network's loss, which would dwarf the others, once there are enough points."""
        x, y = curve
        late = name.startswith("val") and len(x) > FEW_EPOCHS and x[0] == 0
        return (x[1:], y[1:]) if late else curve

    @property
    def seconds(self) -> float:
        """Training time in seconds."""
        return float(self.lines[-1]["seconds"]) if self.lines else 0.0

    @property
    def step(self) -> int:
        """The last step read."""
        return max(0, self._step)

    @property
    def changes(self) -> int:
        """Number of network changes."""
        return sum(event["kind"] == "change" for event in self.events)

    @property
    def steps_per_epoch(self) -> int:
        """Steps per epoch."""
        return self._steps


def _thinned(curve: Curve) -> Curve:
    """Keep every second, fourth, ... point and the last; stable between updates, so that curves do not flicker."""
    x, y = curve
    stride = 1
    while len(x) > MOST_POINTS * stride:
        stride *= 2
    if stride == 1:
        return list(x), list(y)
    last = [] if (len(x) - 1) % stride == 0 else [-1]
    return x[::stride] + [x[i] for i in last], y[::stride] + [y[i] for i in last]


def event_words(event: dict[str, Any]) -> str:
    """A short description of an event."""
    if event.get("kind") == "turn":
        name = words.label(str(event.get("path", "")).rpartition(".")[2])
        return f"{name} {words.number(event.get('from'))} → {words.number(event.get('to'))}"
    if event.get("kind") == "change":
        return "Network changed"
    if event.get("kind") == "refused":
        return f"Refused: {event.get('ask')}"
    return words.label(event.get("kind", "event"))


@st.cache_resource(max_entries=16, show_spinner=False)
def _follower(_run_id: str, path: str, _run: Run) -> Follower:
    return Follower(_run, _run.config())


def wait_until(done: Callable[[], bool], seconds: float) -> None:
    """Wait briefly for a condition, so that its result is drawn now and not at the next update."""
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(LOOK_SECONDS)


def follow(run: Run) -> Follower:
    """The run's metrics so far."""
    follower = _follower(run.id, str(run.path), run)
    follower.look()
    return follower
