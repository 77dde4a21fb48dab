"""Data augmentation on the device, with independent random parameters per image."""

import math
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from aeviz.errors import BadValue
from aeviz.runs.config import AugmentConfig

Part = tuple[int, int, int]
GREY = (0.2989, 0.587, 0.114)  # luma weights of red, green and blue, as in torchvision


class Draws(NamedTuple):
    """Uniform random numbers in [0, 1), one per image (B,) for each kind of augmentation."""

    flip_horizontal: Tensor
    flip_vertical: Tensor
    down: Tensor
    right: Tensor
    angle: Tensor
    scale: Tensor
    area: Tensor
    crop_down: Tensor
    crop_right: Tensor
    brightness: Tensor
    contrast: Tensor


class Augment:
    """Augments a batch as set by `AugmentConfig`, in three passes: whole pixels, one interpolation, colours.

    The transforms are those of torchvision.transforms.v2 (RandomAffine shifting by whole pixels, RandomResizedCrop at
    the image's aspect ratio, ColorJitter), and the tests compare every image with v2's kernels. Those kernels take one
    set of parameters per batch: with parameters per image they would run image by image, which takes 24 ms for 128
    images of 28 x 28 on one core, several training steps. This takes 0.8 ms, as long as theirs for a whole batch.

    Pixels from outside repeat the image's edge, so that the network does not learn black wedges. Nothing waits for the
    device, and all random numbers come from one draw of fixed size, so that enabling one augmentation does not change
    the others.
    """

    def __init__(self, config: AugmentConfig, sample_shape: tuple[int, ...]) -> None:
        """Raises: BadValue, if an augmentation is enabled for samples that are not images."""
        if is_on(config) and len(sample_shape) != 3:
            raise BadValue(
                "augment: only images can be augmented, not samples of shape {shape}; turn off {names}",
                shape=sample_shape, names=" and ".join(_switched_on(config)),
            )  # fmt: skip
        self.config = config
        self.is_on = is_on(config)

    def __call__(self, x: Tensor, part: Part | None = None, generator: torch.Generator | None = None) -> Tensor:
        """The augmented batch of x (B, C, H, W) in [0, 1]; x itself if everything is off.

        Draws from torch's global generator by default. If the batch is a shard of a larger one, `part` is (first, end,
        rows of the whole), and random numbers are drawn for the whole batch.
        """
        if not self.is_on:
            return x
        draws = _draw(x, part or (0, len(x), len(x)), generator)
        config = self.config
        if config.flip_horizontal or config.flip_vertical or config.shift:
            x = self._moved(x, draws)
        if config.rotation or config.scale or config.crop:
            x = self._warped(x, draws)
        if config.brightness or config.contrast:
            spread = _centred(draws.brightness) * config.brightness, _centred(draws.contrast) * config.contrast
            x = colour(x, 1 + spread[0], 1 + spread[1])
        return x

    def _moved(self, x: Tensor, draws: Draws) -> Tensor:
        height, width = x.shape[-2:]
        down, right = (
            (_centred(drawn) * self.config.shift * side).round().long()
            for drawn, side in ((draws.down, height), (draws.right, width))
        )
        mirrored = (draws.flip_horizontal < 0.5) & self.config.flip_horizontal
        upturned = (draws.flip_vertical < 0.5) & self.config.flip_vertical
        return move(x, down, right, mirrored, upturned)

    def _warped(self, x: Tensor, draws: Draws) -> Tensor:
        angle = _centred(draws.angle) * math.radians(self.config.rotation)
        scale = 1 + _centred(draws.scale) * self.config.scale
        side = (1 - draws.area * self.config.crop).sqrt()
        return warp(x, angle, scale, side, _centred(draws.crop_down), _centred(draws.crop_right))


def is_on(config: AugmentConfig) -> bool:
    """Whether any augmentation is enabled."""
    return bool(_switched_on(config))


def shown(config: AugmentConfig, images: np.ndarray, seed: int) -> np.ndarray:
    """Augmented examples of images (N, C, H, W) uint8, as uint8; reproducible by seed.

    Raises:
        BadValue: an augmentation is enabled for samples that are not images.
    """
    augment = Augment(config, images.shape[1:])
    x = torch.from_numpy(np.array(images)).float() / 255.0  # a copy, because memory-mapped images are read-only
    varied = augment(x, generator=torch.Generator().manual_seed(seed))
    return (varied * 255.0).round_().to(torch.uint8).numpy()


def move(x: Tensor, down: Tensor, right: Tensor, mirrored: Tensor, upturned: Tensor) -> Tensor:
    """Flip each image of x (B, C, H, W) where set (B,), then shift it by whole pixels (B,), without interpolation."""
    channels, height, width = x.shape[1:]
    rows = _sources(height, down, upturned)
    columns = _sources(width, right, mirrored)
    places = (rows[:, :, None] * width + columns[:, None, :]).flatten(1)  # (B, H, 1), (B, 1, W) -> (B, H * W)
    return x.flatten(2).gather(2, places[:, None].expand(-1, channels, -1)).view(x.shape)


def warp(x: Tensor, angle: Tensor, scale: Tensor, side: Tensor, crop_down: Tensor, crop_right: Tensor) -> Tensor:
    """Rotate each image of x (B, C, H, W) clockwise and scale it about its centre, then crop and resize it.

    Args:
        angle: radians (B,).
        scale: magnification (B,).
        side: fraction of each side kept by the crop (B,), in (0, 1].
        crop_down, crop_right: position of the crop (B,), from -1 (top, left) to 1.
    """
    height, width = x.shape[-2:]
    across, along = _pixel_centres(width, x), _pixel_centres(height, x)  # pixels' distances from the centre: (W,), (H,)
    room = (1 - side[:, None]) / 2
    # Source coordinates of the cropped image's pixels: (B, W), (B, H).
    right = side[:, None] * across + room * width * crop_right[:, None]
    down = side[:, None] * along + room * height * crop_down[:, None]
    cos, sin = (angle.cos() / scale)[:, None], (angle.sin() / scale)[:, None]
    source_x = (cos * right)[:, None, :] + (sin * down)[:, :, None]  # (B, 1, W), (B, H, 1) -> (B, H, W)
    source_y = (cos * down)[:, :, None] - (sin * right)[:, None, :]
    grid = torch.stack([source_x * (2 / width), source_y * (2 / height)], dim=-1)  # in [-1, 1], as grid_sample expects
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False).clamp_(0.0, 1.0)


def colour(x: Tensor, brightness: Tensor, contrast: Tensor) -> Tensor:
    """Multiply images x (B, C, H, W) by brightness (B,), then scale them about their mean grey by contrast (B,)."""
    x = (x * brightness[:, None, None, None]).clamp_(0.0, 1.0)
    means = x.mean(dim=(2, 3))  # (B, C, H, W) -> (B, C)
    shares = GREY if x.shape[1] == len(GREY) else (1 / x.shape[1],) * x.shape[1]
    grey = sum((share * means[:, channel] for channel, share in enumerate(shares)), torch.zeros_like(brightness))
    mean = grey[:, None, None, None]
    return mean.lerp(x, contrast[:, None, None, None]).clamp_(0.0, 1.0)


def _switched_on(config: AugmentConfig) -> list[str]:
    return [name for name in AugmentConfig.model_fields if getattr(config, name)]


def _draw(x: Tensor, part: Part, generator: torch.Generator | None) -> Draws:
    first, end, whole = part
    numbers = torch.rand((whole, len(Draws._fields)), generator=generator, device=x.device)
    return Draws(*numbers[first:end].unbind(dim=1))


def _centred(drawn: Tensor) -> Tensor:
    """Map [0, 1) to [-1, 1)."""
    return 2 * drawn - 1


def _sources(side: int, shift: Tensor, is_flipped: Tensor) -> Tensor:
    """The source row (or column) of each row of the moved image: (B, side)."""
    places = torch.arange(side, device=shift.device) - shift[:, None]
    places = places.clamp_(0, side - 1)
    return torch.where(is_flipped[:, None], side - 1 - places, places)


def _pixel_centres(side: int, x: Tensor) -> Tensor:
    """Pixel centres along one side, relative to the image centre: (side,)."""
    return torch.arange(side, device=x.device, dtype=x.dtype) + (1 - side) / 2
