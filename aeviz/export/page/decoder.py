"""A decoder packed for `static/codes/decoder.js`, which runs it in the browser: layers as JSON, then weights."""

import json
import struct
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from aeviz.errors import BadValue, OverBudget
from aeviz.models import LOSSES, Autoencoder, costs
from aeviz.models.bodies import strided
from aeviz.models.bodies.blocks import ACTIVATIONS, Residual, Stack, TiedConvTranspose2d, TiedLinear
from aeviz.models.losses import mean_level
from aeviz.models.variants.cvae import ConditionalVAE
from aeviz.models.variants.vq_vae import VectorQuantisedAutoencoder

FORMAT = 1
MOST_PRODUCTS = 30_000_000  # multiply-adds per sample: some 15 ms in Chromium
MOST_BYTES = 16_000_000
Operation = dict[str, Any]


class Weights:
    """A growing array of numbers."""

    def __init__(self) -> None:
        self.arrays: list[np.ndarray] = []
        self.count = 0

    def append(self, values: Tensor) -> list[int]:
        """Append values; return where they are: [index of the first, count]."""
        array = values.detach().float().cpu().numpy().ravel()
        self.arrays.append(array)
        self.count += array.size
        return [self.count - array.size, array.size]

    def to_bytes(self, half: bool) -> bytes:
        """All numbers as float32 or float16.

        Raises:
            BadValue: a number is too large for float16.
        """
        values = np.concatenate(self.arrays)
        largest, most = float(np.abs(values).max()), float(np.finfo(np.float16).max)
        if half and largest > most:
            raise BadValue(
                "the decoder's largest weight, {largest:.3g}, does not fit into 16 bits, which hold up to {most:g}; "
                "pack it with 32",
                largest=largest, most=most,
            )  # fmt: skip
        return values.astype("<f2" if half else "<f4").tobytes()


def pack_decoder(model: Autoencoder, half: bool = False) -> bytes:
    """Pack what `model.decode` does in evaluation mode.

    The format is the header's length (uint32), the header (JSON), then the weights at the offsets it names, all
    little-endian. `half` packs weights as float16, in half the bytes: for networks trained on Fashion-MNIST pixels are
    then off by up to .0011, a quarter of a grey level in 256; otherwise by up to 1e-6.

    Raises:
        BadValue: the browser does not support a layer, the variant or the loss.
        OverBudget: the decoder is too large to download, or too slow to follow the pointer.
    """
    weights = Weights()
    head = {
        "format": FORMAT,
        "sample_shape": model.sample_shape,
        "latent_dim": model.latent_dim,
        "half": half,
        "layers": [*_input(model, weights), *_decoder(model.decoder, weights), _mean(model)],
    }
    _check("takes {found:,} multiply-adds a picture", costs.decoder_flops(model) // 2, MOST_PRODUCTS)
    text, numbers = json.dumps(head).encode(), weights.to_bytes(half)
    _check("has {found:,} bytes", len(text) + len(numbers), MOST_BYTES)
    return struct.pack("<I", len(text)) + text + numbers


def _check(costs: str, found: int, most: int) -> None:
    if found > most:
        raise OverBudget(
            "the browser cannot decode at the speed of the pointer: this decoder " + costs + ", {most:,} at most; "
            "use fewer or narrower layers, or decode on the server",
            found=found, most=most,
        )  # fmt: skip


def _input(model: Autoencoder, weights: Weights) -> list[Operation]:
    """What a variant does to codes before they enter the decoder."""
    pack = INPUTS.get(type(model).decoder_input)
    if pack is None:
        raise BadValue("the browser does not support the codes of a {label}; decode on the server", label=model.label)
    return pack(model, weights)


def _label(model: Any, weights: Weights) -> list[Operation]:
    return [{"kind": "label", "classes": model.config.n_classes}]


def _quantise(model: Any, weights: Weights) -> list[Operation]:
    entries = model.codebook.weight
    return [{"kind": "snap", "size": entries.shape[1], "entries": weights.append(entries)}]


INPUTS: dict[Callable[..., Tensor], Callable[[Any, Weights], list[Operation]]] = {
    Autoencoder.decoder_input: lambda model, weights: [],
    ConditionalVAE.decoder_input: _label,
    VectorQuantisedAutoencoder.decoder_input: _quantise,
}


def _mean(model: Autoencoder) -> Operation:
    """How logits become an image."""
    mean = LOSSES[model.loss].mean
    if mean is torch.sigmoid:
        return {"kind": "bend", "name": "sigmoid"}
    if mean is mean_level:
        return {"kind": "levels", "levels": model.config.grey_levels}
    raise BadValue("the browser does not support the output of the loss {loss}; decode on the server", loss=model.loss)


def _decoder(decoder: Stack, weights: Weights) -> list[Operation]:
    """The decoder's operations, with its output in torch's order."""
    layers = list(decoder)
    if isinstance(layers[-1], nn.Unflatten):  # a view, the numbers are in order already
        return _sequence(layers[:-1], weights)
    return [*_sequence(layers, weights), {"kind": "planes"}]


def _sequence(modules: Iterable[nn.Module], weights: Weights) -> list[Operation]:
    return [operation for module in modules for operation in _layer(module, weights)]


def _layer(module: nn.Module, weights: Weights) -> list[Operation]:
    pack = LAYERS.get(type(module))
    if pack is None:
        raise BadValue(
            "the browser cannot run a layer of kind {kind}; it supports {known}",
            kind=type(module).__name__, known=", ".join(sorted({kind.__name__ for kind in LAYERS})),
        )  # fmt: skip
    return pack(module, weights)


def _linear(module: Any, weights: Weights) -> list[Operation]:
    return [{"kind": "linear", "weight": weights.append(module.weight), "bias": weights.append(module.bias)}]


def _transposed(module: Any, weights: Weights) -> list[Operation]:
    _require(module, dilation=(1, 1), groups=1)
    return [_transpose(module.weight, module.bias, module.stride, module.padding, module.output_padding, weights)]


def _convolution(module: Any, weights: Weights) -> list[Operation]:
    """A convolution; without a stride it is a transposed convolution with the flipped kernel."""
    _require(module, stride=(1, 1), dilation=(1, 1), groups=1, padding_mode="zeros")
    turned = module.weight.transpose(0, 1).flip(2, 3)
    padding = [side - 1 - pad for side, pad in zip(module.kernel_size, module.padding, strict=True)]
    return [_transpose(turned, module.bias, (1, 1), padding, (0, 0), weights)]


def _transpose(
    weight: Tensor, bias: Tensor, stride: Iterable[int], padding: Iterable[int], extra: Iterable[int], weights: Weights
) -> Operation:
    """A transposed convolution with weight (inputs, outputs, height, width)."""
    down, across = stride
    phases = [_phase(weight[:, :, row::down, column::across]) for row in range(down) for column in range(across)]
    return {
        "kind": "spread",
        "kernel": weight.shape[2:],
        "stride": (down, across),
        "padding": tuple(padding),
        "extra": tuple(extra),
        "weight": weights.append(torch.cat(phases)),
        "bias": weights.append(bias),
    }


def _phase(taps: Tensor) -> Tensor:
    """Weights (inputs, outputs, rows, columns) in the order of use, padded to an even number of outputs.

    In the output of a transposed convolution, pixels one stride apart use the same taps of the kernel.
    """
    ordered = taps.detach().flip(2, 3).permute(1, 2, 3, 0)  # (outputs, rows, columns, inputs)
    if len(ordered) % 2:
        ordered = torch.cat([ordered, torch.zeros_like(ordered[:1])])
    return ordered.unflatten(0, (-1, 2)).permute(0, 2, 3, 4, 1).flatten()  # two outputs interleaved


def _upsample(module: Any, weights: Weights) -> list[Operation]:
    _require(module, mode="nearest", scale_factor=None)
    return [{"kind": "upsample", "size": module.size}]


def _residual(module: Any, weights: Weights) -> list[Operation]:
    main = _sequence([module.first, *module.between, module.second], weights)
    return [{"kind": "residual", "main": main, "shortcut": _sequence(module.shortcut, weights)}]


def _batch_norm(module: Any, weights: Weights) -> list[Operation]:
    factor = module.weight / torch.sqrt(module.running_var + module.eps)
    return [_scale(factor, module.bias - module.running_mean * factor, weights)]


def _group_norm(module: Any, weights: Weights) -> list[Operation]:
    normalise = {"kind": "normalise", "groups": module.num_groups, "epsilon": module.eps}
    return [normalise, _scale(module.weight, module.bias, weights)]


def _scale(factor: Tensor, shift: Tensor, weights: Weights) -> Operation:
    """Multiply every channel by a factor and add a shift."""
    return {"kind": "scale", "factor": weights.append(factor), "shift": weights.append(shift)}


def _activation(name: str) -> Callable[[Any, Weights], list[Operation]]:
    return lambda module, weights: [{"kind": "bend", "name": name, "slope": getattr(module, "negative_slope", 0.0)}]


def _unflatten(module: Any, weights: Weights) -> list[Operation]:
    return [{"kind": "image", "shape": module.unflattened_size}]


def _nothing(module: Any, weights: Weights) -> list[Operation]:
    return []


def _require(module: nn.Module, **settings: object) -> None:
    """Reject a layer with settings that the browser does not support."""
    for name, known in settings.items():
        found = getattr(module, name, known)
        if found != known:
            raise BadValue(
                "the browser cannot run a layer of kind {kind} with {name} = {found}; it supports {known}",
                kind=type(module).__name__, name=name, found=found, known=known,
            )  # fmt: skip


LAYERS: dict[type[nn.Module], Callable[[Any, Weights], list[Operation]]] = {
    nn.Linear: _linear,
    TiedLinear: _linear,
    nn.ConvTranspose2d: _transposed,
    strided.ConvTranspose2d: _transposed,
    TiedConvTranspose2d: _transposed,
    nn.Conv2d: _convolution,
    strided.Conv2d: _convolution,
    Residual: _residual,
    nn.Upsample: _upsample,
    nn.BatchNorm1d: _batch_norm,
    nn.BatchNorm2d: _batch_norm,
    nn.GroupNorm: _group_norm,
    nn.Dropout: _nothing,
    nn.Dropout2d: _nothing,
    nn.Unflatten: _unflatten,
    **{type(make()): _activation(name) for name, make in ACTIVATIONS.items()},
}
