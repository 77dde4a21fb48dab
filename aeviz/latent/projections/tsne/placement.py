"""Where t-SNE itself would put one more code on a map whose points stand still."""

import numpy as np

from aeviz.latent.projections.tsne.attraction import Kernels, similarities

STARTS = 10  # neighbours whose dots are tried as a start
STEPS = 100


def place_by_descent(
    points: np.ndarray, rows: np.ndarray, similar: np.ndarray, normaliser: float = np.inf
) -> np.ndarray:
    """The point (dims,) of least KL divergence for one more code, while all others are held.

    Of t-SNE's cost (van der Maaten & Hinton, JMLR 2008) that is what the new point decides: 2 Σ p_j log(1 + d_j²)
    over its neighbours and 2 Σ 1 / (1 + d²) / normaliser over all dots. It has a valley for every group of
    neighbours; the descent begins at the neighbour's dot that lies deepest.

    Args:
        points: (N, dims) float64, the dots.
        rows: (k,), the new code's neighbours.
        similar: (k,), its joint similarities p_j with them.
        normaliser: the sum of 1 / (1 + d²) over all pairs of dots; infinite where dots do not push.
    """
    from scipy.optimize import minimize

    neighbours = points[rows]
    unit = 1.0 / similar.sum()  # so that the descent's tolerances do not depend on how many dots there are

    def cost(place: np.ndarray) -> tuple[float, np.ndarray]:
        to_near, to_all = place - neighbours, place - points
        near, everywhere = 1 + np.square(to_near).sum(axis=1), 1 / (1 + np.square(to_all).sum(axis=1))
        value = 2 * (similar @ np.log(near) + everywhere.sum() / normaliser)
        slope = 4 * ((similar / near) @ to_near - np.square(everywhere) @ to_all / normaliser)
        return unit * value, unit * slope

    apart = np.square(neighbours[:, None] - neighbours[None]).sum(axis=2)
    starts = neighbours[np.argsort(np.log1p(apart) @ similar, kind="stable")[:STARTS]]
    start = min(starts, key=lambda place: cost(place)[0])
    return np.asarray(minimize(cost, start, jac=True, method="BFGS", options={"maxiter": STEPS}).x)


def joint_similarities(distances: np.ndarray, own: Kernels, rows: np.ndarray, known: Kernels) -> np.ndarray:
    """How alike new codes and their neighbours at distances (M, k) are, seen from both sides, (M, k).

    Args:
        distances: (M, k).
        own: around the new codes, (M,).
        rows: (M, k), the neighbours.
        known: around all codes of the map (N,), found before the new ones came.
    """
    flat = Kernels(*(each[rows.ravel()] for each in known))
    heights = flat.heights(distances.reshape(-1, 1))[:, 0]
    met = heights / (flat.total + heights)  # a neighbour counts the new code among its own
    return similarities(distances, own) + met.reshape(rows.shape)
