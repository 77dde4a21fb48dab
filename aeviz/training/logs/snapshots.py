"""What people are let see while a network learns: its pictures, its map, and what goes on inside; not too often."""

import time
from typing import Any

from aeviz.data import Dataset
from aeviz.models import Autoencoder
from aeviz.runs import Run
from aeviz.training.doctor.diagnostics import observe
from aeviz.training.logs.frames import FrameWriter
from aeviz.training.logs.preview import write_preview

SECONDS = 0.5  # between two showings
SHARE = 0.015  # of a training's time that they may take
FIRST_LOSS_SECONDS = 0.1  # in which the first loss is to be there, before anything is shown


class Snapshots:
    """Shows one run; one that does not write belongs to a process that trains along."""

    def __init__(self, run: Run, dataset: Dataset, device: str, writes: bool) -> None:
        self.run, self.dataset = run, dataset
        self.frames = FrameWriter(run, dataset, device) if writes else None

    def begin(self, step: int) -> None:
        """Go on from a step; frames of later ones are dropped."""
        if self.frames is not None:
            self.frames.cut(step)
        self._again = time.perf_counter() + FIRST_LOSS_SECONDS

    def is_due(self) -> bool:
        """Whether the last showing was long ago, by what it took."""
        return time.perf_counter() > self._again

    def take(self, model: Autoencoder, step: int) -> dict[str, Any]:
        """Show where a network stands; what goes on inside, for a line. Leaves eval mode on."""
        began = time.perf_counter()
        told: dict[str, Any] = {}
        if self.frames is not None:
            write_preview(self.run, model, self.dataset)
            told["vitals"], codes = observe(model, self.frames)
            self.frames.snap(model, step, codes)
        ended = time.perf_counter()
        self._again = ended + max(SECONDS, (ended - began) / SHARE)
        return told
