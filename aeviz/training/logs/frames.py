"""Writes the film of a training: codes of fixed probe images and a few reconstructions, by step."""

import io
from typing import Any

import numpy as np
import torch
from torch import Tensor

from aeviz import files
from aeviz.data import Dataset, pictures
from aeviz.data.counter_rng import fixed_permutation
from aeviz.latent.encode import decode, encode
from aeviz.models import Autoencoder
from aeviz.models.base import Batch
from aeviz.runs import Run
from aeviz.runs import frames as film

PROBES = 2000
MOST_FRAMES = 240
LEAST_FRAMES = 30
FILM_BYTES = 64 * 2**20  # wide codes get fewer frames: 240 up to 69 dimensions, 32 for 512
PICTURES = 8
SIDE = 56  # pixels: smaller images are enlarged to at least this
PURPOSE = 2  # of the permutation that selects the probes; 0 and 1 make the splits
MOST_FLOAT16 = float(np.finfo(np.float16).max)


class FrameWriter:
    """Writes one run's film; each training process creates its own writer, which appends to the existing film.

    The newest frame is always on disk. It is kept if it comes at least `spacing` steps after the previous one; when
    there are too many frames, the spacing doubles and closer ones are dropped.
    """

    def __init__(self, run: Run, dataset: Dataset, device: str) -> None:
        self.run, self.dataset = run, dataset
        film.frames_folder(run).mkdir(exist_ok=True, mode=0o700)
        files.sweep(film.frames_folder(run))
        self.index, self.labels = self._probes()
        self.images = _rows(dataset, self.index)  # (P, ...) uint8
        self.device = device
        self._shown_rows = _first_rows(dataset, PICTURES)
        self._shown = _rows(dataset, self._shown_rows)
        self._begin()

    def __len__(self) -> int:
        return len(self.index)

    def batch(self, positions: Tensor) -> Batch:
        """Probes by position (B,) as network input, so that `diagnostics.observe` uses the same images."""
        places = positions.cpu()
        x = torch.from_numpy(self.images[places.numpy()]).to(self.device).float().div_(255.0)  # uint8 -> [0, 1]
        return Batch(x, x, torch.from_numpy(self.labels)[places].to(self.device))

    def snap(self, model: Autoencoder, step: int, codes: Tensor | None = None) -> None:
        """Write the frame of a step; pass the probes' `codes` (P, D) if already computed."""
        if codes is None:
            z = encode(model, self.images, np.arange(len(self.images)), labels=self.labels)
        else:
            z = codes.detach().float().cpu().numpy()
        # Codes of a diverging network may exceed the range of float16.
        frame = np.clip(z, -MOST_FLOAT16, MOST_FLOAT16).astype(np.float16)
        if self._is_picture():
            files.write_bytes(film.picture_path(self.run, step), self._picture(self._rebuilt(model)))
        files.write_bytes(film.codes_path(self.run, step), _npy(frame))
        self._keep(step, most=min(MOST_FRAMES, max(LEAST_FRAMES, FILM_BYTES // frame.nbytes)))

    def _rebuilt(self, model: Autoencoder) -> np.ndarray:
        """Reconstructions of the images shown, (n, C, H, W) uint8."""
        labels = self.dataset.labels[self._shown_rows]
        z = encode(model, self._shown, np.arange(len(self._shown)), labels=labels)
        return pictures.to_pixels(decode(model, z, labels=labels))

    def cut(self, step: int) -> None:
        """Remove frames after this step, which will be taken again or were undone."""
        for later in [kept for kept in self.steps if kept > step]:
            self._remove(later)

    def _begin(self) -> None:
        """Continue the existing film."""
        self.steps = film.frame_steps(self.run)
        gaps = np.diff(self.steps[:-1])
        self.spacing = int(gaps.min()) if len(gaps) else 1
        if self._is_picture() and not film.originals_path(self.run).exists():
            files.write_bytes(film.originals_path(self.run), self._picture(self._shown))

    def _probes(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows and labels of the probes, fixed for the life of the run."""
        index, labels = film.read_probes(self.run)
        if not len(index):
            index = _first_rows(self.dataset, PROBES)
            labels = self.dataset.labels[index].astype(np.int64)
            content = io.BytesIO()
            np.savez(content, index=index, labels=labels)
            files.write_bytes(film.probes_path(self.run), content.getvalue())
        return index, labels

    def _keep(self, step: int, most: int) -> None:
        """Register a new frame and drop those that are no longer needed."""
        if step in self.steps:
            return
        if len(self.steps) > 1 and self.steps[-1] - self.steps[-2] < self.spacing:
            self._remove(self.steps[-1])
        self.steps.append(step)
        if len(self.steps) > most:
            self._thin()

    def _thin(self) -> None:
        """Keep about every other frame, evenly over the steps, including the first and the last."""
        # Frames are timed by the clock, so not quite even: 3/4 of the wanted distance keeps every other one.
        wanted = 2 * (self.steps[-1] - self.steps[0]) / (len(self.steps) - 1)
        self.spacing = max(2 * self.spacing, int(0.75 * wanted))
        last_kept = self.steps[0]
        for step in self.steps[1:-1]:
            if step - last_kept < self.spacing:
                self._remove(step)
            else:
                last_kept = step

    def _remove(self, step: int) -> None:
        film.codes_path(self.run, step).unlink(missing_ok=True)
        film.picture_path(self.run, step).unlink(missing_ok=True)
        self.steps.remove(step)

    def _is_picture(self) -> bool:
        return self._shown.ndim == 4

    def _picture(self, images: np.ndarray) -> bytes:
        scale = max(1, -(-SIDE // images.shape[-1]))
        return pictures.encode_mosaic(images, columns=len(images), scale=scale)


def _first_rows(dataset: Dataset, most: int) -> np.ndarray:
    """Up to `most` rows of a data set, validation before train, in an order fixed by its name."""
    chosen: list[np.ndarray] = []
    for split in ("val", "train"):
        rows = dataset.rows(split)
        chosen.append(rows[fixed_permutation(dataset.name, PURPOSE, len(rows))])
    return np.concatenate(chosen)[:most].astype(np.int64)


def _rows(dataset: Dataset, index: np.ndarray) -> np.ndarray:
    """Images of rows in any order, read in their order on disk."""
    order = np.argsort(index)
    images = np.array(dataset.images[index[order]], dtype=np.uint8)
    images[order] = images.copy()
    return images


def _npy(array: Any) -> bytes:
    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    return content.getvalue()
