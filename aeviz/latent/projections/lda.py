"""Linear discriminant analysis: axes that best separate labelled classes."""

from typing import Any, Literal

import numpy as np
from pydantic import Field

from aeviz import config
from aeviz.errors import BadValue
from aeviz.latent.projections.linear import Linear, completed

RIDGE = 1e-6  # relative to the mean within-class variance; guards against constant dimensions


class LDASettings(config.Settings):
    """Settings of the LDA map."""

    dims: Literal[2, 3] = Field(2, description="Dimensions of the map.")


class LDA(Linear):
    """Linear discriminant analysis (Fisher 1936; Rao 1948): maximises between-class over within-class variance.

    Axes are scaled to unit within-class variance on average. K classes give K - 1 axes; further axes are principal axes
    of the residual variance. Unlabelled rows (-1) are mapped but do not affect the fit.
    """

    name = "lda"
    label = "Discriminant"
    summary = "The axes that best separate the labelled classes."
    supervised = True
    Settings = LDASettings
    settings: LDASettings

    def _measure(self, codes: np.ndarray, labels: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        labels = np.full(len(codes), -1) if labels is None else np.asarray(labels)
        known = labels >= 0
        classes, members = np.unique(labels[known], return_inverse=True)
        if len(classes) < 2:
            raise BadValue(
                "the discriminant needs labelled images of at least 2 classes, here are {count}; "
                "choose another method or more images",
                count=len(classes),
            )
        components = _discriminants(codes[known], members, len(classes))
        return codes[known].mean(axis=0), completed(components[: self.settings.dims], codes, self.settings.dims)

    def notes(self) -> dict[str, Any]:
        """How well the axes separate the classes, as short lines of text."""
        return {"axes": [f"LD {number}" for number in range(1, self.settings.dims + 1)]}


def _discriminants(codes: np.ndarray, members: np.ndarray, classes: int) -> np.ndarray:
    """Discriminant axes (at most K - 1, D) of codes (N, D) with classes `members` (N,), 0 to K - 1."""
    from scipy.linalg import eigh

    scale = codes.std() or 1.0  # keeps eigenvalues of very small or large codes within float range
    scaled = (codes - codes.mean(axis=0)) / scale
    counts = np.bincount(members, minlength=classes)
    means = np.stack([scaled[members == number].mean(axis=0) for number in range(classes)])  # (K, D)
    apart = scaled - means[members]
    within = apart.T @ apart / len(codes)  # (D, D)
    between = (means.T * counts) @ means / len(codes)
    ridge = RIDGE * np.trace(within) / len(within) or RIDGE
    values, vectors = eigh(between, within + ridge * np.eye(len(within)))
    axes = vectors.T[::-1][: min(classes - 1, int((values > 1e-9).sum()))]
    largest = np.abs(axes).argmax(axis=1)
    return axes * np.sign(axes[np.arange(len(axes)), largest])[:, None] / scale
