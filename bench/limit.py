"""The limit: how fast a training could be if it were nothing but its matrix products (for conv nets, convolutions)."""

import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from aeviz.data import Dataset
from aeviz.models import build
from aeviz.training import Recipe
from aeviz.training.start import fitted_model
from bench.measure import wait_for

SECONDS = 1.0
LEAST_ROUNDS = 5
REPLAYED = 20  # steps in one CUDA graph, so that launching is no part of the limit
Work = Callable[[], object]


def limit(recipe: Recipe, dataset: Dataset, dtype: torch.dtype) -> float:
    """Images per second of a step's products alone: forward, by weights and by inputs, on numbers already there.

    No bends, loss, optimizer, nor images; operands in the precision `dtype`, convolutions channels-last.
    """
    device = recipe.training.device
    model = build(fitted_model(recipe, dataset.shape), recipe.training.loss).to(device)
    works = products(model, (recipe.training.batch_size, *dataset.shape), dtype, device)
    step, steps = _captured(works, device) if device.startswith("cuda") else (lambda: _all(works), 1)
    for _ in range(LEAST_ROUNDS):
        step()
    seconds: list[float] = []
    while len(seconds) < LEAST_ROUNDS or sum(seconds) < SECONDS:
        wait_for(device)
        started = time.perf_counter()
        step()
        wait_for(device)
        seconds.append(time.perf_counter() - started)
    return steps * recipe.training.batch_size / statistics.median(seconds)


@torch.no_grad()
def products(model: nn.Module, shape: tuple[int, ...], dtype: torch.dtype, device: str) -> list[Work]:
    """The products of one step on a batch of this shape; the first layer needs none by its inputs."""
    found: list[tuple[nn.Module, torch.Size, torch.Size]] = []
    layers = [layer for layer in model.modules() if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d))]
    hooks = [
        layer.register_forward_hook(lambda layer, inputs, output: found.append((layer, inputs[0].shape, output.shape)))
        for layer in layers
    ]
    model.decode(model.code(torch.rand(shape, device=device)))  # type: ignore[operator]
    for hook in hooks:
        hook.remove()
    works: list[Work] = []
    for number, (layer, before, after) in enumerate(found):
        x, gradient = (torch.randn(size, device=device, dtype=dtype) for size in (before, after))
        weight = layer.weight.detach().to(dtype)  # type: ignore[union-attr, operator]
        make = _dense if isinstance(layer, nn.Linear) else _convolution
        works += make(layer, x, weight, gradient, number > 0)
    return works


def _dense(layer: nn.Module, x: Tensor, weight: Tensor, gradient: Tensor, by_inputs: bool) -> list[Work]:
    y, by_weight, by_x = torch.empty_like(gradient), torch.empty_like(weight), torch.empty_like(x)
    works: list[Work] = [
        lambda: torch.mm(x, weight.t(), out=y),
        lambda: torch.mm(gradient.t(), x, out=by_weight),
    ]
    return [*works, lambda: torch.mm(gradient, weight, out=by_x)] if by_inputs else works


def _convolution(layer: nn.Module, x: Tensor, weight: Tensor, gradient: Tensor, by_inputs: bool) -> list[Work]:
    x, weight, gradient = (each.contiguous(memory_format=torch.channels_last) for each in (x, weight, gradient))
    assert isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d))
    is_transposed = isinstance(layer, nn.ConvTranspose2d)
    how = (layer.stride, layer.padding, layer.dilation, is_transposed, layer.output_padding, layer.groups)
    return [
        lambda: torch.ops.aten.convolution(x, weight, None, *how),
        lambda: torch.ops.aten.convolution_backward(gradient, x, weight, None, *how, [by_inputs, True, False]),
    ]


def _all(works: list[Work]) -> None:
    for work in works:
        work()


def _captured(works: list[Work], device: str) -> tuple[Work, int]:
    """Some steps as one CUDA graph, and how many."""
    with torch.cuda.device(device):
        _all(works)
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            for _ in range(REPLAYED):
                _all(works)
    return graph.replay, REPLAYED
