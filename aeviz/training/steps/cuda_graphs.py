"""A whole training step as a CUDA graph: small networks are bound by kernel launches, and a graph is one launch."""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from aeviz.models import Batch
from aeviz.training.steps.stepper import Stepper

WARM_UPS = 3  # eager steps before the capture, in which kernels are selected and memory is allocated
Terms = dict[str, Tensor]
Work = Callable[[], Terms]


class Source(Protocol):
    """A source of batches by position, such as a resident feed."""

    device: str

    def batch(self, positions: Tensor) -> Batch:
        """The batch at positions (B,)."""


class CapturedStep:
    """Gathers a batch and trains on it, replaying a CUDA graph for full batches.

    Dropout, penalties and clipping are baked into the graph, so changing them needs a new capture. Learning rates and
    live settings are tensors on the device and are read at every replay.
    """

    def __init__(self, stepper: Stepper, feed: Source, vary: Callable[[Batch], Batch], batch_size: int) -> None:
        self.stepper, self.feed, self.vary = stepper, feed, vary
        self.positions = torch.zeros(batch_size, dtype=torch.int64, device=feed.device)
        self._recorder: Recorder | Repeater = Recorder(self.positions.device) if self.positions.is_cuda else Repeater()
        self._gradients: list[tuple[Tensor, Tensor | None]]
        self._has_strayed = False  # a step outside the graph has replaced the gradient tensors
        self.forget()

    def __call__(self, positions: Tensor, epoch: float) -> Terms:
        """Train on the feed's samples at positions (B,); return the loss terms, which the next call overwrites."""
        self.stepper.prepare(epoch)
        if len(positions) != len(self.positions):
            self._has_strayed = True
            return self._learn(positions)
        self.positions.copy_(positions)
        if not self._is_captured and self._warm < WARM_UPS:
            self._warm += 1
            return self._recorder.warm_up(self._learn_here)
        if not self._is_captured:
            self._capture()
        if self._has_strayed:
            for parameter, gradient in self._gradients:
                parameter.grad = gradient
            self._has_strayed = False
        return self._recorder.replay()

    def forget(self) -> None:
        """Discard the graph after a change to something baked in; it is captured again."""
        self._is_captured, self._warm, self._gradients = False, 0, []
        self._recorder.forget()

    def _learn(self, positions: Tensor) -> Terms:
        return self.stepper.learn(self.vary(self.feed.batch(positions)))

    def _learn_here(self) -> Terms:
        return self._learn(self.positions)

    def _capture(self) -> None:
        self.stepper.optimizer.zero_grad(set_to_none=True)
        self._recorder.capture(self._learn_here)
        self._is_captured, self._has_strayed = True, False
        self._gradients = [(parameter, parameter.grad) for parameter in self.stepper.model.parameters()]


class Recorder:
    """Captures work as a CUDA graph on a side stream, as capture requires, and replays it."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.stream = torch.cuda.Stream(device)
        self._graph: torch.cuda.CUDAGraph | None = None
        self._results: Terms = {}

    def warm_up(self, work: Work) -> Terms:
        """Run the work eagerly, on the stream on which it will be captured."""
        before = torch.cuda.current_stream(self.device)
        self.stream.wait_stream(before)
        with torch.cuda.stream(self.stream):
            results = work()
        before.wait_stream(self.stream)
        return results

    def capture(self, work: Work) -> None:
        """Capture the work's kernels without running them."""
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.device(self.device), torch.cuda.graph(self._graph, stream=self.stream):
            self._results = work()

    def replay(self) -> Terms:
        """Run the captured work; results are in the same memory every time."""
        assert self._graph is not None
        self._graph.replay()
        return self._results

    def forget(self) -> None:
        """Release the graph and its memory."""
        self._graph, self._results = None, {}


class Repeater:
    """Replaces a graph on devices without CUDA: reruns the work and copies results to the same memory."""

    def __init__(self) -> None:
        self._work: Work | None = None
        self._results: Terms = {}

    def warm_up(self, work: Work) -> Terms:
        """Run the work."""
        return work()

    def capture(self, work: Work) -> None:
        """Keep the work without running it."""
        self._work = work

    def replay(self) -> Terms:
        """Run the work; results are in the same memory every time."""
        assert self._work is not None
        results = self._work()
        for name, value in self._results.items():
            value.copy_(results[name])
        self._results = self._results or results
        return self._results

    def forget(self) -> None:
        """Release the work and its results."""
        self._work, self._results = None, {}
