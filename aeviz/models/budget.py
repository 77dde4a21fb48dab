"""What a network costs before it exists: shapes, parameters, FLOPs and memory, worked out on the meta device."""

import math
from dataclasses import dataclass

import psutil
import torch
from torch import Tensor, nn

from aeviz.errors import OverBudget
from aeviz.models import ModelConfig, build
from aeviz.models.base import mode

BYTES = 4
SHARE_OF_RAM = 0.8
SHARE_OF_DEVICE = 0.9
# Per parameter: weight, gradient, what the optimizer keeps, the best weights, and all but the gradient once more
# while a checkpoint is written.
COPIES = {"adam": 8, "adamw": 8, "rmsprop": 7, "momentum": 7, "nesterov": 7, "sgd": 6}


@dataclass(frozen=True)
class Layer:
    """One layer with its output shape (without B), parameters, and FLOPs for one image."""

    part: str
    name: str
    shape: tuple[int, ...]
    parameters: int
    flops: int


@dataclass(frozen=True)
class Cost:
    """What training needs: the layers, their sums, and bytes of memory at a batch size."""

    layers: list[Layer]
    parameters: int
    flops: int
    memory: int


def cost(config: ModelConfig, batch_size: int = 128, optimizer: str = "adam") -> Cost:
    """Lay the network out without allocating it.

    Raises:
        BadValue: layers that do not fit together.
    """
    with torch.device("meta"):
        model = build(config).eval()
        layers: list[Layer] = []
        z = mode(model.encode(_run(model.encoder, torch.empty(2, *config.sample_shape), "encoder", layers, model)))
        _run(model.decoder, z, "decoder", layers, model)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    activations = sum(math.prod(layer.shape) for layer in layers)
    # Each output is kept for the backward pass and met there by a gradient of its size.
    memory = BYTES * (parameters * COPIES[optimizer] + 2 * batch_size * activations)
    return Cost(layers, parameters, sum(layer.flops for layer in layers), memory)


def _run(stack: nn.Sequential, x: Tensor, part: str, layers: list[Layer], model: nn.Module) -> Tensor:
    """Note every layer of a stack, and give back what went in (the encoder) for `encode` to use."""
    value = x
    for module in stack:
        before, value = value, module(value)
        layers.append(
            Layer(
                part,
                type(module).__name__,
                tuple(value.shape[1:]),
                sum(parameter.numel() for parameter in module.parameters()),
                _flops(module, before, value),
            )
        )
    return x


def _flops(module: nn.Module, before: Tensor, after: Tensor) -> int:
    """Two per weight and place it is used at."""
    weight = getattr(module, "weight", None)
    if weight is None or weight.dim() < 2:
        return 0
    places = before if isinstance(module, nn.ConvTranspose2d) else after
    return 2 * weight.numel() * math.prod(places.shape[2:])


def free_memory(device: str) -> int:
    """Bytes a training may use on a device: most of what is free now."""
    if device.startswith("cuda"):
        return int(SHARE_OF_DEVICE * torch.cuda.mem_get_info(torch.device(device))[0])
    return int(SHARE_OF_RAM * psutil.virtual_memory().available)


def check(needed: Cost, device: str) -> None:
    """Refuse a network before anything is allocated.

    Raises:
        OverBudget: it needs more than the device has free.
    """
    free = free_memory(device)
    if needed.memory > free:
        raise OverBudget(
            "training this network needs about {needed}, and {device} has {free} free; "
            "use fewer or narrower layers, or a smaller batch",
            needed=in_bytes(needed.memory), device=device.upper(), free=in_bytes(free),
        )  # fmt: skip


def in_bytes(size: float) -> str:
    """Bytes as people say them."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"
