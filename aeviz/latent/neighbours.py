"""Exact nearest neighbours among codes, computed in chunks."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

Metric = Literal["euclidean", "cosine"]
OnStep = Callable[[int, int], None]

CHUNK_DISTANCES = 4_000_000  # distances in memory at once: 32 MB as float64
CHUNK_ON_GPU = 32_000_000  # small chunks leave a GPU mostly idle
SPARE = 8  # extra candidates, so rounding in the fast distances cannot lose a true neighbour
PLACE_NEIGHBOURS = 5


def nearest(
    codes: np.ndarray, queries: np.ndarray, k: int, metric: Metric = "euclidean", on_step: OnStep | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The k codes nearest to each query, nearest first, equal distances in row order.

    Cosine distance is 1 - cos. With fewer than k codes, all are returned.

    Args:
        codes: (N, D).
        queries: (M, D).
        k: number of neighbours.
        metric: distance between codes.
        on_step: called with `(done, total)` queries; may raise to cancel.

    Returns:
        Distances (M, k) float64 and row numbers (M, k) int64.
    """
    stored, queries = _prepared(codes, metric), _prepared(queries, metric)
    return _search(stored, queries, min(k, len(stored)), metric, own=False, on_step=on_step)


def own_nearest(
    codes: np.ndarray, k: int, metric: Metric = "euclidean", on_step: OnStep | None = None, device: str = "cpu"
) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest other codes of each code (N, D), returned like `nearest`; the search runs on `device`."""
    stored = _prepared(codes, metric)
    return _search(stored, stored, min(k, len(stored) - 1), metric, own=True, on_step=on_step, device=device)


def squared_distances(codes: np.ndarray, queries: np.ndarray, device: str = "cpu") -> Iterator[tuple[slice, "Tensor"]]:
    """Squared Euclidean distances of queries (M, D) to all codes (N, D), one chunk of queries at a time.

    float64 up to 256 dimensions, where it is cheap; above (pixels), float32 on centred values.
    """
    import torch

    precision = torch.float64 if codes.shape[1] <= 256 else torch.float32
    centre = codes.mean(axis=0, dtype=np.float64).astype(codes.dtype)  # a float64 copy of all pixels would be 1 GB
    stored = torch.from_numpy(codes - centre).to(device, precision)
    centred = stored if queries is codes else torch.from_numpy(queries - centre).to(device, precision)
    norms, query_norms = (stored * stored).sum(1), (centred * centred).sum(1)
    chunk = max(1, (CHUNK_DISTANCES if device == "cpu" else CHUNK_ON_GPU) // max(len(codes), 1))
    for start in range(0, len(centred), chunk):
        part = slice(start, min(start + chunk, len(centred)))
        squared = torch.addmm(norms[None, :], centred[part], stored.T, alpha=-2)  # (c, N)
        yield part, squared.add_(query_norms[part, None]).clamp_(min=0)


def _prepared(codes: np.ndarray, metric: Metric) -> np.ndarray:
    """Codes as float64; for cosine normalised to unit length, where Euclidean distance gives the same order."""
    codes = np.asarray(codes, dtype=np.float64)
    if metric == "cosine":
        lengths = np.linalg.norm(codes, axis=1, keepdims=True)
        codes = codes / np.where(lengths > 0, lengths, 1.0)
    return codes


def _search(
    stored: np.ndarray,
    queries: np.ndarray,
    k: int,
    metric: Metric,
    *,
    own: bool,
    on_step: OnStep | None,
    device: str = "cpu",
) -> tuple[np.ndarray, np.ndarray]:
    import torch

    distances = np.empty((len(queries), k))
    rows = np.empty((len(queries), k), dtype=np.int64)
    candidates = min(k + SPARE, len(stored) - own)
    on_device = None if device == "cpu" else [torch.from_numpy(each).to(device) for each in (stored, queries)]
    for part, squared in squared_distances(stored, queries, device):
        if own:
            squared.diagonal(part.start).fill_(torch.inf)
        found = squared.topk(candidates, dim=1, largest=False, sorted=False).indices  # (c, k + SPARE)
        if on_device is None:
            distances[part], rows[part] = _refined(stored, queries[part], found.numpy(), k)
        else:
            refined = refined_on_device(on_device[0], on_device[1][part], found, k)
            distances[part], rows[part] = (each.cpu().numpy() for each in refined)
        if on_step:
            on_step(part.stop, len(queries))
    return (distances**2 / 2 if metric == "cosine" else distances), rows


def _refined(stored: np.ndarray, queries: np.ndarray, found: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest candidates of (c, k + SPARE), by exact differences whose rounding is independent of the chunk."""
    found = np.sort(found, axis=1)
    exact = np.empty(found.shape)
    step = max(1, CHUNK_DISTANCES // max(found.shape[1] * stored.shape[1], 1))
    for start in range(0, len(found), step):
        difference = stored[found[start : start + step]] - queries[start : start + step, None, :]
        exact[start : start + step] = np.sqrt(np.square(difference).sum(axis=2))
    order = np.argsort(exact, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(exact, order, axis=1), np.take_along_axis(found, order, axis=1)


def refined_on_device(stored: "Tensor", queries: "Tensor", found: "Tensor", k: int) -> tuple["Tensor", "Tensor"]:
    """Like `_refined`, on the device that holds the tensors: distances (c, k) and row numbers (c, k)."""
    import torch

    found = found.sort(dim=1).values
    step = max(1, CHUNK_ON_GPU // max(found.shape[1] * stored.shape[1], 1))
    parts = zip(found.split(step), queries.split(step), strict=True)
    exact = torch.cat([(stored[rows] - queries[:, None]).square().sum(2).sqrt() for rows, queries in parts])
    order = exact.argsort(dim=1, stable=True)[:, :k]
    return exact.gather(1, order), found.gather(1, order)
