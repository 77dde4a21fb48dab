"""Maps that are known at the dots of their codes only: what lies between is told by the nearest ones."""

from typing import Any, Literal, Self

import numpy as np
from pydantic import Field

from aeviz import config
from aeviz.latent.inverse import invert_by_neighbours
from aeviz.latent.neighbours import Metric, place_by_neighbours
from aeviz.latent.projection import Projection


class NeighbourSettings(config.Settings):
    """What all such maps let one choose."""

    dims: Literal[2, 3] = Field(2, description="Dimensions of the map.")
    metric: Metric = Field("euclidean", description="How distances between codes are measured.")


class NeighbourMap(Projection):
    """Codes and their points, kept side by side; a subclass finds the points."""

    slow = True
    settings: NeighbourSettings

    codes: np.ndarray  # (N, D) float32
    points: np.ndarray  # (N, dims) float32

    def place(self, codes: np.ndarray) -> np.ndarray:
        return place_by_neighbours(self.codes, self.points, np.asarray(codes, np.float32), self.settings.metric)

    def invert(self, points: np.ndarray) -> np.ndarray:
        return invert_by_neighbours(self.points, self.codes, points)

    def state(self) -> dict[str, np.ndarray]:
        return {"codes": self.codes, "points": self.points}

    @classmethod
    def from_state(cls, settings: Any, arrays: dict[str, np.ndarray]) -> Self:
        drawn = cls(settings)
        drawn.codes, drawn.points = arrays["codes"], arrays["points"]
        return drawn
