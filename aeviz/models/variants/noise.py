"""Kinds of input corruption for the denoising autoencoder."""

from collections.abc import Callable

import torch
from torch import Tensor

from aeviz.errors import BadValue
from aeviz.models.base import Batch
from aeviz.models.ssim import smooth

Strength = Tensor | float
BLOCKS_ALONG = 4  # blocks are a quarter of the shorter side
BLUR_SIDE = 8  # strength 1 blurs with a sigma of an eighth of the shorter side


def gaussian(batch: Batch, strength: Strength) -> Tensor:
    """Add Gaussian noise of this standard deviation to every value."""
    return (batch.x + strength * batch.normal_like(batch.x)).clamp(0.0, 1.0)


def salt_pepper(batch: Batch, strength: Strength) -> Tensor:
    """Set this share of pixels (of values, if not images) to white or black, half each."""
    x = batch.x
    chance = batch.uniform_like(x[:, :1] if _is_image(x) else x)
    half = torch.as_tensor(strength).clamp(max=1.0) / 2
    return torch.where(chance < half, 0.0, torch.where(chance >= 1.0 - half, 1.0, x))


def masking(batch: Batch, strength: Strength) -> Tensor:
    """Blacken random square blocks that cover this share on average; single values if not images."""
    x = batch.x
    if not _is_image(x):
        return x * (batch.uniform_like(x) >= strength)
    height, width = x.shape[-2:]
    side = max(1, min(height, width) // BLOCKS_ALONG)
    # One extra cell, which a shift of the grid brings into view.
    kept = batch.uniform_like(x.new_empty(len(x), height // side + 2, width // side + 2)) >= strength
    shift = (batch.uniform_like(x.new_empty(len(x), 2)) * side).long()
    rows = (torch.arange(height, device=x.device) + shift[:, :1]) // side  # (B, H)
    columns = (torch.arange(width, device=x.device) + shift[:, 1:]) // side  # (B, W)
    image = torch.arange(len(x), device=x.device)
    return x * kept[image[:, None, None], rows[:, :, None], columns[:, None, :]][:, None]  # (B, H, W) -> (B, 1, H, W)


def blur(batch: Batch, strength: Strength) -> Tensor:
    """Apply a Gaussian blur with a sigma of strength times an eighth of the shorter side.

    Raises:
        BadValue: the samples are not images.
    """
    check(tuple(batch.x.shape[1:]), "blur")
    sigma = torch.as_tensor(strength, device=batch.x.device) * (min(batch.x.shape[-2:]) / BLUR_SIDE)
    return smooth(batch.x, sigma.clamp(min=1e-3)).clamp(0.0, 1.0)


def check(sample_shape: tuple[int, ...], kind: str) -> None:
    """Reject a blur of samples that are not images.

    Raises:
        BadValue: the samples are not images.
    """
    if kind == "blur" and len(sample_shape) != 3:
        raise BadValue(
            "model.kind = 'blur' needs images, not samples of shape {shape}; take gaussian, salt_pepper or masking",
            shape=sample_shape,
        )


def _is_image(x: Tensor) -> bool:
    return x.dim() == 4


NOISES: dict[str, Callable[[Batch, Strength], Tensor]] = {
    "gaussian": gaussian, "salt_pepper": salt_pepper, "masking": masking, "blur": blur,
}  # fmt: skip
