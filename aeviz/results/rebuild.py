"""Reconstruct user-supplied images with a run's network, with quality metrics."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from aeviz.errors import BadValue, MissingData
from aeviz.latent.conditioning import mean_one_hot
from aeviz.latent.encode import decode, encode
from aeviz.results.codes import errors, labels_of, model_of
from aeviz.runs import Run
from aeviz.scores.images import mse, percentile, psnr, ssim


@dataclass(frozen=True)
class Rebuilt:
    """Images x (n, C, H, W) in [0, 1], their codes z (n, D), reconstructions x_hat, and the test set's errors.

    `condition` (n,) are the class labels given to a conditional network.
    """

    x: np.ndarray
    z: np.ndarray
    x_hat: np.ndarray
    test_errors: np.ndarray | None
    condition: np.ndarray | None = None

    def numbers(self) -> dict[str, list[Any]]:
        """Per image: MSE per pixel, PSNR (dB), SSIM, and the error's percentile in the test set."""
        own = mse(self.x, self.x_hat)
        places = [None] * len(own) if self.test_errors is None else [percentile(self.test_errors, e) for e in own]
        return {
            "mse": own.tolist(),
            "psnr": [psnr(error) for error in own],
            "ssim": ssim(self.x, self.x_hat).tolist(),
            "percentile": places,
        }


@dataclass(frozen=True)
class Average:
    """Mean image x (C, H, W) in [0, 1], mean code z (D,), and its decoded image x_hat (C, H, W)."""

    x: np.ndarray
    z: np.ndarray
    x_hat: np.ndarray


def average(run: Run, pixels: np.ndarray, labels: np.ndarray | None = None) -> Average:
    """The arithmetic mean of images (n, C, H, W) uint8 of the network's shape, in pixels and in codes.

    A conditional network encodes them with their class labels, see `labels_of`, and decodes the mean with class shares.

    Raises:
        BadValue: there are no images.
    """
    if len(pixels) == 0:
        raise BadValue("no images to average; choose at least one")
    model = model_of(run)
    condition = labels_of(model, pixels, labels)
    z = encode(model, pixels, np.arange(len(pixels)), labels=condition).mean(axis=0)
    x_hat = decode(model, z[None], labels=mean_one_hot(condition, model.n_classes))[0]
    return Average((pixels.mean(axis=0) / 255).astype(np.float32), z, x_hat)


def decode_codes(run: Run, codes: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
    """Decode codes (n, D) to images (n, C, H, W) in [0, 1]; a conditional network takes labels (n,) or class shares."""
    return decode(model_of(run), codes, labels=labels)


def rebuild(run: Run, pixels: np.ndarray, labels: np.ndarray | None = None) -> Rebuilt:
    """Reconstruct images (n, C, H, W) uint8 of the network's shape; class labels come from `labels_of`."""
    model = model_of(run)  # loaded once: training may write better weights at any time
    condition = labels_of(model, pixels, labels)
    z = encode(model, pixels, np.arange(len(pixels)), labels=condition)
    x_hat = decode(model, z, labels=condition)
    try:
        test_errors = errors(run, "test")
    except MissingData:
        test_errors = None  # an imported run still reconstructs; only the percentile is missing
    return Rebuilt(pixels.astype(np.float32) / 255.0, z, x_hat, test_errors, condition)
