"""Costs of a network without building it: shapes, parameters, FLOPs and memory, from the meta device."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import psutil
import torch
from torch import Tensor, nn

from aeviz.errors import OverBudget
from aeviz.models import ModelConfig, build
from aeviz.models.bodies.blocks import ACTIVATIONS, Residual, Stack, Standardise, TiedConvTranspose2d
from aeviz.models.bodies.build import make_encoder
from aeviz.models.bodies.settings import CustomConfig
from aeviz.models.bodies.shapes import BadLayer
from aeviz.models.meta import shapes_only

BYTES = 4
SHARE_OF_RAM = 0.8
SHARE_OF_DEVICE = 0.9
# Copies per parameter: weight, gradient, optimizer state, best weights, and all but the gradient once more while a
# checkpoint is written.
COPIES = {"adam": 8, "adamw": 8, "rmsprop": 7, "momentum": 7, "nesterov": 7, "sgd": 6}
SAME_SHAPE = (
    *(type(make()) for make in ACTIVATIONS.values()), nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm, nn.Dropout,
    nn.Dropout2d, Standardise,
)  # fmt: skip
VIEWS = (nn.Flatten, nn.Unflatten)  # their outputs are views of their inputs


@dataclass(frozen=True)
class Layer:
    """One layer with its output shape (without B), parameters, and FLOPs per image.

    `part` is encoder, code or decoder; `row` is the index of an encoder layer in the settings; `memory` is in bytes,
    during training.
    """

    part: str
    name: str
    shape: tuple[int, ...]
    parameters: int
    flops: int
    memory: int = 0
    row: int | None = None


@dataclass(frozen=True)
class Cost:
    """Layers of a network with total parameters, FLOPs per image and training memory in bytes."""

    layers: list[Layer]
    parameters: int
    flops: int
    memory: int


@dataclass(frozen=True)
class Outline:
    """A network up to its first invalid layer: `problem` is the error and `broken` that layer's row."""

    layers: list[Layer]
    problem: str | None = None
    broken: int | None = None

    @property
    def cost(self) -> Cost:
        """The sums over the valid layers."""
        sums = (sum(getattr(layer, name) for layer in self.layers) for name in ("parameters", "flops", "memory"))
        return Cost(self.layers, *sums)


@dataclass(frozen=True)
class _Meter:
    """Bytes per parameter and per activation."""

    parameter: int
    activation: int

    @classmethod
    def of(cls, batch_size: int, optimizer: str) -> "_Meter":
        # Each output is kept for the backward pass, which adds a gradient of the same size.
        return cls(BYTES * COPIES[optimizer], BYTES * 2 * batch_size)


def cost(config: ModelConfig, batch_size: int = 128, optimizer: str = "adam", loss: str = "mse") -> Cost:
    """The cost of a network, without allocating it.

    Raises:
        BadLayer: a layer does not fit its input.
    """
    meter = _Meter.of(batch_size, optimizer)
    with shapes_only():
        model = build(config, loss).eval()
        encoder = _measure(model.encoder, torch.empty(2, *config.sample_shape), "encoder", meter)
        decoder = _measure(model.decoder, torch.empty(2, model.decoder_features()), "decoder", meter)
        return Outline([*encoder, *_other_parameters(model, meter), *decoder]).cost


def outline(config: ModelConfig, batch_size: int = 128, optimizer: str = "adam", loss: str = "mse") -> Outline:
    """The layers of a network as far as they are valid, with the error for the rest.

    An invalid network is outlined by the encoder's layers before the invalid one.
    """
    try:
        return Outline(cost(config, batch_size, optimizer, loss).layers)
    except BadLayer as error:
        fitting = CustomConfig.model_construct(
            **(dict(config.body.as_custom()) | {"layers": config.body.as_layers()[: error.layer]})
        )
        with shapes_only():
            encoder = make_encoder(fitting, config.sample_shape, config.latent_dim, config.standardise)
            sample = torch.empty(2, *config.sample_shape)
            layers = _measure(encoder.eval(), sample, "encoder", _Meter.of(batch_size, optimizer))
            return Outline([layer for layer in layers if layer.row is not None], str(error), error.layer)


@torch.inference_mode()
def decoder_flops(model: nn.Module) -> int:
    """A decoder's FLOPs per image, from a real forward pass: the meta device takes a second to initialise."""
    decoder: nn.Sequential = model.decoder  # type: ignore[assignment]
    first: nn.Linear = decoder[0]  # type: ignore[assignment]
    _, flops, _ = _pass(decoder, first.weight.new_zeros(2, first.in_features))
    return flops


def _measure(stack: Stack, value: Tensor, part: str, meter: _Meter) -> Iterator[Layer]:
    """The layers of a stack as a value (2, ...) passes through them."""
    for row, module in zip(stack.rows, stack, strict=True):
        parameters = sum(parameter.numel() for parameter in module.parameters())
        value, flops, kept = _pass(module, value)
        yield Layer(
            part,
            type(module).__name__,
            tuple(value.shape[1:]),
            parameters,
            flops,
            meter.parameter * parameters + meter.activation * kept,
            row if part == "encoder" else None,
        )


def _pass(module: nn.Module, value: Tensor) -> tuple[Tensor, int, int]:
    """A module's output for value (2, ...), its FLOPs, and its stored activations per image."""
    if isinstance(module, Residual):
        _, *shortcut = _pass(module.shortcut, value)
        inside = nn.Sequential(module.first, module.between, module.second)
        value, flops, kept = _pass(inside, value)
        return value, flops + shortcut[0], kept + shortcut[1]
    if isinstance(module, nn.Sequential):
        total_flops = total_kept = 0
        for part in module:
            value, flops, kept = _pass(part, value)
            total_flops, total_kept = total_flops + flops, total_kept + kept
        return value, total_flops, total_kept
    if isinstance(module, SAME_SHAPE):  # spares a millisecond per norm on the meta device
        return value, 0, math.prod(value.shape[1:])
    after = module(value)
    return after, _flops(module, value, after), 0 if isinstance(module, VIEWS) else math.prod(after.shape[1:])


def _other_parameters(model: nn.Module, meter: _Meter) -> Iterator[Layer]:
    """Parameters outside encoder and decoder, such as a codebook."""
    for name, parameter in model.named_parameters():
        if name.split(".")[0] not in ("encoder", "decoder"):
            size = parameter.numel()
            yield Layer("code", name.split(".")[0].title(), tuple(parameter.shape), size, 0, meter.parameter * size)


def _flops(module: nn.Module, before: Tensor, after: Tensor) -> int:
    """Two FLOPs per weight and position it is used at."""
    weight = getattr(module, "weight", None)
    if weight is None or weight.dim() < 2:
        return 0
    places = before if isinstance(module, nn.ConvTranspose2d | TiedConvTranspose2d) else after
    return 2 * weight.numel() * math.prod(places.shape[2:])


def free_memory(device: str) -> int:
    """Bytes that a training may use on a device: a share of what is free now."""
    if device.startswith("cuda"):
        return int(SHARE_OF_DEVICE * torch.cuda.mem_get_info(torch.device(device))[0])
    return int(SHARE_OF_RAM * psutil.virtual_memory().available)


def check(needed: Cost, device: str) -> None:
    """Reject a network that does not fit into memory, before allocating anything.

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
    """Format a number of bytes with a unit."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"
