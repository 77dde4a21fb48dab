"""Decompose an encoder or decoder into the functions of its layers."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from aeviz.models.base import Autoencoder
from aeviz.models.bodies.blocks import Residual, Stack, Standardise
from aeviz.models.bodies.shapes import Stage
from aeviz.models.surgery.units import Affine, Units, affine_of, identity_units, n_positions, weight_norms

Layer = Affine | Residual | None  # a layer's function; None if it has no weights or is unknown


@dataclass(frozen=True)
class Half:
    """An encoder or a decoder by layers: per row the weighted module, norm and activation; the same for the code."""

    rows: dict[int, list[nn.Module]]
    code: list[nn.Module]
    shapes: list[tuple[int, ...]]  # before the first and after each encoder layer
    decodes: bool

    def layer(self, row: int) -> Layer:
        """The function of a row: affine, a residual block, or None if it has no weights."""
        module = self.rows[row][0]
        if isinstance(module, nn.AvgPool2d | nn.Upsample):
            return None
        if isinstance(module, Residual):
            return module
        near, far = n_positions(self.shapes[row]), n_positions(self.shapes[row + 1])
        flat = len(self.shapes[row + 1]) == 1  # a dense layer
        return affine_of(module, *((near, far) if self.decodes else (far, near))) if flat else affine_of(module)

    def code_layer(self) -> Affine:
        """The layer at the code."""
        last = n_positions(self.shapes[-1])
        return affine_of(self.code[0], *((last, 1) if self.decodes else (1, last)))

    def norm_and_activation(self, boundary: int) -> list[nn.Module]:
        """The modules after the layer that computes a boundary's value: norm, activation, dropout."""
        if not self.decodes:
            return self.rows[boundary - 1][1:] if boundary else []
        return self.rows[boundary][1:] if boundary in self.rows else self.code[1:]


def _half(stack: Stack, shapes: list[tuple[int, ...]], decodes: bool) -> Half:
    rows: dict[int, list[nn.Module]] = {}
    code: list[nn.Module] = []
    for row, module in zip(stack.rows, stack, strict=True):
        if row is not None:
            rows.setdefault(row, []).append(module)
        elif not isinstance(module, nn.Flatten | nn.Unflatten | Standardise):
            code.append(module)
    return Half(rows, code, shapes, decodes)


def halves(model: Autoencoder, stages: list[Stage]) -> tuple[Half, Half]:
    """Decompose a network into encoder and decoder, given its stages."""
    after = [stage.after for stage in stages]
    code = torch.zeros(1, model.decoder_features(), device=next(model.parameters()).device)
    rebuilt = tuple(model.decoder(code).shape[1:])
    return _half(model.encoder, [model.sample_shape, *after], False), _half(model.decoder, [rebuilt, *after], True)


def image_units(old: Half, new: Half) -> Units | None:
    """The units at the image: the same, unless the loss needs another number of channels."""
    return identity_units(old.shapes[0][0]) if old.shapes[0] == new.shapes[0] else None


def layers_between(old: Half, near: int | None, far: int | None) -> list[Layer]:
    """The old weighted layers between two boundaries, from image to code; only the last if one boundary is new."""
    if far is None:
        return [None]
    if near is None:
        return [old.layer(far - 1)] if far else [None]
    return [layer for layer in map(old.layer, range(near, far)) if layer is not None]


def compose(layers: list[Layer], decodes: bool) -> Layer:
    """Merge old layers into one: the identity for none, else the product of the last dense ones, else the last."""
    if not layers:
        return Affine()
    whole, *others = reversed(layers)
    for layer in others:
        if not (isinstance(whole, Affine) and whole.linear and isinstance(layer, Affine) and layer.linear):
            break
        whole = layer.after(whole) if decodes else whole.after(layer)
    return whole


def importance(old: Half, boundary: int) -> Tensor | None:
    """The importance of the units at a boundary: norm of incoming times norm of outgoing weights."""
    image_side = old.layer(boundary - 1) if boundary else None
    code_side = old.layer(boundary) if boundary in old.rows else old.code_layer()
    feeds, reads = (code_side, image_side) if old.decodes else (image_side, code_side)
    if feeds is None or reads is None:
        return None
    out = affine_of(feeds.second) if isinstance(feeds, Residual) else feeds
    into = affine_of(reads.first) if isinstance(reads, Residual) else reads
    return weight_norms(out, incoming=True) * weight_norms(into, incoming=False)
