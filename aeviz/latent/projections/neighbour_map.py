"""Maps defined only at their fitted codes; anything else is interpolated from nearest neighbours."""

from abc import abstractmethod
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field

from aeviz import config
from aeviz.latent.neighbours import Metric, nearest
from aeviz.latent.projections.base import Projection
from aeviz.latent.projections.inverse import invert_by_neighbours

SAME = 1e-4  # a code this near a mapped one, relative to the next, counts as the same


class NeighbourSettings(config.Settings):
    """Settings common to neighbour-based maps."""

    dims: Literal[2, 3] = Field(2, description="Dimensions of the map.")
    metric: Metric = Field("euclidean", description="How distances between codes are measured.")


class NeighbourMap(Projection):
    """Stores codes with their points; a subclass computes the points."""

    slow = True
    settings: NeighbourSettings

    codes: np.ndarray  # (N, D) float32
    points: np.ndarray  # (N, dims) float32

    def place(self, codes: np.ndarray) -> np.ndarray:
        """Points (M, 2 or 3) of new codes (M, D); codes that are on the map land on their own points."""
        codes = np.asarray(codes, np.float32)
        placed = np.empty((len(codes), self.points.shape[1]), np.float32)
        if len(codes) == 0:
            return placed
        distances, rows = nearest(self.codes, codes, 2, self.settings.metric)
        known = distances[:, 0] <= SAME * distances[:, 1]
        placed[known] = self.points[rows[known, 0]]
        if not known.all():
            placed[~known] = self.place_new(codes[~known])
        return placed

    @abstractmethod
    def place_new(self, codes: np.ndarray) -> np.ndarray:
        """Points (M, dims) of codes (M, D) not on the map, M > 0, each computed independently."""

    def invert(self, points: np.ndarray) -> np.ndarray:
        """The inverse at places (M, 2 or 3): codes (M, D), and how far from the data they are."""
        return invert_by_neighbours(self.points, self.codes, points)

    def state(self) -> dict[str, np.ndarray]:
        """Codes and points of the map as named arrays."""
        return {"codes": self.codes, "points": self.points}

    @classmethod
    def from_state(cls, settings: Any, arrays: dict[str, np.ndarray]) -> Self:
        """Restore a fitted map from its named arrays."""
        drawn = cls(settings)
        drawn.codes, drawn.points = arrays["codes"], arrays["points"]
        return drawn
