"""Gradient descent of t-SNE, with momentum and per-coordinate gains."""

import torch
from torch import Tensor

from aeviz.latent.projections.tsne.attraction import Attraction
from aeviz.latent.projections.tsne.repulsion import GridRepulsion, LateExtent, TreeRepulsion

MAX_STEP = 5.0  # maximum step length of a point
MIN_GAIN = 0.01


class Descent:
    """Minimises the KL divergence of points (N, dims) (van der Maaten & Hinton, JMLR 2008).

    The learning rate is N / exaggeration (Belkina et al., Nature Communications 2019,
    https://doi.org/10.1038/s41467-019-13055-y); gains follow Jacobs (Neural Networks 1988).
    """

    def __init__(self, attraction: Attraction, points: Tensor) -> None:
        self.points = points
        self._attraction = attraction
        self._repulsion = _repulsion(points)
        self._update, self._gains = torch.zeros_like(points), torch.ones_like(points)
        self._before, self._normaliser = points, points.new_ones((), dtype=torch.float64)

    def step(self, exaggeration: float, momentum: float) -> None:
        """Take one step with all points; on a GPU this does not synchronise."""
        self._before = self.points
        repulsion, self._normaliser = self._repulsion(self.points)
        gradient = exaggeration * self._attraction(self.points) - repulsion / self._normaliser
        turned = torch.sign(self._update) != torch.sign(gradient)
        self._gains = torch.where(turned, self._gains + 0.2, self._gains * 0.8 + MIN_GAIN)
        rate = len(self.points) / exaggeration
        update = momentum * self._update - rate * self._gains * gradient
        lengths = update.norm(dim=1, keepdim=True)
        self._update = update * (MAX_STEP / lengths.clamp_min(MAX_STEP))
        moved = self.points + self._update
        self.points = moved - moved.mean(0)

    @property
    def normaliser(self) -> float:
        """The sum of 1 / (1 + d²) over all pairs of the points before the last step; synchronises with the device."""
        return float(self._normaliser)

    def divergence(self) -> float:
        """The KL divergence, without exaggeration, of the points before the last step."""
        return self._attraction.divergence(self._before, self.normaliser)


def _repulsion(points: Tensor) -> GridRepulsion | TreeRepulsion:
    if points.shape[1] != 2:
        return TreeRepulsion()
    return GridRepulsion(LateExtent(2 * MAX_STEP)) if points.is_cuda else GridRepulsion()
