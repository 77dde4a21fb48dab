"""Build networks on the meta device: shapes only, for cost estimates or to be filled from a file."""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode


@contextlib.contextmanager
def shapes_only() -> Iterator[None]:
    """Build modules on the meta device inside the context, without importing torch's compiler."""
    with torch.device("meta"), Shapes():
        yield


class Shapes(TorchFunctionMode):
    """Computes only the shape of F.linear and skips random initialisation.

    On the meta device, both would import torch's compiler.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is F.linear:
            x, weight = args[:2]
            return x.new_empty(*x.shape[:-1], len(weight))
        if getattr(func, "__module__", None) == "torch.nn.init" or func is Tensor.normal_:
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)
