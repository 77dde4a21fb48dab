"""Encode, decode and reconstruct images in batches."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

OnStep = Callable[[int, int], None]
BATCH_SIZE = 1024


class Reconstruction(NamedTuple):
    """A reconstructed batch: row numbers, images, codes and reconstructions."""

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
    """Encode rows of images (N, C, H, W) to codes (n, D); `on_step(done, total)` may raise to cancel.

    A conditional network takes labels (n,), see `aeviz.latent.conditioning`.
    """
    rows = np.asarray(rows, dtype=np.int64)
    codes = np.empty((len(rows), model.latent_dim), dtype=np.float32)
    with evaluating(model):
        for chunk in _chunks(len(rows), batch_size, on_step):
            codes[chunk] = _code(model, _pixels(images, rows[chunk]), _part(labels, chunk))
    return codes


def decode(model: Any, codes: np.ndarray, batch_size: int = BATCH_SIZE, labels: np.ndarray | None = None) -> np.ndarray:
    """Decode codes (n, D) to images (n, C, H, W), floats in [0, 1].

    A conditional network takes labels (n,) or class shares (n, K + 1), see `aeviz.latent.conditioning`.
    """
    codes = np.asarray(codes, dtype=np.float32)
    images = np.empty((len(codes), *model.sample_shape), dtype=np.float32)
    with evaluating(model):
        for chunk in _chunks(len(codes), batch_size):
            images[chunk] = _decode(model, codes[chunk], _part(labels, chunk))
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
    """Reconstruct rows of images (N, C, H, W), batch by batch.

    A conditional network takes labels (n,), see `aeviz.latent.conditioning`.
    """
    rows = np.asarray(rows, dtype=np.int64)
    with evaluating(model):
        for chunk in _chunks(len(rows), batch_size, on_step):
            x, condition = _pixels(images, rows[chunk]), _part(labels, chunk)
            z = _code(model, x, condition)
            yield Reconstruction(rows[chunk], x, z, _decode(model, z, condition))


def _chunks(count: int, batch_size: int, on_step: OnStep | None = None) -> Iterator[slice]:
    """The places of each batch; reports each once it is done."""
    for start in range(0, count, batch_size):
        end = min(start + batch_size, count)
        yield slice(start, end)
        if on_step:
            on_step(end, count)


def _pixels(images: Any, rows: np.ndarray) -> np.ndarray:
    # Copy: rows of a memory map are read-only, and torch needs writable memory.
    return np.array(images[rows], dtype=np.uint8)


def _part(labels: np.ndarray | None, chunk: slice) -> np.ndarray | None:
    return None if labels is None else labels[chunk]


def label_tensors(model: Any, labels: np.ndarray | None) -> tuple[Tensor, ...]:
    """Labels (B,) or class shares (B, K + 1) as an extra argument for a conditional model; empty without labels."""
    if labels is None:
        return ()
    numbers = np.array(labels, np.int64 if labels.ndim == 1 else np.float32)
    return (torch.from_numpy(numbers).to(device_of(model)),)


# inference_mode decorates whole functions: around a `yield` it would leak into the caller.
@torch.inference_mode()
def _code(model: Any, x: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
    z = model.code(torch.from_numpy(x).to(device_of(model)).float() / 255, *label_tensors(model, labels))
    return z.float().reshape(len(x), -1).cpu().numpy()  # (B, D)


@torch.inference_mode()
def _decode(model: Any, z: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
    x_hat: Tensor = model.decode(torch.from_numpy(np.array(z)).to(device_of(model)), *label_tensors(model, labels))
    return x_hat.float().cpu().numpy()


def device_of(model: Any) -> torch.device:
    """The device that holds a model's parameters."""
    parameter = next(model.parameters(), None)
    return torch.device("cpu") if parameter is None else parameter.device


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Switch a model to eval mode temporarily; one already in it is untouched, since sessions may share it."""
    was_training = model.training
    if was_training:
        model.eval()
    try:
        yield
    finally:
        if was_training:
            model.train()
