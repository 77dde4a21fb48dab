"""Choose between fast and plain kernels; the plain ones are slower and have no known crashes."""

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def kernels(plain: bool) -> Iterator[None]:
    """If `plain`, disable oneDNN, NNPACK and our own kernels in this process inside the context."""
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
    """Whether this process uses torch's plain kernels only."""
    return not torch.backends.mkldnn.enabled
