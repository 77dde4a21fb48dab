"""Parts of a training loop, in plain functions whose source is copied into exported scripts."""

import math

import torch
from torch import Tensor, nn

LEAST = 1e-2  # final learning rate of cosine and one-cycle, as a share
RISE = 0.3  # share of a one-cycle training in which the rate rises
START = 0.04  # initial learning rate of one-cycle, as a share


def batches_of(order: Tensor, size: int) -> list[Tensor]:
    """Split a shuffled order into batches; a single image left over joins the last one."""
    batches = list(order.split(size))
    if len(batches) > 1 and len(batches[-1]) < 2:
        batches[-2:] = [torch.cat(batches[-2:])]
    return batches


def statistics(images: Tensor) -> tuple[Tensor, Tensor]:
    """Per-channel mean and standard deviation, (C,) each, of images (N, C, H, W) uint8 as pixels in [0, 1]."""
    by_channel = images.transpose(0, 1).flatten(1).double() / 255
    return by_channel.mean(1).float(), by_channel.std(1, correction=0).float()


def step(epoch: float, epochs: int, decay: float, decay_epochs: int) -> float:
    """The learning-rate factor after `epoch` epochs: multiplied by `decay` every `decay_epochs`."""
    return float(decay ** int(epoch / decay_epochs))


def exponential(epoch: float, epochs: int, decay: float, decay_epochs: int) -> float:
    """The learning-rate factor after `epoch` epochs: the same decay, but continuous."""
    return float(decay ** (epoch / decay_epochs))


def cosine(epoch: float, epochs: int, decay: float, decay_epochs: int) -> float:
    """The learning-rate factor after `epoch` epochs: half a cosine down to nearly zero."""
    return LEAST + (1 - LEAST) * (1 + math.cos(math.pi * min(1.0, epoch / epochs))) / 2


def one_cycle(epoch: float, epochs: int, decay: float, decay_epochs: int) -> float:
    """The learning-rate factor after `epoch` epochs: up for three tenths, then down to nearly zero."""
    done = min(1.0, epoch / epochs)
    if done < RISE:
        return START + (1 - START) * (1 - math.cos(math.pi * done / RISE)) / 2
    return LEAST + (1 - LEAST) * (1 + math.cos(math.pi * (done - RISE) / (1 - RISE))) / 2


def augment(
    x: Tensor,
    *,
    flip_horizontal: bool,
    flip_vertical: bool,
    shift: float,
    rotation: float,
    scale: float,
    crop: float,
    brightness: float,
    contrast: float,
) -> Tensor:
    """Augment each image of x (B, C, H, W) independently."""
    from torchvision.transforms import InterpolationMode, v2

    height, width = x.shape[-2:]
    smoothly = InterpolationMode.BILINEAR
    changes = v2.Compose(
        [
            v2.RandomHorizontalFlip(0.5 if flip_horizontal else 0.0),
            v2.RandomVerticalFlip(0.5 if flip_vertical else 0.0),
            v2.RandomAffine(rotation, (shift, shift), (1 - scale, 1 + scale), interpolation=smoothly),
            v2.RandomResizedCrop((height, width), scale=(1 - crop, 1.0), ratio=(width / height, width / height)),
            v2.ColorJitter(brightness, contrast),
        ]
    )
    return torch.stack([changes(image) for image in x])


def update_average(averaged: nn.Module, network: nn.Module, decay: float) -> None:
    """Update the running average of a network's weights; integer buffers are copied."""
    with torch.no_grad():
        for mine, theirs in zip(averaged.state_dict().values(), network.state_dict().values(), strict=True):
            if theirs.is_floating_point():
                mine.lerp_(theirs, 1.0 - decay)
            else:
                mine.copy_(theirs)


def add_l1_gradient(network: nn.Module, l1: float) -> None:
    """Add the gradient of the L1 penalty on the weights."""
    with torch.no_grad():
        for weight in network.parameters():
            if weight.dim() > 1 and weight.grad is not None:
                weight.grad.add_(weight.sign(), alpha=l1)
