"""Per-point quality of a map and its codes: neighbour preservation, decoder stretch and round-trip error."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.func import jvp

from aeviz.latent.encode import device_of, evaluating, label_tensors
from aeviz.latent.neighbours import own_nearest

OnStep = Callable[[int, int], None]
BATCH_SIZE = 256
PROBES = 64  # directions the stretch is measured in; up to this latent size, all axes
CHUNK = 4096
ROUNDING = 1e-9


def neighbour_preservation(
    codes: np.ndarray, points: np.ndarray, k: int = 15, on_step: OnStep | None = None
) -> np.ndarray:
    """The share (N,) of each point's k nearest points that are also among its k nearest codes.

    The mean over all points is Q_NX(k) of Lee & Verleysen, Neurocomputing 2009,
    https://doi.org/10.1016/j.neucom.2008.12.017. Codes tied with the k-th nearest count as neighbours,
    so that duplicate codes (as in a VQ-VAE) do not lower the score.

    Args:
        codes: (N, D).
        points: (N, 2 | 3), their points on the map.
        k: number of neighbours, at most N - 1.
        on_step: called with `(done, total)` rows; may raise to cancel.
    """
    n, step = len(codes), on_step or (lambda done, total: None)
    codes = np.asarray(codes, dtype=np.float64)
    if n < 2:
        return np.full(n, np.nan)
    distances, _ = own_nearest(codes, k, on_step=lambda done, _: step(done, 2 * n))
    _, rows = own_nearest(points, k, on_step=lambda done, _: step(n + done, 2 * n))
    reach = distances[:, -1] * (1 + ROUNDING)
    kept = np.empty(n)
    for start in range(0, n, CHUNK):
        part = slice(start, start + CHUNK)
        away = np.linalg.norm(codes[rows[part]] - codes[part, None, :], axis=2)  # (c, k, D) -> (c, k)
        kept[part] = (away <= reach[part, None]).mean(axis=1)
    return kept


def decoder_stretch(
    model: Any,
    codes: np.ndarray,
    *,
    labels: np.ndarray | None = None,
    batch_size: int = BATCH_SIZE,
    on_step: OnStep | None = None,
    seed: int = 0,
) -> np.ndarray:
    """Decoder stretch: the Frobenius norm (N,) of the decoder's Jacobian, the image change per unit of code.

    The square root of the trace of the decoder's pullback metric (Arvanitidis et al., ICLR 2018,
    https://arxiv.org/abs/1710.11379), pixels in [0, 1]. Exact up to 64 latent dimensions, by one Jacobian-vector
    product each; above, an unbiased estimate from 64 random orthonormal directions drawn with the seed (after
    Hutchinson 1990, https://doi.org/10.1080/03610919008812866). For a VQ-VAE it is measured behind the quantiser, at
    the quantised code.

    Args:
        model: has `decoder_input`, `decode_fed` and `latent_dim`; see `aeviz.models.base.Autoencoder`.
        codes: (N, D).
        labels: (N,) for a conditional model, see `aeviz.latent.conditioning`.
        batch_size: codes per batch.
        on_step: called with `(done, total)` codes; may raise to cancel.
        seed: seed of the random directions.
    """
    codes = np.asarray(codes, dtype=np.float32)
    stretch = np.empty(len(codes))
    directions = _directions(model.latent_dim, seed)  # (P, D)
    with evaluating(model):
        for start in range(0, len(codes), batch_size):
            batch = codes[start : start + batch_size]
            condition = None if labels is None else labels[start : start + batch_size]
            stretch[start : start + len(batch)] = _stretch(model, batch, condition, directions)
            if on_step:
                on_step(start + len(batch), len(codes))
    return stretch


def round_trip(
    model: Any,
    codes: np.ndarray,
    *,
    labels: np.ndarray | None = None,
    batch_size: int = BATCH_SIZE,
    on_step: OnStep | None = None,
) -> np.ndarray:
    """Round-trip error |E(D(z)) - z| (N,) of codes, in code units.

    Small where encoder and decoder agree; large for codes that match no image.

    Args:
        model: has `code` and `decode`; see `aeviz.models.base.Autoencoder`.
        codes: (N, D).
        labels: (N,) for a conditional model, see `aeviz.latent.conditioning`.
        batch_size: codes per batch.
        on_step: called with `(done, total)` codes; may raise to cancel.
    """
    codes = np.asarray(codes, dtype=np.float32)
    away = np.empty(len(codes))
    with evaluating(model):
        for start in range(0, len(codes), batch_size):
            batch = codes[start : start + batch_size]
            condition = None if labels is None else labels[start : start + batch_size]
            away[start : start + len(batch)] = _away(model, batch, condition)
            if on_step:
                on_step(start + len(batch), len(codes))
    return away


def _directions(latent_dim: int, seed: int) -> np.ndarray:
    """Orthonormal directions (P, D): all axes, or 64 random ones if there are more."""
    if latent_dim <= PROBES:
        return np.eye(latent_dim, dtype=np.float32)
    drawn = np.random.default_rng(seed).normal(size=(latent_dim, PROBES))
    return np.linalg.qr(drawn)[0].T.astype(np.float32)


@torch.no_grad()  # not inference_mode, which does not support tangents
def _stretch(model: Any, codes: np.ndarray, labels: np.ndarray | None, directions: np.ndarray) -> np.ndarray:
    fed = model.decoder_input(_tensor(model, codes), *label_tensors(model, labels))  # (B, D + ...)
    squared = torch.zeros(len(codes), dtype=torch.float64)
    for direction in _tensor(model, directions):
        tangent = torch.zeros_like(fed)
        tangent[:, : len(direction)] = direction
        squared += _change(model, fed, tangent).flatten(1).square().sum(1).cpu()
    return (squared * (codes.shape[1] / len(directions))).sqrt().numpy()


def _change(model: Any, fed: Tensor, tangent: Tensor) -> Tensor:
    """Directional derivative of the output along the tangent."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch loads its own rules through a deprecated path
        change: Tensor = jvp(model.decode_fed, (fed,), (tangent,))[1]
    return change


@torch.inference_mode()
def _away(model: Any, codes: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
    z, condition = _tensor(model, codes), label_tensors(model, labels)
    back: Tensor = model.code(model.decode(z, *condition), *condition).float() - z
    return back.norm(dim=1).cpu().numpy()


def _tensor(model: Any, values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(values)).to(device_of(model))
