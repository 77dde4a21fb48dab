"""Force float32 where reduced precision is not enough."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def in_float32(value: Tensor) -> AbstractContextManager[object]:
    """Disable autocast on the value's device: sums of squares and small differences need the precision."""
    kind = value.device.type
    return torch.autocast(kind, enabled=False) if torch.amp.is_autocast_available(kind) else nullcontext()
