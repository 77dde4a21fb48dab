"""Gaussian smoothing of images by matrix products, which are faster than convolutions at these sizes."""

import torch
from torch import Tensor

from aeviz.models.precision import in_float32


def smooth(images: Tensor, sigma: Tensor | float, radius: int | None = None) -> Tensor:
    """Smooth images (..., H, W) by a Gaussian of sigma pixels with mirrored edges, in float32.

    The window is truncated at `radius`, which is below the shorter side; by default it is as large as possible.
    """
    with in_float32(images):
        radius = min(images.shape[-2:]) - 1 if radius is None else radius
        rows, columns = (_windows(side, sigma, radius, images.device) for side in images.shape[-2:])
        return rows @ images.float() @ columns.T


def _windows(side: int, sigma: Tensor | float, radius: int, device: torch.device) -> Tensor:
    """Weights (side, side) of the window at every position; computed on the device to avoid waiting for it."""
    inside = torch.arange(side, device=device)
    around = torch.arange(-radius, side + radius, device=device)  # (side + 2 radius,)
    distance = around - inside[:, None]
    weights = torch.exp(-0.5 * (distance / sigma).square()) * (distance.abs() <= radius)
    mirrored = (side - 1) - ((side - 1) - around.abs()).abs()  # index inside the image of each mirrored position
    weights = weights @ (mirrored[:, None] == inside).float()
    return weights / weights.sum(1, keepdim=True)
