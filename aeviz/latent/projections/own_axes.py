"""A map along user-defined directions, such as the difference of two selections' means."""

from typing import Any, Literal

import numpy as np
from pydantic import Field

from aeviz import config
from aeviz.errors import BadValue
from aeviz.latent.projections.linear import Linear, completed

PARALLEL = 1e-6  # minimum relative length left after orthogonalisation


class DirectionsSettings(config.Settings):
    """Settings of the directions map."""

    dims: Literal[2, 3] = Field(2, description="Dimensions of the map.")
    directions: tuple[tuple[float, ...], ...] = Field(
        (),
        max_length=3,
        description="One vector per axis, as long as a code; missing axes are principal axes of the residual.",
        json_schema_extra=config.FROM_DATA,
    )
    orthogonal: bool = Field(
        False, description="Orthogonalise each direction against the previous ones, so that the map is not skewed."
    )


class Directions(Linear):
    """Coordinates of codes along given directions, relative to the mean, in code units.

    Directions are normalised. Without orthogonalisation each axis keeps its exact meaning, but similar directions skew
    the map; with it, distances are preserved and only the first axis is unchanged.
    """

    name = "custom"
    label = "Directions"
    summary = "Axes of your own, such as from one selection to another."
    Settings = DirectionsSettings
    settings: DirectionsSettings

    def _measure(self, codes: np.ndarray, labels: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        given = self.settings.directions[: self.settings.dims]
        if not given:
            raise BadValue("no directions given; give at least one, such as the difference of two selections")
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
        """Which directions the axes are, as short lines of text."""
        given, dims = len(self.settings.directions), self.settings.dims
        own = [f"Direction {number}" for number in range(1, min(given, dims) + 1)]
        return {"axes": own + [f"PC {number} of the rest" for number in range(1, dims - len(own) + 1)]}


def _units(directions: np.ndarray, *, orthogonal: bool) -> np.ndarray:
    """Normalise directions (k, D), with Gram-Schmidt orthogonalisation if requested.

    Raises:
        BadValue: a direction is zero, or depends on the previous ones.
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
                    "direction {number} is a combination of the previous ones; choose another, or turn orthogonal off",
                    number=row + 1,
                )
            unit /= np.linalg.norm(unit)
        units[row] = unit
    return units
