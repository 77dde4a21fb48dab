"""Latent traversals along one axis or over two, within the range of the data, and the effect of each axis."""

from typing import Any, Literal

import numpy as np
import torch

from aeviz.errors import BadValue
from aeviz.latent.encode import decode, device_of, evaluating, label_tensors
from aeviz.models.posterior import Gaussian

Order = Literal["variance", "kl", "effect"]
BATCH = 1024
LOW, HIGH = 1.0, 99.0  # percentiles of the data that bound a traversal


def ranges(codes: np.ndarray) -> np.ndarray:
    """The range (D, 2) of each dimension of codes (N, D): 1st and 99th percentile.

    Raises:
        BadValue: there are no codes.
    """
    if len(codes) == 0:
        raise BadValue("no codes to take the range of an axis from; choose at least one image")
    return np.percentile(np.asarray(codes, dtype=np.float64), [LOW, HIGH], axis=0).T


def traverse(z: np.ndarray, axis: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Copies (S, D) of code z (D,) moved along an axis (D,) to the coordinates in values (S,), in axis lengths.

    For a latent dimension the axis is a unit vector, and values replace that entry of the code.
    """
    z, axis = np.asarray(z, dtype=np.float64), np.asarray(axis, dtype=np.float64)
    steps = np.asarray(values, dtype=np.float64) - coordinates(z[None], axis[None])[0, 0]
    return (z + steps[:, None] * axis).astype(np.float32)


def coordinates(codes: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Coordinates (N, M) of codes (N, D) along axes (M, D), in axis lengths."""
    axes = np.asarray(axes, dtype=np.float64)
    return np.asarray(codes, dtype=np.float64) @ (axes / np.square(axes).sum(axis=1, keepdims=True)).T


def grid(centre: np.ndarray, across: np.ndarray, down: np.ndarray, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """Codes (Y, X, D) at centre (D,) + x across (D,) + y down (D,), for xs (X,) from left to right and ys (Y,)."""
    steps = np.asarray(ys)[:, None, None] * np.asarray(down) + np.asarray(xs)[None, :, None] * np.asarray(across)
    return (np.asarray(centre) + steps).astype(np.float32)


def plane_ranges(codes: np.ndarray, centre: np.ndarray, across: np.ndarray, down: np.ndarray) -> np.ndarray:
    """The range (2, 2) of codes (N, D) in the plane through centre (D,) spanned by two directions (D,).

    Raises:
        BadValue: there are no codes, or the directions are parallel or zero.
    """
    plane = np.stack([across, down]).astype(np.float64)  # (2, D)
    if np.linalg.matrix_rank(plane) < 2:
        raise BadValue("the two directions of a grid are one and the same, or zero; choose another one")
    return ranges((np.asarray(codes, dtype=np.float64) - centre) @ np.linalg.pinv(plane))


def principal_axes(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit principal axes (D, D) of codes (N, D), by decreasing variance, and the variances (D,).

    The largest entry of each is positive. Axes of zero variance are included.

    Raises:
        BadValue: fewer than 2 codes.
    """
    if len(codes) < 2:
        raise BadValue("{count} codes have no principal directions; use 2 or more", count=len(codes))
    variances, vectors = np.linalg.eigh(np.atleast_2d(np.cov(np.asarray(codes, dtype=np.float64), rowvar=False)))
    axes = vectors.T[::-1]
    largest = axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)]
    return axes * np.where(largest < 0, -1.0, 1.0)[:, None], variances[::-1].clip(min=0)


def kl_by_dimension(model: Any, images: Any, rows: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
    """KL divergence (D,) of posteriors from N(0, 1) per dimension, in nats, averaged over rows with labels (n,).

    Raises:
        BadValue: the model's codes are not distributions.
    """
    total = np.zeros(model.latent_dim)
    with evaluating(model), torch.inference_mode():
        for start in range(0, len(rows), BATCH):
            part = slice(start, start + BATCH)
            x = torch.from_numpy(np.array(images[rows[part]], dtype=np.uint8)).to(device_of(model)).float() / 255
            posterior = model.encode(x, *label_tensors(model, None if labels is None else labels[part]))
            if not isinstance(posterior, Gaussian):
                raise BadValue("only the codes of a VAE have a KL divergence; order by variance or effect")
            total += posterior.kl().double().sum(0).cpu().numpy()
    return total / max(len(rows), 1)


def effect(
    model: Any, bases: np.ndarray, axes: np.ndarray, reach: np.ndarray, labels: np.ndarray | None = None
) -> np.ndarray:
    """Effect (M,) of axes (M, D): mean squared pixel change between both ends of the reach (M, 2).

    Averaged over base codes (B, D) with labels (B,).
    """
    condition = None if labels is None else labels.repeat(2)
    changes = np.empty(len(axes))
    for number, (axis, ends) in enumerate(zip(axes, reach, strict=True)):
        swept = np.concatenate([traverse(z, axis, ends) for z in bases])  # (2 B, D)
        images = decode(model, swept, labels=condition)
        changes[number] = np.square(images[::2] - images[1::2]).mean(dtype=np.float64)
    return changes
