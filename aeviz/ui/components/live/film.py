"""The film of the map: aligned codes of the same probe images at successive steps."""

import threading

import numpy as np
import streamlit as st

from aeviz.latent.projections.align import Aligner
from aeviz.runs import Run, frames
from aeviz.ui.components.live import bridges
from aeviz.ui.components.live.follow import Follower

TAIL = 24  # frames sent on each update during training; the browser keeps earlier ones


class Reel:
    """A run's frames, each aligned to the previous one; shared by all sessions."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._aligner = Aligner()
        self._points: dict[int, np.ndarray] = {}
        self.labels = np.zeros(0, np.int64)

    def look(self) -> tuple[list[tuple[int, np.ndarray]], float]:
        """Steps and points (P, 2) of all frames, and the radius that contains them."""
        with self._lock:
            steps = frames.frame_steps(self._run)
            last = max(self._points, default=-1)
            if last > max(steps, default=-1):  # a resume has removed frames
                self._forget()
                last = -1
            if steps and not len(self.labels):
                self.labels = frames.read_probes(self._run)[1]
            for step in steps:
                if step > last and (codes := frames.read_codes(self._run, step)) is not None:
                    self._points[step] = self._aligner.add(codes)
            return [(step, self._points[step]) for step in steps if step in self._points], self._aligner.radius


@st.cache_resource(max_entries=4, show_spinner=False)
def _reel(_run_id: str, _path: str, _run: Run) -> Reel:
    return Reel(_run)


def film_view(run: Run, follower: Follower, names: tuple[str, ...], live: bool, height: int) -> None:
    """Draw the map during training; afterwards a film to scrub and play."""
    reel = _reel(run.id, str(run.path), run)
    shot, radius = reel.look()
    shown = shot[-TAIL:] if live else shot
    bridges.film(
        [(step, step / follower.steps_per_epoch, points) for step, points in shown], reel.labels, names,
        key="film", about=run.id, reach=radius, live=live, full=not live, height=height,
    )  # fmt: skip
