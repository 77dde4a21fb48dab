"""torch's optimizers for steps that nobody compiles: they run without its compiler, which takes 1.4 s and 170 MB to import."""

import functools
import inspect
from typing import TypeVar

import torch
from torch import optim

Optimizer = TypeVar("Optimizer", bound=optim.Optimizer)
GUARDED = ("add_param_group", "state_dict", "load_state_dict", "zero_grad")


@functools.cache
def eager(optimizer: type[Optimizer]) -> type[Optimizer]:
    """The same optimizer, whose numbers, state and hooks are its own, without the guards around its methods.

    torch keeps its compiler out of these methods by a wrapper each, and imports the whole of it for this at the first
    call. What a wrapper holds is its `__wrapped__`, as `functools.wraps` leaves it.
    """
    methods = {name: inspect.unwrap(getattr(optimizer, name)) for name in GUARDED}
    methods["step"] = torch.no_grad()(inspect.unwrap(optimizer.step))
    return type(optimizer.__name__, (optimizer,), methods)
