"""Gaussian windows over images, as products with small matrices: faster than convolutions at these sizes."""

import torch
from torch import Tensor

from aeviz.models.precision import in_float32


def smooth(images: Tensor, sigma: Tensor | float, radius: int | None = None) -> Tensor:
    """Images (..., H, W) under a Gaussian window of sigma pixels, in float32.

    The window stands at every pixel, its weights outside the image shared out inside; or, cut off at `radius`, only
    where it fits whole: (..., H - 2 radius, W - 2 radius).
    """
    with in_float32(images):
        rows, columns = (_windows(side, sigma, radius, images) for side in images.shape[-2:])
        return rows @ images.float() @ columns.T


def _windows(side: int, sigma: Tensor | float, radius: int | None, like: Tensor) -> Tensor:
    """Weights (P, side) of the windows at P places along one side; made on the device, so that nothing waits."""
    places = torch.arange(side, device=like.device, dtype=torch.float32)
    centres = places if radius is None else places[radius : side - radius]
    distance = (places - centres[:, None]) / sigma
    weights = torch.exp(-0.5 * distance.square())
    if radius is not None:
        weights = weights * ((places - centres[:, None]).abs() <= radius)
    return weights / weights.sum(1, keepdim=True)
