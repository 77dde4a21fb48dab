"""A network written out layer by layer, as the Python code that builds it."""

import re
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from aeviz.export.script.sources import Sources
from aeviz.models import LOSSES, Autoencoder
from aeviz.models.bodies.blocks import Residual, Stack, Standardise, TiedConvTranspose2d, TiedLinear
from aeviz.models.bodies.initialisation import initialise
from aeviz.models.variants.vq_vae import SPREAD

INDENT = " " * 12
USUAL = re.compile(
    r"in_features=|out_features=|, bias=True|, inplace=False|, affine=True|, track_running_stats=True|start_dim=1, end_dim=-1|, eps=1e-05"
)
NETWORK = '''class Network(nn.Module):
    """From images (B, {channels}, {height}, {width}) to codes of {latent_dim} numbers, and back to image logits."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
{encoder}
        )
        self.decoder = nn.Sequential(
{decoder}
        ){more}

    def logits(self, fed: Tensor) -> Tensor:
        """Decode codes to logits."""
        return self.decoder(fed).float(){by_level}

    def reconstruction(self, fed: Tensor, target: Tensor) -> Tensor:
        """The reconstruction loss of decoded codes against the target images."""
        return {loss}(self.logits(fed), target)
'''


def network_text(model: Autoencoder, sources: Sources) -> str:
    """The class `Network`, with weights named as in aeviz; adds what it uses to `sources`."""
    channels, height, width = model.sample_shape
    loss = LOSSES[model.loss]
    levels = f".unflatten(1, ({getattr(model.config, 'grey_levels', 0)}, -1))" if loss.by_level else ""
    return NETWORK.format(
        channels=channels, height=height, width=width, latent_dim=model.latent_dim,
        encoder=_layers(model.encoder, _shapes(model.encoder, torch.zeros(1, *model.sample_shape)), model, sources),
        decoder=_layers(model.decoder, _shapes(model.decoder, torch.zeros(1, model.decoder_features())), model, sources),
        more="".join(f"\n        {line}" for line in _more(model, sources)),
        by_level=levels, loss=sources.add(loss.of),
    )  # fmt: skip


def _more(model: Autoencoder, sources: Sources) -> list[str]:
    """The statements after the layers: weight initialisation, and a variant's other modules."""
    lines = []
    if model.config.init != "torch":
        lines.append(f"{sources.add(initialise)}(self, {model.config.init!r})")
    for name, module in model.named_children():
        if isinstance(module, nn.Linear | nn.Embedding):
            lines.append(f"self.{name} = {_plain(module)}")
        if isinstance(module, nn.Embedding):
            lines.append(f"nn.init.normal_(self.{name}.weight, std={SPREAD})")
    return lines


@torch.no_grad()
def _shapes(stack: Stack, x: Tensor) -> list[tuple[int, ...]]:
    """The shape of one sample after every layer."""
    was_training, shapes = stack.training, []
    stack.eval()
    for module in stack:
        x = module(x)
        shapes.append(tuple(x.shape[1:]))
    stack.train(was_training)
    return shapes


def _layers(stack: Stack, shapes: list[tuple[int, ...]], model: Autoencoder, sources: Sources) -> str:
    written = [(_layer(module, shape, model, sources), shape) for module, shape in zip(stack, shapes, strict=True)]
    return "\n".join(f"{INDENT}{text},  # (B, {', '.join(map(str, shape))})" for text, shape in written)


def _layer(module: Any, shape: tuple[int, ...], model: Autoencoder, sources: Sources) -> str:
    """The expression that builds a layer."""
    if type(module) in OURS:
        sources.add(type(module))
        return OURS[type(module)](module, shape, model)
    return _plain(module)


def _plain(module: Any) -> str:
    """The expression that builds one of torch's layers; our faster subclasses have the same names."""
    if isinstance(module, nn.AvgPool2d):
        return f"nn.AvgPool2d({module.kernel_size}, ceil_mode={module.ceil_mode})"  # missing in torch's own repr
    return "nn." + USUAL.sub("", repr(module))


def _standardise(module: Any, shape: tuple[int, ...], model: Autoencoder) -> str:
    return f"Standardise({shape})"


def _residual(module: Any, shape: tuple[int, ...], model: Autoencoder) -> str:
    between, shortcut = (", ".join(map(_plain, part)) for part in (module.between, module.shortcut))
    return f"Residual({_plain(module.first)}, [{between}], {_plain(module.second)}, [{shortcut}])"


def _tied_linear(module: Any, shape: tuple[int, ...], model: Autoencoder) -> str:
    return f"TiedLinear(self.encoder[{_source(module, model)}])"


def _tied_convolution(module: Any, shape: tuple[int, ...], model: Autoencoder) -> str:
    return f"TiedConvTranspose2d(self.encoder[{_source(module, model)}], {shape[1:]})"


def _source(module: Any, model: Autoencoder) -> int:
    """The index of the encoder layer that shares its weights with a layer."""
    return list(model.encoder).index(module._source[0])


OURS: dict[type[nn.Module], Callable[[Any, tuple[int, ...], Autoencoder], str]] = {
    Standardise: _standardise,
    Residual: _residual,
    TiedLinear: _tied_linear,
    TiedConvTranspose2d: _tied_convolution,
}
