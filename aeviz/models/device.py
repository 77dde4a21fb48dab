"""Devices: which are available, their names, and how many threads to use."""

import ctypes
import platform

import psutil
import torch

from aeviz.errors import BadValue

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3  # malloc.h


def available_devices() -> list[str]:
    """The available devices, best first; always includes the CPU."""
    cuda = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return [*cuda, *mps, "cpu"]


def resolve_device(asked: str) -> str:
    """The device for `auto`, `cuda` or a full name.

    Raises:
        BadValue: the device is not on this machine.
    """
    devices = available_devices()
    if asked == "auto":
        return devices[0]
    device = "cuda:0" if asked == "cuda" else asked
    if device not in devices:
        raise BadValue(
            "the device {asked} is not on this machine; there are: {known}", asked=asked, known=", ".join(devices)
        )
    return device


def device_name(device: str) -> str:
    """The display name of a device."""
    if device.startswith("cuda"):
        return f"{torch.cuda.get_device_name(torch.device(device))} ({device.upper()})"
    if device == "mps":
        return "Apple GPU (MPS)"
    return f"CPU, {_cores()} cores ({platform.machine()})"


def threads() -> int:
    """Number of threads for a training; one core is left for the user interface.

    On a busy two-core machine, two threads were measured ten times slower than one.
    """
    return max(1, min(_cores() - 1, 16))


def keep_memory() -> None:
    """Make the C library keep freed memory for the next step.

    glibc returns large blocks to the system and incurs a page fault per 4 kB when it allocates them again. Without
    that, conv nets at batch 512 were measured 1.4 times faster on one core, dense ones 1.15 times.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    library = ctypes.CDLL(None)
    for option, size in ((M_MMAP_THRESHOLD, 2**30), (M_TRIM_THRESHOLD, 2**30), (M_TOP_PAD, 2**26)):
        library.mallopt(option, size)


def _cores() -> int:
    return len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else psutil.cpu_count() or 1
