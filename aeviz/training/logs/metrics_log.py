"""The metrics log of a training: clock, running sums of the loss terms, and lines of metrics.jsonl."""

import time
from typing import Any

import torch
from torch import Tensor

from aeviz import files
from aeviz.runs import Position, Run


class MetricsLog:
    """Sums the loss terms of an epoch, and since the last line, with the images and seconds they took.

    `images` is the number of images per epoch. In distributed training only rank 0 `writes`.
    """

    def __init__(self, run: Run, images: int, batch_size: int, writes: bool) -> None:
        self.run, self.images, self.batch_size, self.writes = run, images, batch_size, writes
        self.sums: dict[str, Tensor] = {}
        self._seen: dict[str, float] = {}
        self._seen_at = self._begun_at = (0.0, 0)  # seconds, images

    def begin(self, position: Position, sums: dict[str, Tensor]) -> None:
        """Continue from a checkpoint's position and running sums."""
        self.position, self.sums = position, sums
        self._started = time.perf_counter() - position.seconds
        since = position.since
        self.clear()
        self.sums, self.position.since = sums, since

    def exclude(self, seconds: float) -> None:
        """Exclude idle seconds, such as a pause, from the clock."""
        self._started += seconds

    def add(self, terms: dict[str, Tensor], images: int) -> None:
        """Count a step and add its terms, weighted by its images; never waits for the device."""
        values = list(terms.values())
        if self.sums:
            torch._foreach_add_([self.sums[name] for name in terms], values, alpha=images)
        else:
            self.sums = dict(zip(terms, torch._foreach_mul(values, images), strict=True))
        self.position.step += 1
        self.position.offset += 1

    def totals(self) -> dict[str, float]:
        """The sums of the current epoch; waits for the device."""
        return {name: float(value) for name, value in self.sums.items()}

    def progress_line(self, totals: dict[str, float]) -> dict[str, Any] | None:
        """A line with mean terms and images/s since the last line; None if there were no steps since."""
        count = self._summed_images() - self._seen.get("count", 0.0)
        if count <= 0:
            return None
        train = {name: (value - self._seen.get(name, 0.0)) / count for name, value in totals.items()}
        line = {"epoch": self.position.epoch + 1, "train": train, "images_per_s": self._speed_since(self._seen_at)}
        self._seen = totals | {"count": float(self._summed_images())}
        self._seen_at = (self.seconds(), self._all_images())
        return line

    def end_epoch(self) -> dict[str, float]:
        """Return the epoch's mean terms and start the next epoch."""
        means = {name: value / self._summed_images() for name, value in self.totals().items()}
        self.position.epoch, self.position.offset, self.position.since = self.position.epoch + 1, 0, 0
        return means

    def clear(self) -> None:
        """Reset the running sums."""
        self.sums, self._seen, self.position.since = {}, {}, self.position.offset
        self._seen_at = self._begun_at = (self.seconds(), self._all_images())

    def seconds(self) -> float:
        """Training time in seconds, including that before the checkpoint."""
        return time.perf_counter() - self._started

    def speed(self) -> float | None:
        """Images per second in the epoch, or in its part since the training resumed; None if unknown."""
        return self._speed_since(self._begun_at)

    def _speed_since(self, then: tuple[float, int]) -> float | None:
        seconds, images = self.seconds() - then[0], self._all_images() - then[1]
        return round(images / seconds, 1) if seconds > 0 and images > 0 else None

    def write(self, line: dict[str, Any], rate: float) -> None:
        """Append a line to the metrics."""
        head = {
            "epoch": self.position.epoch,
            "step": self.position.step,
            "seconds": round(self.seconds(), 3),
            "lr": rate,
        }
        if self.writes:
            files.append_line(self.run.path / "metrics.jsonl", head | line)

    def _epoch_images(self) -> int:
        """Images seen in the current epoch."""
        return min(self.position.offset * self.batch_size, self.images)

    def _summed_images(self) -> int:
        """Images counted in the sums."""
        return self._epoch_images() - min(self.position.since * self.batch_size, self.images)

    def _all_images(self) -> int:
        return self.position.epoch * self.images + self._epoch_images()
