"""Networks of which only the shapes exist: to lay them out, or to be filled from a file."""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode


@contextlib.contextmanager
def shapes_only() -> Iterator[None]:
    """What is built in here lies on the meta device, without torch importing its compiler for it."""
    with torch.device("meta"), Shapes():
        yield


class Shapes(TorchFunctionMode):
    """Products with a weight give their shape alone, and nothing is drawn: on the meta device torch imports its compiler for both."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is F.linear:
            x, weight = args[:2]
            return x.new_empty(*x.shape[:-1], len(weight))
        if getattr(func, "__module__", None) == "torch.nn.init" or func is Tensor.normal_:
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)
