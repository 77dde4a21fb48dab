"""A map along directions of a person's own, such as the difference of two selections' means."""

from typing import Any, Literal

import numpy as np
from pydantic import Field

from aeviz import config
from aeviz.errors import BadValue
from aeviz.latent.projections.linear import Linear, completed

PARALLEL = 1e-6  # what a direction must keep of its length beyond the ones before it


class DirectionsSettings(config.Settings):
    """Which directions of the codes are the axes."""

    dims: Literal[2, 3] = Field(2, description="Dimensions of the map.")
    directions: tuple[tuple[float, ...], ...] = Field(
        (),
        max_length=3,
        description="A vector per axis, as long as a code; axes that are left out are principal ones of the rest.",
        json_schema_extra=config.FROM_DATA,
    )
    orthogonal: bool = Field(
        False, description="Take from each direction what the ones before it show already; the map is not skewed then."
    )


class Directions(Linear):
    """How far codes lie along given directions, measured from the mean in the codes' own units.

    Directions are taken at length 1. As they are, each axis means exactly what it was made from, but directions
    that are alike draw a slanted cloud; made orthogonal, distances are true and only the first axis is untouched.
    """

    name = "custom"
    label = "Directions"
    summary = "Axes of your own, such as from one selection to another."
    Settings = DirectionsSettings
    settings: DirectionsSettings

    def _measure(self, codes: np.ndarray, labels: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        given = self.settings.directions[: self.settings.dims]
        if not given:
            raise BadValue("there are no directions yet; give at least one, such as the difference of two selections")
        for number, direction in enumerate(given, start=1):
            if len(direction) != codes.shape[1]:
                raise BadValue(
                    "direction {number} has {length} numbers, but the codes have {d}; it belongs to another network",
                    number=number,
                    length=len(direction),
                    d=codes.shape[1],
                )
        components = _units(np.array(given, dtype=np.float64), orthogonal=self.settings.orthogonal)
        return codes.mean(axis=0), completed(components, codes, self.settings.dims)

    def notes(self) -> dict[str, Any]:
        given, dims = len(self.settings.directions), self.settings.dims
        own = [f"Direction {number}" for number in range(1, min(given, dims) + 1)]
        return {"axes": own + [f"PC {number} of the rest" for number in range(1, dims - len(own) + 1)]}


def _units(directions: np.ndarray, *, orthogonal: bool) -> np.ndarray:
    """Directions (k, D) at length 1, by Gram and Schmidt if they shall be orthogonal.

    Raises:
        BadValue: one is zero, or has nothing of its own.
    """
    units = np.zeros_like(directions)
    for row, direction in enumerate(directions):
        length = np.linalg.norm(direction)
        if length == 0:
            raise BadValue("direction {number} is zero; choose two selections with different means", number=row + 1)
        unit = direction / length
        if orthogonal:
            unit = unit - units[:row].T @ (units[:row] @ unit)
            if np.linalg.norm(unit) < PARALLEL:
                raise BadValue(
                    "direction {number} points where the ones before it point; choose another, or leave orthogonal off",
                    number=row + 1,
                )
            unit /= np.linalg.norm(unit)
        units[row] = unit
    return units
