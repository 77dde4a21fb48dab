"""Where float32 is needed although the layers run in less."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def in_float32(value: Tensor) -> AbstractContextManager[object]:
    """No autocast for a while on the value's device: sums of squares and small differences need the digits."""
    kind = value.device.type
    return torch.autocast(kind, enabled=False) if torch.amp.is_autocast_available(kind) else nullcontext()
