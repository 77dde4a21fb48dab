"""A run's numbers as they come in: every look reads only what was written since the last."""

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
MOST_POINTS = 700  # of one curve that are sent to the browser
LOOK_SECONDS = 0.005
SCORES = ("mse", "psnr", "ssim")

Curve = tuple[list[float], list[float]]


class Follower:
    """What a run has written so far, shared by all who watch it."""

    def __init__(self, run: Run, config: RunConfig) -> None:
        self._path = run.path / "metrics.jsonl"
        self._steps = training.steps_per_epoch(config.data.splits["train"], config.training.batch_size)
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._read, self._file = 0, 0
        self._step = -1
        self._followed: set[int] = set()  # epochs that have lines of their own within them
        self._curves: dict[str, Curve] = {}
        self.lines: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.best: dict[str, Any] | None = None
        self.vitals: dict[str, Any] | None = None
        self.gradients: dict[str, float] | None = None
        self.speeds: list[float] = []
        self.has_begun = False

    def look(self) -> None:
        """Take in what was written since the last look; all of it anew where a resume has cut the file."""
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
            if fresh and fresh[0].get("step", 0) < self._step:  # cut, and already longer again than before
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
            told = {"x": self._epochs(line), "step": line["step"], "words": event_words(event)}
            self.events.append({"kind": "", **event, **told})
        if line.get("images_per_s"):
            self.speeds = [*self.speeds[-7:], line["images_per_s"]]
        self.vitals = line.get("vitals") or self.vitals
        self.gradients = line.get("gradients") or self.gradients
        val = line.get("val")
        if val is None and line["step"] > 1:
            self._followed.add(line["epoch"])
        if val is not None and (self.best is None or val["total"] < self.best["total"]):
            self.best = val
        # An epoch's own mean would stand as a spike among the lines written within the epoch.
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
        """Epochs (steps over steps per epoch) and losses by name; a term that equals the total is left out."""
        with self._lock:
            ordered = sorted(self._curves.items(), key=lambda named: named[0].startswith("val "))  # training first
            curves = {name: _thinned(self._without_start(name, curve)) for name, curve in ordered}
        for part in ("train", "val"):
            if curves.get(f"{part} reconstruction") == curves.get(f"{part} total"):
                curves.pop(f"{part} reconstruction", None)
        return curves

    def _without_start(self, name: str, curve: Curve) -> Curve:
        """The loss of the untrained network would dwarf the rest, once there is enough of it."""
        x, y = curve
        late = name.startswith("val") and len(x) > FEW_EPOCHS and x[0] == 0
        return (x[1:], y[1:]) if late else curve

    @property
    def seconds(self) -> float:
        """Seconds at work."""
        return float(self.lines[-1]["seconds"]) if self.lines else 0.0

    @property
    def step(self) -> int:
        """The last step heard of."""
        return max(0, self._step)

    @property
    def changes(self) -> int:
        """How often the network was changed."""
        return sum(event["kind"] == "change" for event in self.events)

    @property
    def steps_per_epoch(self) -> int:
        """Steps an epoch takes."""
        return self._steps


def _thinned(curve: Curve) -> Curve:
    """Every second, fourth, ... point and the last; the same ones at the next look, so that nothing shimmers."""
    x, y = curve
    stride = 1
    while len(x) > MOST_POINTS * stride:
        stride *= 2
    if stride == 1:
        return list(x), list(y)
    last = [] if (len(x) - 1) % stride == 0 else [-1]
    return x[::stride] + [x[i] for i in last], y[::stride] + [y[i] for i in last]


def event_words(event: dict[str, Any]) -> str:
    """What has happened, in few words."""
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
    """Wait a moment for what is about to be written, so that it is drawn at once and not at the next look."""
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(LOOK_SECONDS)


def follow(run: Run) -> Follower:
    """The run's numbers up to now."""
    follower = _follower(run.id, str(run.path), run)
    follower.look()
    return follower
