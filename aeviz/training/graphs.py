"""A whole step as a CUDA graph: small networks are bound by the launching of their kernels, and a graph has one launch."""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from aeviz.models import Batch
from aeviz.training.stepper import Stepper

WARM_UPS = 3  # steps taken as usual before one is captured: kernels are chosen and memory is found


class Source(Protocol):
    """Where batches come from by positions: a resident feed."""

    device: str

    def batch(self, positions: Tensor) -> Batch: ...


class CapturedStep:
    """Gathers a batch, learns from it and adds up its terms, replayed from a graph for full batches.

    What is baked into a graph (dropout, penalties, clipping) makes a new one necessary when it is turned; rates and
    dials lie on the device and are read afresh.
    """

    def __init__(self, stepper: Stepper, feed: Source, vary: Callable[[Batch], Batch], batch_size: int) -> None:
        self.stepper, self.feed, self.vary = stepper, feed, vary
        self.positions = torch.zeros(batch_size, dtype=torch.int64, device=feed.device)
        self._graph: torch.cuda.CUDAGraph | None = None
        self._terms: dict[str, Tensor] = {}
        self._gradients: list[tuple[Tensor, Tensor | None]] = []
        self._warm = 0

    def __call__(self, positions: Tensor, epoch: float) -> dict[str, Tensor]:
        """Learn from the images at positions (B,) of the feed; the terms of the loss."""
        self.stepper.prepare(epoch)
        if len(positions) != len(self.positions):
            return self._learn(positions)
        self.positions.copy_(positions)
        if self._graph is None and self._warm < WARM_UPS:
            return self._warm_up()
        if self._graph is None:
            self._capture()
        assert self._graph is not None
        self._graph.replay()
        for parameter, gradient in self._gradients:  # a step outside the graph has put others in their place
            parameter.grad = gradient
        return self._terms

    def forget(self) -> None:
        """Something baked in has changed: capture anew."""
        self._graph, self._warm = None, 0

    def _learn(self, positions: Tensor) -> dict[str, Tensor]:
        return self.stepper.learn(self.vary(self.feed.batch(positions)))

    def _warm_up(self) -> dict[str, Tensor]:
        """A step as usual, on a stream of its own as capturing wants it."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            terms = self._learn(self.positions)
        torch.cuda.current_stream().wait_stream(stream)
        self._warm += 1
        return terms

    def _capture(self) -> None:
        self._graph = torch.cuda.CUDAGraph()
        self.stepper.optimizer.zero_grad(set_to_none=True)
        with torch.cuda.graph(self._graph):
            self._terms = self._learn(self.positions)
        self._gradients = [(parameter, parameter.grad) for parameter in self.stepper.model.parameters()]
