"""Where the points of a map begin that is found step by step."""

from typing import Literal

import numpy as np

from aeviz.latent.projections.pca import PCA, PCASettings

Start = Literal["pca", "random"]
JITTER = 0.01  # of the spread, which parts equal codes


def start_points(codes: np.ndarray, dims: int, start: Start, seed: int, spread: float) -> np.ndarray:
    """Points (N, dims) for codes (N, D), with a standard deviation of `spread`: their PCA map, or chance.

    Codes that are all equal have no PCA map and begin by chance.
    """
    by_chance = np.random.default_rng(seed).normal(scale=spread, size=(len(codes), dims))
    if start == "random":
        return by_chance
    flat = PCA(PCASettings(dims=dims)).fit(codes).astype(np.float64)
    deviation = flat[:, 0].std()
    return flat * (spread / deviation) + JITTER * by_chance if deviation > 0 else by_chance
