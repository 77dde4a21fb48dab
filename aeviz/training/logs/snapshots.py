"""Snapshots of a network during training: preview, film frame and vitals, at a limited rate."""

import time
from typing import Any

from aeviz.data import Dataset
from aeviz.models import Autoencoder
from aeviz.runs import Run
from aeviz.training.doctor.measurements import observe
from aeviz.training.logs.frames import FrameWriter
from aeviz.training.logs.preview import write_preview

SECONDS = 0.5  # between two snapshots
SHARE = 0.015  # of the training time that snapshots may take
FIRST_LOSS_SECONDS = 0.1  # delay of the first snapshot, so that the first loss comes before it


class Snapshots:
    """Takes snapshots of one run. In distributed training only rank 0 `writes`."""

    def __init__(self, run: Run, dataset: Dataset, device: str, writes: bool) -> None:
        self.run, self.dataset = run, dataset
        self.frames = FrameWriter(run, dataset, device) if writes else None

    def begin(self, step: int) -> None:
        """Continue from a step; later frames are dropped."""
        if self.frames is not None:
            self.frames.cut(step)
        self._again = time.perf_counter() + FIRST_LOSS_SECONDS

    def is_due(self) -> bool:
        """Whether the last snapshot is long enough ago, given its cost."""
        return time.perf_counter() > self._again

    def take(self, model: Autoencoder, step: int) -> dict[str, Any]:
        """Write preview and film frame; return the vitals for a line of metrics. Leaves eval mode on."""
        began = time.perf_counter()
        line: dict[str, Any] = {}
        if self.frames is not None:
            write_preview(self.run, model, self.dataset)
            line["vitals"], codes = observe(model, self.frames)
            self.frames.snap(model, step, codes)
        ended = time.perf_counter()
        self._again = ended + max(SECONDS, (ended - began) / SHARE)
        return line
