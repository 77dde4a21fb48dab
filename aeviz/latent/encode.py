"""Images through a model: to codes, back to images, and both at once, a batch at a time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

OnStep = Callable[[int, int], None]
BATCH_SIZE = 1024


class Reconstruction(NamedTuple):
    """A batch on its way through a model: which rows, the images, their codes, and what came back."""

    rows: np.ndarray  # (B,) int64
    x: np.ndarray  # (B, C, H, W) uint8
    z: np.ndarray  # (B, D) float32
    x_hat: np.ndarray  # (B, C, H, W) float32 in [0, 1]


def encode(
    model: Any,
    images: Any,
    rows: np.ndarray,
    *,
    labels: np.ndarray | None = None,
    batch_size: int = BATCH_SIZE,
    on_step: OnStep | None = None,
) -> np.ndarray:
    """The codes (n, D) of the given rows of images (N, C, H, W); `on_step(done, total)` may raise to cancel.

    A conditional network is told labels (n,), see `aeviz.latent.conditioning`.
    """
    rows = np.asarray(rows, dtype=np.int64)
    codes = np.empty((len(rows), model.latent_dim), dtype=np.float32)
    with evaluating(model):
        for start in range(0, len(rows), batch_size):
            chunk = rows[start : start + batch_size]
            codes[start : start + len(chunk)] = _code(model, _pixels(images, chunk), _part(labels, start, batch_size))
            if on_step:
                on_step(start + len(chunk), len(rows))
    return codes


def decode(model: Any, codes: np.ndarray, batch_size: int = BATCH_SIZE, labels: np.ndarray | None = None) -> np.ndarray:
    """The images (n, C, H, W), floats in [0, 1], that codes (n, D) stand for.

    A conditional network is told labels (n,) or shares of the classes (n, K + 1), see `aeviz.latent.conditioning`.
    """
    codes = np.asarray(codes, dtype=np.float32)
    images = np.empty((len(codes), *model.sample_shape), dtype=np.float32)
    with evaluating(model):
        for start in range(0, len(codes), batch_size):
            chunk = slice(start, start + batch_size)
            images[chunk] = _decode(model, codes[chunk], _part(labels, start, batch_size))
    return images


def reconstruct(
    model: Any,
    images: Any,
    rows: np.ndarray,
    *,
    labels: np.ndarray | None = None,
    batch_size: int = BATCH_SIZE,
    on_step: OnStep | None = None,
) -> Iterator[Reconstruction]:
    """The given rows of images (N, C, H, W) with their codes and what the model makes of them, batch by batch.

    A conditional network is told labels (n,), see `aeviz.latent.conditioning`.
    """
    rows = np.asarray(rows, dtype=np.int64)
    with evaluating(model):
        for start in range(0, len(rows), batch_size):
            chunk = rows[start : start + batch_size]
            x = _pixels(images, chunk)
            condition = _part(labels, start, batch_size)
            z = _code(model, x, condition)
            yield Reconstruction(chunk, x, z, _decode(model, z, condition))
            if on_step:
                on_step(start + len(chunk), len(rows))


def _pixels(images: Any, rows: np.ndarray) -> np.ndarray:
    # A copy: rows of a memory map are read-only, and torch wants memory it may own.
    return np.array(images[rows], dtype=np.uint8)


def _part(labels: np.ndarray | None, start: int, size: int) -> np.ndarray | None:
    return None if labels is None else labels[start : start + size]


def label_tensors(model: Any, labels: np.ndarray | None) -> tuple[Tensor, ...]:
    """Labels (B,) or shares (B, K + 1) as the further argument of a model that is told them, else none."""
    if labels is None:
        return ()
    numbers = np.array(labels, np.int64 if labels.ndim == 1 else np.float32)
    return (torch.from_numpy(numbers).to(device_of(model)),)


# inference_mode stands on whole functions: around a `yield` it would leak into the caller's code.
@torch.inference_mode()
def _code(model: Any, x: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
    z = model.code(torch.from_numpy(x).to(device_of(model)).float() / 255, *label_tensors(model, labels))
    return z.float().reshape(len(x), -1).cpu().numpy()  # (B, D)


@torch.inference_mode()
def _decode(model: Any, z: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
    x_hat: Tensor = model.decode(torch.from_numpy(np.array(z)).to(device_of(model)), *label_tensors(model, labels))
    return x_hat.float().cpu().numpy()


def device_of(model: Any) -> torch.device:
    """Where a model's numbers are."""
    parameter = next(model.parameters(), None)
    return torch.device("cpu") if parameter is None else parameter.device


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Evaluation mode for a while; a model already in it is left untouched, as other sessions may be using it."""
    was_training = model.training
    if was_training:
        model.eval()
    try:
        yield
    finally:
        if was_training:
            model.train()
