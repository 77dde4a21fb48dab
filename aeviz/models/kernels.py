"""Whose kernels compute: the fastest at hand, or torch's plain ones, which are slower and crash nowhere we know of."""

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def kernels(plain: bool) -> Iterator[None]:
    """Compute in this process without oneDNN, NNPACK and kernels of our own, if that is asked for."""
    if not plain:
        yield
        return
    before, *_ = torch.backends.mkldnn.set_flags(
        False, _fp32_precision=None
    )  # `flags` would also set, and warn of, TF32
    try:
        with torch.backends.nnpack.flags(enabled=False):
            yield
    finally:
        torch.backends.mkldnn.set_flags(before, _fp32_precision=None)


def is_plain() -> bool:
    """Whether this process computes with torch's plain kernels only."""
    return not torch.backends.mkldnn.enabled
