"""Principal component analysis: the linear map that preserves the most variance."""

from typing import Any, Literal, Self

import numpy as np
from pydantic import Field

from aeviz import config
from aeviz.errors import BadValue
from aeviz.latent.principal_axes import principal_axes
from aeviz.latent.projections.linear import Linear


class PCASettings(config.Settings):
    """Settings of the PCA map."""

    dims: Literal[2, 3] = Field(2, description="Dimensions of the map.")
    x: int = Field(1, ge=1, description="The component drawn to the right; 1 has the largest variance.")
    y: int = Field(2, ge=1, description="The component drawn upwards.")
    z: int = Field(3, ge=1, description="The component drawn in depth, on maps of three dimensions.")


class PCA(Linear):
    """Linear projection on the directions of largest variance (Pearson 1901; Hotelling 1933)."""

    name = "pca"
    label = "PCA"
    summary = "Linear: keeps as much variance as so few axes can, and straight lines stay straight."
    Settings = PCASettings
    settings: PCASettings

    ratio: np.ndarray  # (dims,) explained variance ratio

    def _measure(self, codes: np.ndarray, labels: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        chosen = chosen_axes([self.settings.x, self.settings.y, self.settings.z][: self.settings.dims])
        # One-dimensional codes have a map too, with a second axis of zeros.
        beyond = [number for number in chosen if number > max(codes.shape[1], self.settings.dims)]
        if beyond:
            raise BadValue(
                "there is no component {number}: the codes have {d} dimensions; choose components from 1 to {d}",
                number=beyond[0],
                d=codes.shape[1],
            )
        components, ratio = principal_axes(codes, max(chosen))
        rows = np.array(chosen) - 1
        self.ratio = ratio[rows]
        return codes.mean(axis=0), components[rows]

    def state(self) -> dict[str, np.ndarray]:
        """The principal axes and their variances as named arrays."""
        return {**super().state(), "ratio": self.ratio}

    @classmethod
    def from_state(cls, settings: Any, arrays: dict[str, np.ndarray]) -> Self:
        """Restore a fitted PCA from its named arrays."""
        pca = super().from_state(settings, arrays)
        pca.ratio = arrays["ratio"]
        return pca

    def notes(self) -> dict[str, Any]:
        """The variance explained by each axis, as short lines of text."""
        numbers = [self.settings.x, self.settings.y, self.settings.z][: self.settings.dims]
        return {
            "axes": [f"PC {number}" for number in numbers],
            "explained_variance_ratio": [float(share) for share in self.ratio],
        }


def chosen_axes(numbers: list[int]) -> list[int]:
    """Return axis numbers unchanged if all differ.

    Raises:
        BadValue: a number occurs twice.
    """
    twice = next((number for number in numbers if numbers.count(number) > 1), None)
    if twice is not None:
        raise BadValue("two axes of the map are both number {number}; choose a different one for each", number=twice)
    return numbers
