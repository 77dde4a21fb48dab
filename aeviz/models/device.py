"""Where to train: which devices there are, what they are called, and how many threads to use."""

import ctypes
import platform

import psutil
import torch

from aeviz.errors import BadValue

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3  # malloc.h


def available_devices() -> list[str]:
    """The devices at hand, best first; the CPU is always there."""
    cuda = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return [*cuda, *mps, "cpu"]


def resolve_device(asked: str) -> str:
    """The device meant by `auto`, `cuda` or a full name.

    Raises:
        BadValue: it is not on this machine.
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
    """What a device is called on screen."""
    if device.startswith("cuda"):
        return f"{torch.cuda.get_device_name(torch.device(device))} ({device.upper()})"
    if device == "mps":
        return "Apple GPU (MPS)"
    return f"CPU, {_cores()} cores ({platform.machine()})"


def threads() -> int:
    """How many threads a training takes: one core is left to whoever watches.

    A second thread on a busy two-core machine was measured ten times slower than one.
    """
    return max(1, min(_cores() - 1, 16))


def keep_memory() -> None:
    """Have the C library keep memory that a step gives back, for the next step to take.

    glibc hands large blocks back to the system and meets a page fault for every 4 kB when it takes them again:
    without that, conv nets at batch 512 were measured 1.4 times faster on one core, dense ones 1.15 times.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    library = ctypes.CDLL(None)
    for option, size in ((M_MMAP_THRESHOLD, 2**30), (M_TRIM_THRESHOLD, 2**30), (M_TOP_PAD, 2**26)):
        library.mallopt(option, size)


def _cores() -> int:
    return len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else psutil.cpu_count() or 1
