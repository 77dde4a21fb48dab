"""Place a new code on a fixed t-SNE map by minimising its share of the cost."""

import numpy as np

from aeviz.latent.projections.tsne.attraction import Kernels, similarities

STARTS = 10  # neighbours whose points are tried as initial positions
STEPS = 100


def place_by_descent(
    points: np.ndarray, rows: np.ndarray, similar: np.ndarray, normaliser: float = np.inf
) -> np.ndarray:
    """The point (dims,) of lowest KL divergence for one new code, with all other points fixed.

    Minimises the part of t-SNE's cost (van der Maaten & Hinton, JMLR 2008) that depends on the new point:
    2 Σ p_j log(1 + d_j²) over its neighbours plus 2 Σ 1 / (1 + d²) / normaliser over all points. Every group of
    neighbours adds a local minimum; the descent starts at the neighbour's point of lowest cost.

    Args:
        points: (N, dims) float64, the fixed points.
        rows: (k,), the new code's neighbours.
        similar: (k,), its joint similarities p_j with them.
        normaliser: the sum of 1 / (1 + d²) over all pairs of points; infinite to disable repulsion.
    """
    from scipy.optimize import minimize

    neighbours = points[rows]
    unit = 1.0 / similar.sum()  # makes the optimiser's tolerances independent of the number of points

    def cost(place: np.ndarray) -> tuple[float, np.ndarray]:
        to_neighbours, to_all = place - neighbours, place - points
        spread, kernel = 1 + np.square(to_neighbours).sum(axis=1), 1 / (1 + np.square(to_all).sum(axis=1))
        value = 2 * (similar @ np.log(spread) + kernel.sum() / normaliser)
        slope = 4 * ((similar / spread) @ to_neighbours - np.square(kernel) @ to_all / normaliser)
        return unit * value, unit * slope

    apart = np.square(neighbours[:, None] - neighbours[None]).sum(axis=2)
    starts = neighbours[np.argsort(np.log1p(apart) @ similar, kind="stable")[:STARTS]]
    start = min(starts, key=lambda place: cost(place)[0])
    return np.asarray(minimize(cost, start, jac=True, method="BFGS", options={"maxiter": STEPS}).x)


def joint_similarities(distances: np.ndarray, own: Kernels, rows: np.ndarray, known: Kernels) -> np.ndarray:
    """Symmetric similarities (M, k) of new codes and their neighbours, before division by 2 N.

    Args:
        distances: (M, k).
        own: kernels of the new codes, (M,).
        rows: (M, k), the neighbours.
        known: kernels of all codes of the map (N,), fitted without the new ones.
    """
    flat = Kernels(*(each[rows.ravel()] for each in known))
    heights = flat.heights(distances.reshape(-1, 1))[:, 0]
    met = heights / (flat.total + heights)  # similarity seen from the neighbour, with the new code included
    return similarities(distances, own) + met.reshape(rows.shape)
