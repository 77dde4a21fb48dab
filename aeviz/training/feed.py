"""Batches: samples resident on the device as uint8 where they fit, else read from the set as they come."""

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from aeviz.data import Dataset
from aeviz.jobs import Worker
from aeviz.models import Batch
from aeviz.models.budget import free_memory

Split = Literal["train", "val", "test"]
CHUNK = 4096
SHARE = 0.5  # of the free memory a set may take to stay on the device


class Feed:
    """The rows of one split, served by position."""

    def __init__(self, dataset: Dataset, split: Split, device: str, worker: Worker | None = None) -> None:
        self.dataset = dataset
        self.rows = dataset.rows(split)
        self.device = device
        self.labels = torch.from_numpy(dataset.labels[self.rows].astype(np.int64)).to(device)
        self.resident = self._load(worker) if self._fits() else None

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, positions: Tensor) -> Batch:
        """The samples at positions (B,) of this split, as floats in [0, 1] on the device."""
        if self.resident is not None:
            pixels = self.resident[positions]
        else:
            pixels = torch.from_numpy(self.dataset.images[self.rows[positions.cpu().numpy()]]).to(self.device)
        x = pixels.float().div_(255.0)  # uint8 -> [0, 1]
        return Batch(x, x, self.labels[positions])

    def _fits(self) -> bool:
        return len(self.rows) * int(np.prod(self.dataset.shape)) <= SHARE * free_memory(self.device)

    def _load(self, worker: Worker | None) -> Tensor:
        """The whole split on the device, filled in chunks so that it is never held twice."""
        resident = torch.empty((len(self.rows), *self.dataset.shape), dtype=torch.uint8, device=self.device)
        for start in range(0, len(self.rows), CHUNK):
            rows = self.rows[start : start + CHUNK]
            resident[start : start + len(rows)] = torch.from_numpy(np.ascontiguousarray(self.dataset.images[rows]))
            if worker:
                worker.report(message=f"Loading images: {start + len(rows):,} of {len(self.rows):,}")
                worker.check_stop()
        return resident
