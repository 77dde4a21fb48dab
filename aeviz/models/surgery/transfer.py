"""Transfer what a network has learned to a network with other settings."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from aeviz.errors import BadValue
from aeviz.models import ModelConfig, build
from aeviz.models.base import Autoencoder
from aeviz.models.bodies.blocks import LEAK, Residual
from aeviz.models.bodies.shapes import Stage, lay_out
from aeviz.models.surgery.code_change import CodeChange, code_change
from aeviz.models.surgery.halves import Half, Layer, compose, halves, image_units, importance, layers_between
from aeviz.models.surgery.matching import match_boundaries
from aeviz.models.surgery.units import (
    Affine,
    Units,
    affine_of,
    identity_units,
    n_positions,
    remap,
    resize_units,
    scale_copies,
    set_norm,
    set_weights,
    signed_units,
    weight_norms,
)

TOLERANCE = 1e-4  # of pixel values, below which two networks count as the same function
PROBES = 16


def transfer(
    old: Autoencoder,
    config: ModelConfig,
    codes: Tensor | None = None,
    probe: Tensor | None = None,
    seed: int = 0,
    statistics: tuple[Tensor, Tensor] | None = None,
) -> tuple[Autoencoder, dict[str, Any]]:
    """Build a network with these settings that starts as the same function as `old` wherever possible.

    Wider layers hold copies of units that share the outgoing weights, and new layers start as the identity (Net2Net,
    Chen et al., ICLR 2016, https://arxiv.org/abs/1511.05641); narrower layers keep the most important units; a smaller
    code keeps the principal directions of `codes` (N, D), a larger one starts with the same reconstructions. Anything
    without a counterpart is initialised with `seed`. `probe` (P, *sample_shape) are images to compare the networks on;
    `statistics` are mean (C,) and standard deviation (C,) of the training images, for a newly standardising network.

    Returns the network, in the mode and on the device of `old`, and a report: `kept`, the share of parameters carried
    over; `exact`, whether both networks reconstruct the probe alike; `said`, a sentence for the user.

    Raises:
        BadLayer: the layers do not fit together.
        BadValue: the settings are for samples of another shape.
    """
    if config.sample_shape != old.sample_shape:
        raise BadValue(
            "the network was trained on samples of shape {old}; it cannot continue with samples of shape {new}",
            old=old.sample_shape, new=config.sample_shape,
        )  # fmt: skip
    training, device = old.training, next(old.parameters()).device
    old.eval()
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        new = build(config, old.loss).eval()
        if statistics is not None and not old.config.standardise:
            new.set_statistics(*statistics)
        images = (torch.rand(PROBES, *config.sample_shape) if probe is None else probe.detach().float()).to(device)
        if codes is None and probe is not None:
            codes = old.code(images)
        kept = _copy_weights(old, new, images[:PROBES], codes, seed)
        # On the CPU, because GPU convolutions round differently even for the same function.
        twin = old if device.type == "cpu" else copy.deepcopy(old).cpu()
        exact = _same_function(twin, new, images[:PROBES].cpu())
        new.to(device)
    for model in (old, new):
        model.train(training)
    share = kept / sum(parameter.numel() for parameter in new.parameters())
    return new, {"kept": share, "exact": exact, "said": _sentence(share, exact)}


def _copy_weights(old: Autoencoder, new: Autoencoder, images: Tensor, codes: Tensor | None, seed: int) -> int:
    """Transfer all weights that can be transferred; return the number of parameters set."""
    generator = torch.Generator().manual_seed(seed)
    plain = torch.equal(old.encoder(images)[:, : old.latent_dim], old.code(images))
    known = None if codes is None else codes.detach().cpu().double()
    return _Transfer(old, new, code_change(old, new, known, plain, generator), generator).carry()


def _sentence(share: float, exact: bool) -> str:
    if exact:
        return "The network computes the same function: every reconstruction is unchanged."
    if share > 0.995:
        return "All weights were kept, but reconstructions differ slightly; the network has to settle."
    if share < 0.005:
        return "Nothing could be kept: the network starts from scratch."
    return f"{share:.0%} of the weights were kept, the others start from scratch; the network has to settle."


def _same_function(old: Autoencoder, new: Autoencoder, x: Tensor) -> bool:
    before, after = (model.decode(model.code(x)) for model in (old, new))
    return before.shape == after.shape and bool((before - after).abs().max() < TOLERANCE)


class _Transfer:
    """One transfer of weights from an old network to a new one."""

    def __init__(self, old: Autoencoder, new: Autoencoder, code: CodeChange, generator: torch.Generator) -> None:
        self.old, self.new, self.code, self.generator = old, new, code, generator
        self.old_stages, self.stages = (list(lay_out(model.config.body, model.sample_shape)) for model in (old, new))
        self.origins = match_boundaries(self.old_stages, self.stages, old.sample_shape)
        self.tied = new.config.tied
        self.kept = 0

    def carry(self) -> int:
        """Transfer all weights that can be transferred; return the number of parameters set."""
        units: list[Units | None] = []
        both = zip(halves(self.old, self.old_stages), halves(self.new, self.stages), strict=True)
        for old, new in both:
            if not units or not self.tied:
                units = self._units(old, new)
            units[0] = image_units(old, new)
            for stage in self.stages:
                if stage.layer.kind != "pool":
                    self._carry_row(old, new, stage.row, units)
            self._carry_code(old, new, units[-1])
            for boundary, here in enumerate(units):
                self._carry_norm(old, new, boundary, here)
        self._carry_rest()
        return self.kept

    def _units(self, old: Half, new: Half) -> list[Units | None]:
        """For every boundary of the new network, the old units that its units stand for, or None."""
        found = [image_units(old, new)]
        for stage, origin in zip(self.stages, self.origins[1:], strict=True):
            if stage.layer.kind == "pool":
                found.append(found[-1])
            else:
                found.append(None if origin is None else self._units_at(old, origin, stage))
        return found

    def _units_at(self, old: Half, origin: int, stage: Stage) -> Units | None:
        shape, wanted, dense = old.shapes[origin], stage.layer.size, stage.layer.kind == "dense"
        if len(shape) == 1 and not dense:
            return None
        flat = len(shape) > 1 and dense
        count = shape[0] * (n_positions(shape) if flat else 1)
        if origin == 0 and (old.decodes or self.tied) and wanted >= 2 * count:
            leaky = stage.layer.activation == "leaky_relu" and not self.tied
            units = self._scale_copies(signed_units(count, wanted, gain=1.0 + LEAK if leaky else 1.0))
        else:
            units = self._resize(count, wanted, None if wanted >= count or flat else importance(old, origin))
        return replace(units, flat=flat)

    def _resize(self, count: int, wanted: int, importance: Tensor | None) -> Units:
        return self._scale_copies(resize_units(count, wanted, importance))

    def _scale_copies(self, units: Units) -> Units:
        """Scale copies down for tied weights; the same draws for the same count, so that shortcuts match."""
        return scale_copies(units, torch.Generator().manual_seed(len(units.index))) if self.tied else units

    def _carry_row(self, old: Half, new: Half, row: int, units: list[Units | None]) -> None:
        """Fill one layer with the weights of its counterpart, or make it the identity."""
        into, out = units[row : row + 2][::-1] if new.decodes else units[row : row + 2]
        near, far = self.origins[row : row + 2]
        module = new.rows[row][0]
        layer = compose(layers_between(old, near, far), old.decodes)
        fold = self._fold if row == 0 and not new.decodes else _unchanged
        if isinstance(module, Residual):
            self._carry_residual(module, layer, into, out, fold)
        elif isinstance(layer, Affine):
            self._fill(module, new.layer(row), fold(layer), into, out)

    def _carry_residual(
        self, block: Residual, layer: Layer, into: Units | None, out: Units | None, fold: Callable[[Affine], Affine]
    ) -> None:
        shortcut = next((module for module in block.shortcut if isinstance(module, nn.Conv2d)), None)
        before = Affine()
        if isinstance(layer, Residual):
            first, second = affine_of(layer.first), affine_of(layer.second)
            wanted = affine_of(block.first).weight
            assert first.weight is not None
            assert wanted is not None
            middle = self._resize(len(first.weight), len(wanted), weight_norms(first, incoming=True))
            self._fill(block.first, affine_of(block.first), fold(first), into, middle)
            self._fill(block.second, affine_of(block.second), second, middle, out)
            for module, other in zip(block.between, layer.between, strict=False):
                self.kept += set_norm(module, other, middle)
            conv = next((module for module in layer.shortcut if isinstance(module, nn.Conv2d)), None)
            before = fold(affine_of(conv)) if conv is not None else before
        elif isinstance(layer, Affine) and layer.weight is None and into is not None and out is not None:
            nn.init.zeros_(block.second.weight)  # type: ignore[arg-type]
            nn.init.zeros_(block.second.bias)  # type: ignore[arg-type]
            self.kept += sum(
                parameter.numel() for part in (block.first, block.second) for parameter in part.parameters()
            )
        else:
            return
        if shortcut is not None:
            self._fill(shortcut, affine_of(shortcut), before, into, out)

    def _fill(self, module: nn.Module, like: Layer, op: Affine, into: Units | None, out: Units | None) -> None:
        """Set a module's weights to those of an old layer remapped to new units, or copied if only the shape agrees."""
        assert isinstance(like, Affine)
        assert like.weight is not None
        found: Affine | None = None
        if into is not None and out is not None:
            found = remap(op, out, into, like, self.tied, self.generator)
        elif op.weight is not None and op.weight.shape == like.weight.shape:
            found = op
        if found is not None:
            self.kept += set_weights(module, found)

    def _carry_code(self, old: Half, new: Half, units: Units | None) -> None:
        last = self.origins[-1]
        removed = layers_between(old, last, len(self.old_stages)) if last is not None else []
        op, fresh = compose([*removed, old.code_layer()], old.decodes), 0
        if not isinstance(op, Affine):
            op = old.code_layer()
        if not self.stages and not new.decodes:
            op = self._fold(op)
        like = new.code_layer()
        assert like.weight is not None
        features = identity_units(like.weight.shape[2 if new.decodes else 0])
        if new.decodes:
            op = self.code.decoding(op)
        else:
            op, fresh = self.code.encoding(op)
            fresh *= like.weight[0].numel() + 1
        into, out = (features, units) if new.decodes else (units, features)
        before = self.kept
        self._fill(new.code[0], like, op, into, out)
        self.kept -= min(fresh, self.kept - before)

    def _carry_norm(self, old: Half, new: Half, boundary: int, units: Units | None) -> None:
        """Carry norm parameters over where an old value is first computed; repeats keep their initial values."""
        origin = self.origins[boundary]
        beside = boundary + 1 if new.decodes else boundary - 1
        if origin is None or (0 <= beside < len(self.origins) and self.origins[beside] == origin):
            return
        for module, other in zip(new.norm_and_activation(boundary), old.norm_and_activation(origin), strict=False):
            self.kept += set_norm(module, other, units)

    def _carry_rest(self) -> None:
        """Carry over parameters outside encoder and decoder, and the image statistics."""
        before = self.old.state_dict()
        for name, value in self.new.state_dict().items():
            beside = not name.startswith(("encoder.", "decoder.")) or name in ("encoder.0.mean", "encoder.0.std")
            if beside and name in before and before[name].shape == value.shape:
                value.copy_(before[name])
        own = dict(self.new.named_parameters())
        self.kept += sum(
            own[name].numel() for name in own if not name.startswith(("encoder.", "decoder.")) and name in before
        )

    def _fold(self, op: Affine) -> Affine:
        """Fold the image statistics into the first layer's weights if only one of the networks standardises."""
        if self.old.config.standardise == self.new.config.standardise or op.weight is None:
            return op
        assert op.bias is not None
        has = self.old if self.old.config.standardise else self.new
        form = (1, 1, op.weight.shape[2], *[1] * (op.weight.dim() - 3))
        mean, std = (getattr(has.encoder[0], name).detach().float().cpu().view(form) for name in ("mean", "std"))
        if has is self.old:
            weight = op.weight / std
            return Affine(weight, op.bias - (weight * mean).flatten(2).sum(2))
        return Affine(op.weight * std, op.bias + (op.weight * mean).flatten(2).sum(2))


def _unchanged(op: Affine) -> Affine:
    return op
