"""Raw latent dimensions as a map."""

from typing import Any, Literal

import numpy as np
from pydantic import Field

from aeviz import config
from aeviz.errors import BadValue
from aeviz.latent.projections.linear import Linear
from aeviz.latent.projections.pca import chosen_axes

HELP = "Number of the latent dimension drawn {where}, from 1; 0 picks one of largest variance."


class AxesSettings(config.Settings):
    """Settings of the dimensions map."""

    dims: Literal[2, 3] = Field(2, description="Dimensions of the map.")
    x: int = Field(0, ge=0, description=HELP.format(where="to the right"))
    y: int = Field(0, ge=0, description=HELP.format(where="upwards"))
    z: int = Field(0, ge=0, description=HELP.format(where="in depth, on maps of three dimensions"))


class Axes(Linear):
    """Raw latent dimensions: points are entries of the codes."""

    name = "axes"
    label = "Dimensions"
    summary = "Two or three latent dimensions, unchanged."
    Settings = AxesSettings
    settings: AxesSettings

    def _measure(self, codes: np.ndarray, labels: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        width = codes.shape[1]
        requested = [self.settings.x, self.settings.y, self.settings.z][: self.settings.dims]
        beyond = [number for number in requested if number > width]
        if beyond:
            raise BadValue(
                "there is no dimension {number}: the codes have {width}; choose dimensions from 1 to {width}",
                number=beyond[0],
                width=width,
            )
        chosen_axes([number for number in requested if number])
        by_variance = np.argsort(-codes.var(axis=0), kind="stable") + 1
        free = iter([int(number) for number in by_variance if number not in requested])
        components = np.zeros((self.settings.dims, width))
        for axis, number in enumerate(requested):
            shown = number or next(free, None)
            if shown:  # codes may have fewer dimensions than the map
                components[axis, shown - 1] = 1
        return np.zeros(width), components

    def notes(self) -> dict[str, Any]:
        """What the map shows, as short lines of text."""
        numbers = [int(component.argmax()) + 1 if component.any() else None for component in self.components]
        return {"axes": ["" if number is None else f"Dimension {number}" for number in numbers]}
