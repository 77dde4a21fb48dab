"""Where a map and its codes can be believed, dot by dot: neighbours kept, decoder stretch, the way there and back."""

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
PROBES = 64  # directions in which the decoder is stretched; up to as many numbers per code, all of them
CHUNK = 4096
ROUNDING = 1e-9


def neighbour_preservation(
    codes: np.ndarray, points: np.ndarray, k: int = 15, on_step: OnStep | None = None
) -> np.ndarray:
    """The share (N,) of each dot's k nearest dots that are among its k nearest codes too.

    Its mean over all dots is Q_NX(k) of Lee & Verleysen, Neurocomputing 2009,
    https://doi.org/10.1016/j.neucom.2008.12.017. Codes as far away as the k-th nearest count as near, so that equal
    codes, as a VQ-VAE has them, are no fault of the map.

    Args:
        codes: (N, D).
        points: (N, 2 | 3), where the map puts them.
        k: how many neighbours; cut to N - 1.
        on_step: told `(done, total)` in rows searched; may raise to cancel.
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
    """How much the decoded image changes per unit of code: the Frobenius norm (N,) of the decoder's Jacobian.

    The square root of the trace of the metric that the decoder pulls back (Arvanitidis et al., ICLR 2018,
    https://arxiv.org/abs/1710.11379), pixels in [0, 1]. Exact up to 64 numbers per code, by a Jacobian-vector product
    for each; beyond, from 64 random orthonormal directions drawn with the seed, whose mean square is unbiased (after
    Hutchinson 1990, https://doi.org/10.1080/03610919008812866). Where decoding snaps codes (VQ-VAE), it is that of
    the decoder behind the snapping, at the snapped code.

    Args:
        model: with `decoder_input`, `decode_fed` and `latent_dim`; see `aeviz.models.base.Autoencoder`.
        codes: (N, D).
        labels: (N,) for a conditional model, see `aeviz.latent.conditioning`.
        batch_size: codes at a time.
        on_step: told `(done, total)` in codes; may raise to cancel.
        seed: draws the directions where there are too many for all.
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
    """How far from a code the encoder puts its own decoded image: |E(D(z)) - z| (N,), in the units of the codes.

    Small where decoder and encoder agree; codes that stand for no image come back elsewhere.

    Args:
        model: with `code` and `decode`; see `aeviz.models.base.Autoencoder`.
        codes: (N, D).
        labels: (N,) for a conditional model, see `aeviz.latent.conditioning`.
        batch_size: codes at a time.
        on_step: told `(done, total)` in codes; may raise to cancel.
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
    """Orthonormal directions (P, D): all axes, or 64 random ones where there are more."""
    if latent_dim <= PROBES:
        return np.eye(latent_dim, dtype=np.float32)
    drawn = np.random.default_rng(seed).normal(size=(latent_dim, PROBES))
    return np.linalg.qr(drawn)[0].T.astype(np.float32)


@torch.no_grad()  # not inference_mode, which knows no tangents
def _stretch(model: Any, codes: np.ndarray, labels: np.ndarray | None, directions: np.ndarray) -> np.ndarray:
    fed = model.decoder_input(_tensor(model, codes), *label_tensors(model, labels))  # (B, D + ...)
    squared = torch.zeros(len(codes), dtype=torch.float64)
    for direction in _tensor(model, directions):
        tangent = torch.zeros_like(fed)
        tangent[:, : len(direction)] = direction
        squared += _change(model, fed, tangent).flatten(1).square().sum(1).cpu()
    return (squared * (codes.shape[1] / len(directions))).sqrt().numpy()


def _change(model: Any, fed: Tensor, tangent: Tensor) -> Tensor:
    """How the output moves with a step along the tangent."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch loads its own rules by a road it has deprecated
        change: Tensor = jvp(model.decode_fed, (fed,), (tangent,))[1]
    return change


@torch.inference_mode()
def _away(model: Any, codes: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
    z, condition = _tensor(model, codes), label_tensors(model, labels)
    back: Tensor = model.code(model.decode(z, *condition), *condition).float() - z
    return back.norm(dim=1).cpu().numpy()


def _tensor(model: Any, values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(values)).to(device_of(model))
