"""Initial points of an iterative map."""

from typing import Literal

import numpy as np

from aeviz.latent.projections.pca import PCA, PCASettings

Start = Literal["pca", "random"]
JITTER = 0.01  # relative to the spread; separates equal codes


def start_points(codes: np.ndarray, dims: int, start: Start, seed: int, spread: float) -> np.ndarray:
    """Initial points (N, dims) for codes (N, D) with standard deviation `spread`: PCA or random.

    If all codes are equal, PCA falls back to random.
    """
    by_chance = np.random.default_rng(seed).normal(scale=spread, size=(len(codes), dims))
    if start == "random":
        return by_chance
    flat = PCA(PCASettings(dims=dims)).fit(codes).astype(np.float64)
    deviation = flat[:, 0].std()
    return flat * (spread / deviation) + JITTER * by_chance if deviation > 0 else by_chance
