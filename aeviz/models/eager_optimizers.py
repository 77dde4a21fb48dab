"""torch's optimizers without importing its compiler, which takes 1.4 s and 170 MB."""

import functools
import inspect
from typing import TypeVar

import torch
from torch import optim

Optimizer = TypeVar("Optimizer", bound=optim.Optimizer)
GUARDED = ("add_param_group", "state_dict", "load_state_dict", "zero_grad")


@functools.cache
def eager(optimizer: type[Optimizer]) -> type[Optimizer]:
    """A subclass of the optimizer without the compiler guards around its methods; everything else is the same.

    torch wraps these methods to exclude them from compilation, and the wrapper imports the compiler at the first
    call. The original method is the wrapper's `__wrapped__`, as set by `functools.wraps`.
    """
    methods = {name: inspect.unwrap(getattr(optimizer, name)) for name in GUARDED}
    methods["step"] = torch.no_grad()(inspect.unwrap(optimizer.step))
    return type(optimizer.__name__, (optimizer,), methods)
