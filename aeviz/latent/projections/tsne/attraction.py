"""Attractive forces of t-SNE: similarities at a given perplexity, and their gradient."""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

SMALLEST = 1e-200  # lower bound of a mean squared distance
MAX_EXPONENT = 700.0
WIDEST, HALVINGS = 20.0, 40  # bounds of the log precision, and bisection steps


class Kernels(NamedTuple):
    """Gaussian kernels around codes (N,): the similarity at distance d is exp(-sharpness (d² - nearest)) / total.

    `nearest` is the squared distance to the nearest other code.
    """

    sharpness: np.ndarray
    nearest: np.ndarray
    total: np.ndarray

    def heights(self, distances: np.ndarray) -> np.ndarray:
        """Unnormalised kernel values (N, k) at distances (N, k)."""
        exponent = self.sharpness[:, None] * (self.nearest[:, None] - np.square(distances))
        return np.exp(np.minimum(exponent, MAX_EXPONENT))


def kernels(distances: np.ndarray, perplexity: float, device: str = "cpu") -> Kernels:
    """Fit a kernel around each code so that its neighbours at distances (N, k) have the given perplexity.

    Perplexity is the exponential of the entropy (van der Maaten & Hinton, JMLR 2008); solved by bisection.
    """
    squared = torch.from_numpy(np.square(distances)).to(device)
    nearest = squared.amin(1, keepdim=True)
    squared -= nearest
    unit = squared.mean(1, keepdim=True).clamp_min(SMALLEST)
    squared /= unit
    low, high = squared.new_full((len(squared), 1), -WIDEST), squared.new_full((len(squared), 1), WIDEST)
    for _ in range(HALVINGS):
        sharpness = (low + high) / 2  # log of 1 / (2 variance)
        exponent = squared * sharpness.exp()
        weights = (-exponent).exp()  # (N, k)
        total = weights.sum(1, keepdim=True)
        entropy = total.log() + (weights * exponent).sum(1, keepdim=True) / total
        too_wide = entropy > np.log(perplexity)
        low, high = torch.where(too_wide, sharpness, low), torch.where(too_wide, high, sharpness)
    return Kernels(*(each[:, 0].cpu().numpy() for each in (sharpness.exp() / unit, nearest, total)))


def similarities(distances: np.ndarray, kernels: Kernels) -> np.ndarray:
    """Conditional similarities (N, k), rows summing to 1, of the neighbours the kernels were fitted to."""
    return kernels.heights(distances) / kernels.total[:, None]


JointPairs = tuple[Tensor, Tensor, Tensor]


def symmetrised(neighbours: np.ndarray, similar: np.ndarray, device: str = "cpu") -> JointPairs:
    """Symmetrise conditional similarities (N, k) to joint ones, (p_ij + p_ji) / 2N, in CSR form.

    Returns:
        Non-zero values (E,), their column indices (E,), and row offsets (N + 1,).
    """
    from scipy.sparse import csr_matrix

    n, k = neighbours.shape
    one_sided = csr_matrix((similar.ravel(), neighbours.ravel(), np.arange(0, n * k + 1, k)), shape=(n, n))
    joint = (one_sided + one_sided.T).tocsr() / (2 * n)
    arrays = joint.data.astype(np.float32), joint.indices.astype(np.int64), joint.indptr.astype(np.int64)
    p, others, offsets = (torch.from_numpy(each).to(device) for each in arrays)
    return p, others, offsets


def symmetrised_on_device(neighbours: np.ndarray, similar: np.ndarray, device: str) -> JointPairs:
    """Like `symmetrised`, computed on the device: sorting millions of pairs takes seconds on a CPU."""
    n, k = neighbours.shape
    others = torch.from_numpy(neighbours).to(device).flatten()
    rows = torch.arange(n, device=device).repeat_interleave(k)
    values = torch.from_numpy(similar).to(device).flatten()
    pairs = torch.stack([torch.cat([rows, others]), torch.cat([others, rows])])
    values = torch.cat([values, values]) / (2 * n)
    joint = torch.sparse_coo_tensor(pairs, values, (n, n), check_invariants=False).coalesce()
    rows, others = joint.indices()
    offsets = torch.searchsorted(rows.contiguous(), torch.arange(n + 1, device=device))
    return joint.values().float(), others.contiguous(), offsets


class Attraction:
    """Joint similarities P of all neighbour pairs, and the attractive forces they exert on points."""

    def __init__(self, neighbours: np.ndarray, similar: np.ndarray, device: str = "cpu") -> None:
        """Take neighbour rows (N, k) and their conditional similarities (N, k)."""
        join = symmetrised if device == "cpu" else symmetrised_on_device
        self.p, self.others, self.offsets = join(neighbours, similar, device)  # (E,), (E,), (N + 1,)
        self.rows = torch.arange(len(neighbours), device=device).repeat_interleave(self.offsets.diff())  # (E,)
        self.entropy = float(torch.special.xlogy(self.p, self.p).sum(dtype=torch.float64))
        # Reused buffers: allocating them at every step costs more than the computation.
        self._apart, self._squared = torch.empty_like(self.p), torch.empty_like(self.p)

    def __call__(self, points: Tensor) -> Tensor:
        """Forces (N, dims): the sum over j of p_ij (y_i - y_j) / (1 + d_ij²)."""
        weights = self.p / self._distances(points).add_(1)
        counted = torch.cat([points, points.new_ones(len(points), 1)], dim=1)
        sums = embedding_bag(
            self.others, counted, self.offsets, mode="sum", per_sample_weights=weights, include_last_offset=True
        )  # (N, dims + 1)
        return points * sums[:, -1:] - sums[:, :-1]

    def divergence(self, points: Tensor, normaliser: float) -> float:
        """KL divergence of the map's similarities from P; `normaliser` is the sum of 1 / (1 + d²) over all pairs."""
        distant = (self.p * self._distances(points).log1p_()).sum(dtype=torch.float64)
        return self.entropy + float(distant) + math.log(normaliser)

    def _distances(self, points: Tensor) -> Tensor:
        """Squared distances (E,) of all pairs, in a buffer that the next call overwrites."""
        squared = self._squared.zero_()
        for axis in points.T.contiguous():
            apart = torch.index_select(axis, 0, self.rows, out=self._apart)
            apart -= axis.index_select(0, self.others)
            squared.addcmul_(apart, apart)
        return squared
