"""Augmentation: training images varied on their device as they are fed, every image by draws of its own."""

import math
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from aeviz.errors import BadValue
from aeviz.runs.config import AugmentConfig

Part = tuple[int, int, int]
GREY = (0.2989, 0.587, 0.114)  # the share of red, green and blue in brightness, as torchvision has it


class Draws(NamedTuple):
    """One uniform number in [0, 1) per image (B,) for everything that can be switched on."""

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
    """Varies a batch as `AugmentConfig` says, in three passes: whole pixels, one interpolation, colours.

    What each variation does is torchvision.transforms.v2's (RandomAffine with whole pixels shifted, RandomResizedCrop
    of the image's own proportions, ColorJitter), and the tests hold every image against v2's kernels. The kernels
    themselves take one set of parameters for a whole batch: to vary each image they would have to run image by image,
    which takes 24 ms for 128 images of 28 x 28 on one core, several training steps; this takes 0.8 ms, as long as
    theirs for the whole batch at once.

    What comes in from outside repeats the image's edge, so that no black wedges are learned where there are none.
    Nothing here waits for the device, and all numbers come from one draw of fixed size, so that switching one variation
    on leaves the others as they were.
    """

    def __init__(self, config: AugmentConfig, sample_shape: tuple[int, ...]) -> None:
        """Raises: BadValue, if something is switched on for samples that are no images."""
        if is_on(config) and len(sample_shape) != 3:
            raise BadValue(
                "augment: only images can be varied, not samples of shape {shape}; switch {names} off",
                shape=sample_shape, names=" and ".join(_switched_on(config)),
            )  # fmt: skip
        self.config = config
        self.is_on = is_on(config)

    def __call__(self, x: Tensor, part: Part | None = None, generator: torch.Generator | None = None) -> Tensor:
        """The varied batch of x (B, C, H, W) in [0, 1]; x itself where all is off.

        Draws from torch's global generator unless another one is given. Where the batch is rows first to end of a
        larger one, `part` is (first, end, rows of the whole), and numbers are drawn for the whole.
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
    """Whether anything is varied at all."""
    return bool(_switched_on(config))


def shown(config: AugmentConfig, images: np.ndarray, seed: int) -> np.ndarray:
    """Images (N, C, H, W) uint8 as they could be fed, as uint8 again; the same for the same seed.

    Raises:
        BadValue: something is switched on for samples that are no images.
    """
    augment = Augment(config, images.shape[1:])
    x = torch.from_numpy(np.array(images)).float() / 255.0  # a copy: images from a file cannot be written to
    varied = augment(x, generator=torch.Generator().manual_seed(seed))
    return (varied * 255.0).round_().to(torch.uint8).numpy()


def move(x: Tensor, down: Tensor, right: Tensor, mirrored: Tensor, upturned: Tensor) -> Tensor:
    """Each image of x (B, C, H, W) flipped where asked (B,), then shifted by whole pixels (B,); every value is kept."""
    channels, height, width = x.shape[1:]
    rows = _sources(height, down, upturned)
    columns = _sources(width, right, mirrored)
    places = (rows[:, :, None] * width + columns[:, None, :]).flatten(1)  # (B, H, 1), (B, 1, W) -> (B, H * W)
    return x.flatten(2).gather(2, places[:, None].expand(-1, channels, -1)).view(x.shape)


def warp(x: Tensor, angle: Tensor, scale: Tensor, side: Tensor, crop_down: Tensor, crop_right: Tensor) -> Tensor:
    """Each image of x (B, C, H, W) turned clockwise and enlarged about its centre, then cropped and enlarged again.

    Args:
        angle: radians (B,).
        scale: by what it is enlarged (B,).
        side: share of each side that the crop keeps (B,), in (0, 1].
        crop_down, crop_right: where the crop lies (B,), from -1 (top, left) to 1.
    """
    height, width = x.shape[-2:]
    across, along = _pixel_centres(width, x), _pixel_centres(height, x)  # pixels' distances from the centre: (W,), (H,)
    room = (1 - side[:, None]) / 2
    # Where the pixels of the cropped picture were before: (B, W), (B, H).
    right = side[:, None] * across + room * width * crop_right[:, None]
    down = side[:, None] * along + room * height * crop_down[:, None]
    cos, sin = (angle.cos() / scale)[:, None], (angle.sin() / scale)[:, None]
    source_x = (cos * right)[:, None, :] + (sin * down)[:, :, None]  # (B, 1, W), (B, H, 1) -> (B, H, W)
    source_y = (cos * down)[:, :, None] - (sin * right)[:, None, :]
    grid = torch.stack([source_x * (2 / width), source_y * (2 / height)], dim=-1)  # in [-1, 1], as grid_sample has it
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False).clamp_(0.0, 1.0)


def colour(x: Tensor, brightness: Tensor, contrast: Tensor) -> Tensor:
    """Each image of x (B, C, H, W) times its brightness (B,), then spread about its mean grey by its contrast (B,)."""
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
    """From [0, 1) to [-1, 1)."""
    return 2 * drawn - 1


def _sources(side: int, shift: Tensor, is_flipped: Tensor) -> Tensor:
    """Which row (or column) of the image each row of the moved one shows: (B, side)."""
    places = torch.arange(side, device=shift.device) - shift[:, None]
    places = places.clamp_(0, side - 1)
    return torch.where(is_flipped[:, None], side - 1 - places, places)


def _pixel_centres(side: int, x: Tensor) -> Tensor:
    """The middles of a side's pixels, in pixels from the centre: (side,)."""
    return torch.arange(side, device=x.device, dtype=x.dtype) + (1 - side) / 2
