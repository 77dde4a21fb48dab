"""Record and replay a CPU step as a flat list of operations: small networks are bound by Python and autograd overhead.

The counterpart of a CUDA graph (`cuda_graphs.py`): one step is recorded below autograd, operation by operation, and
then replayed. The operations are identical, and so are the numbers.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from aeviz.models import Batch
from aeviz.training.steps.cuda_graphs import Source
from aeviz.training.steps.stepper import Stepper

WARM_UPS = 1  # eager steps before the recording, which initialise lazy state
ASKING = {"_local_scalar_dense", "equal", "nonzero", "is_nonzero"}  # operations that return values to Python

Key = tuple[Any, ...]


class NotReplayable(Exception):
    """The step reads tensor values in Python, so another step may take another branch."""


class RecordedStep:
    """Gathers a batch and trains on it, replaying a recording for full batches if the step allows it.

    Dropout and penalties are baked into the recording, so changing them needs a new one. Learning rates and live
    settings are read at every step.
    """

    def __init__(self, stepper: Stepper, feed: Source, vary: Callable[[Batch], Batch], batch_size: int) -> None:
        self.stepper, self.feed, self.vary = stepper, feed, vary
        self.positions = torch.zeros(batch_size, dtype=torch.int64)
        self.parameters = list(stepper.model.parameters())
        self.can_replay = True
        self.forget()

    def __call__(self, positions: Tensor, epoch: float) -> dict[str, Tensor]:
        """Train on the feed's samples at positions (B,); return the loss terms."""
        self.stepper.prepare(epoch)
        if len(positions) != len(self.positions) or not self.can_replay or self._warm < WARM_UPS:
            self._warm += 1
            return self.stepper.learn(self.vary(self.feed.batch(positions)))
        self.positions.copy_(positions)
        terms, gradients = self._replayed() if self._replay else self._recorded()
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = gradient
        self.stepper.apply_gradients()
        return terms

    def forget(self) -> None:
        """Discard the recording after a change to something baked in; the step is recorded again."""
        self._replay: Callable[[], list[Tensor]] | None = None
        self._warm = 0

    def _gradients(self) -> tuple[dict[str, Tensor], list[Tensor | None]]:
        """Loss terms and gradients of a batch, in the parameters' memory layout, which fused optimizers need."""
        terms = self.stepper.terms(self.vary(self.feed.batch(self.positions)))
        gradients = torch.autograd.grad(terms["total"], self.parameters, allow_unused=True)
        laid_out = [_as(parameter, each) for parameter, each in zip(self.parameters, gradients, strict=True)]
        return {name: value.detach() for name, value in terms.items()}, laid_out

    def _recorded(self) -> tuple[dict[str, Tensor], list[Tensor | None]]:
        """Take an eager step and record it."""
        recording = Recording()
        with recording:
            terms, gradients = self._gradients()
        self._names, self._used = list(terms), [gradient is not None for gradient in gradients]
        try:
            self._replay = recording.compiled([*terms.values(), *(each for each in gradients if each is not None)])
        except NotReplayable:
            self.can_replay = False
        return terms, gradients

    @torch.no_grad()
    def _replayed(self) -> tuple[dict[str, Tensor], list[Tensor | None]]:
        assert self._replay is not None
        values = iter(self._replay())
        terms = {name: next(values) for name in self._names}
        return terms, [next(values) if used else None for used in self._used]


def _as(parameter: Tensor, gradient: Tensor | None) -> Tensor | None:
    if gradient is None or gradient.stride() == parameter.stride():
        return gradient
    return torch.empty_like(parameter).copy_(gradient)


class Recording(TorchDispatchMode):
    """Records all operations called inside the context, with arguments and results."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, Any, Any, Any]] = []  # keeps all results alive, so that no memory is reused

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """False, because nothing is compiled here; True would import torch's compiler, which takes seconds."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self.calls.append((func, args, kwargs or {}, result))
        return result

    def compiled(self, wanted: list[Tensor]) -> Callable[[], list[Tensor]]:
        """A function that replays the operations and returns the wanted tensors; results are freed after last use.

        Tensors are identified by their memory, because autograd returns saved results as new objects.

        Raises:
            NotReplayable: an operation returns values to Python, or a wanted tensor is not a result.
        """
        writer = _Writer()
        for func, args, kwargs, result in self.calls:
            if func._opname in ASKING:
                raise NotReplayable(str(func))
            writer.call(func, args, kwargs, result)
        return writer.finished(wanted)


class _Writer:
    """Generates a Python function from a recording, one line per operation."""

    def __init__(self) -> None:
        self.known: dict[str, Any] = {}  # objects the code refers to: operations, weights, other values
        self.names: dict[Key, str] = {}  # of results, by their memory
        self.lines: list[tuple[str, set[str], set[str]]] = []  # text, names it reads, names it makes

    def call(self, func: Any, args: Any, kwargs: Any, result: Any) -> None:
        """Add a line for one operation."""
        read: set[str] = set()
        values = [self._written(value, read) for value in args]
        values += [f"{name}={self._written(value, read)}" for name, value in kwargs.items()]
        made: set[str] = set()
        target = self._target(result, made)
        self.lines.append((f"{target}{self._constant(func)}({', '.join(values)})", read, made))

    def finished(self, wanted: list[Tensor]) -> Callable[[], list[Tensor]]:
        """Compile the function, which returns the wanted results."""
        try:
            returned = [self.names[_key(tensor)] for tensor in wanted]
        except KeyError:
            raise NotReplayable("a gradient is not a result of the step") from None
        kept, body = set(returned), [f"return [{', '.join(returned)}]"]
        for text, read, made in reversed(self.lines):
            last = sorted((read | made) - kept)
            kept |= read
            body += [f"del {', '.join(last)}"] * bool(last) + [text]
        source = "def replay():\n" + "\n".join(f"    {line}" for line in reversed(body))
        exec(compile(source, "<recorded step>", "exec"), self.known)
        replay: Callable[[], list[Tensor]] = self.known["replay"]
        return replay

    def _written(self, value: Any, read: set[str]) -> str:
        if isinstance(value, list | tuple) and any(isinstance(each, Tensor) for each in tree_leaves(value)):
            return f"[{', '.join(self._written(each, read) for each in value)}]"
        if not isinstance(value, Tensor):
            return self._constant(value)
        name = self.names.get(_key(value))
        if name is None:
            return self._constant(value)
        read.add(name)
        return name

    def _target(self, result: Any, made: set[str]) -> str:
        if isinstance(result, Tensor):
            return f"{self._named(result, made)} = "
        if isinstance(result, list | tuple) and result:
            parts = [self._named(each, made) if isinstance(each, Tensor) else "_" for each in result]
            return f"({', '.join(parts)},) = "
        return ""

    def _named(self, tensor: Tensor, made: set[str]) -> str:
        name = self.names.setdefault(_key(tensor), f"t{len(self.names)}")
        made.add(name)
        return name

    def _constant(self, value: Any) -> str:
        name = f"c{len(self.known)}"
        self.known[name] = value
        return name


def _key(tensor: Tensor) -> Key:
    """A tensor's memory and its view of it, as a key."""
    return (tensor.untyped_storage().data_ptr(), tensor.storage_offset(), tensor.dtype, tensor.shape, tensor.stride())
