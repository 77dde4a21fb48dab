"""Batches: samples kept on the device as uint8 if they fit, else read from the data set batch by batch."""

import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor

from aeviz.data import Dataset
from aeviz.data.splits import Split
from aeviz.jobs import Worker
from aeviz.models import Batch
from aeviz.models.costs import free_memory

CHUNK = 4096
SHARE = 0.5  # of free memory that a data set may take to stay on the device


class Feed:
    """The samples of one split, served by position.

    On the CPU an array is used in place, in memory or memory-mapped, without a copy. On other devices, and for data
    sets generated on demand, the split is loaded up front if it fits. Otherwise batches are read one step ahead.
    """

    def __init__(
        self, dataset: Dataset, split: Split, device: str, worker: Worker | None = None, resident: bool | None = None
    ) -> None:
        self.images = dataset.images
        self.shape = dataset.shape
        self.rows = dataset.rows(split)
        self.device = device
        self.labels = torch.from_numpy(dataset.labels[self.rows].astype(np.int64)).to(device)
        self._pixels: Tensor | None = None
        self._places: Tensor | None = None  # of the split's rows in `_pixels`; None if identical
        if device == "cpu" and _is_array(dataset.images) and resident is None:
            self._pixels, self._places = _viewed(dataset.images), torch.from_numpy(self.rows.astype(np.int64))
        elif resident or (resident is None and self._fits()):
            self._pixels = self._load(worker)

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, positions: Tensor, part: tuple[int, int, int] | None = None) -> Batch:
        """The samples at positions (B,) of this split, as floats in [0, 1] on the device."""
        return self._batch(self._gather(positions), positions, part)

    def batches(self, order: list[Tensor], parts: list[tuple[int, int, int] | None] | None = None) -> Iterator[Batch]:
        """Yield a batch for each tensor of positions, prefetching the next one if samples are not resident."""
        parts = parts or [None] * len(order)
        if self._pixels is not None:
            yield from (self.batch(positions, part) for positions, part in zip(order, parts, strict=True))
            return
        # Copied from the GPU only once: later the reader would wait for the steps in progress.
        there = torch.cat(order).cpu().split([len(positions) for positions in order])
        with ThreadPoolExecutor(1) as reader:
            coming = [reader.submit(self._read, places) for places in there[:1]]
            for number, (positions, part) in enumerate(zip(order, parts, strict=True)):
                pixels = coming.pop().result()
                coming = [reader.submit(self._read, after) for after in there[number + 1 : number + 2]]
                yield self._batch(pixels, positions, part)

    @property
    def is_resident(self) -> bool:
        """Whether the pixels are on the device."""
        return self._pixels is not None

    def statistics(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the pixels in [0, 1], per channel: (C,) each."""
        channels = self.shape[0]
        count, sums, squares = 0, torch.zeros(channels, dtype=torch.float64), torch.zeros(channels, dtype=torch.float64)
        for positions in torch.arange(len(self), device=self.device).split(CHUNK):
            x = self.batch(positions).x.flatten(2).cpu().double()  # (B, C, H * W)
            count += x.shape[0] * x.shape[2]
            sums += x.sum((0, 2))
            squares += x.square().sum((0, 2))
        mean = sums / count
        deviation = (squares / count - mean.square()).clamp_min(1e-8).sqrt()
        return mean.float(), deviation.float()

    def _batch(self, pixels: Tensor, positions: Tensor, part: tuple[int, int, int] | None) -> Batch:
        x = pixels.float().div_(255.0)  # uint8 -> [0, 1]
        return Batch(x, x, self.labels[positions], part)

    def _gather(self, positions: Tensor) -> Tensor:
        if self._pixels is not None:
            return self._pixels.index_select(0, positions if self._places is None else self._places[positions])
        return self._read(positions.cpu())

    def _read(self, places: Tensor) -> Tensor:
        """Read the pixels at places (B,) of this split, a host tensor, from the data set to the device."""
        pixels = torch.from_numpy(np.ascontiguousarray(self.images[self.rows[places.numpy()]]))
        if self.device.startswith("cuda"):
            return pixels.pin_memory().to(self.device, non_blocking=True)
        return pixels.to(self.device)

    def _fits(self) -> bool:
        return len(self.rows) * int(np.prod(self.shape)) <= SHARE * free_memory(self.device)

    def _load(self, worker: Worker | None) -> Tensor:
        """Load the whole split to the device in chunks, so that it is never held twice."""
        resident = torch.empty((len(self.rows), *self.shape), dtype=torch.uint8, device=self.device)
        for start in range(0, len(self.rows), CHUNK):
            rows = self.rows[start : start + CHUNK]
            resident[start : start + len(rows)] = torch.from_numpy(np.ascontiguousarray(self.images[rows]))
            if worker:
                worker.report(message=f"Loading images: {start + len(rows):,} of {len(self.rows):,}")
                worker.check_stop()
        return resident


def _viewed(images: Any) -> Tensor:
    """The array as a tensor over the same memory; never written to, so read-only memory is fine."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(images)


def _is_array(images: object) -> bool:
    """Whether the images are in memory or memory-mapped, not generated on demand."""
    return isinstance(images, np.ndarray)


def steps_per_epoch(images: int, batch_size: int) -> int:
    """Number of batches that `split_order` makes for one process."""
    return max(1, -(-images // batch_size) - (images % batch_size == 1))


def split_order(order: Tensor, batch_size: int, least: int = 2) -> list[Tensor]:
    """Split a shuffled order into batches; a remainder below `least` joins the last one.

    Batch norm needs at least two samples per process.
    """
    batches = list(order.split(batch_size))
    if len(batches) > 1 and len(batches[-1]) < least:
        batches[-2:] = [torch.cat(batches[-2:])]
    return batches
