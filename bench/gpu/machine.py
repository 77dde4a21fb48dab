"""What the machine is: its card, its versions, what is not installed."""

import importlib.metadata
import os
import platform
from typing import Any

from bench.gpu.parts import Found, Setting, Work

PACKAGES = (
    "torch", "torchvision", "triton", "numpy", "scipy", "scikit-learn", "pydantic", "safetensors", "psutil", "pillow",
    "torchmetrics", "openTSNE", "click", "plotly", "streamlit",
)  # fmt: skip


def works(setting: Setting) -> list[Work]:
    """One look."""
    return [("machine", lambda: describe(setting.device))]


def describe(device: str) -> Found:
    """The device's name, and the versions of all that matters; not ok where there is no such device."""
    import torch

    versions = {name: _version(name) for name in PACKAGES}
    found: dict[str, Any] = {
        "python": platform.python_version(), "cores": os.cpu_count(), "versions": versions,
        "absent": [name for name, version in versions.items() if version is None],
    }  # fmt: skip
    if not device.startswith("cuda"):
        return found | {"name": f"{platform.machine()} processor, no card", "device": device}
    if not torch.cuda.is_available():
        return found | {"ok": False, "name": "no card", "said": "torch finds no CUDA device here"}
    card = torch.cuda.get_device_properties(torch.device(device if ":" in device else "cuda:0"))
    return found | {
        "device": device, "name": card.name, "memory_gib": round(card.total_memory / 2**30, 1),
        "multiprocessors": card.multi_processor_count, "capability": f"{card.major}.{card.minor}",
        "cuda": torch.version.cuda, "bfloat16": torch.cuda.is_bf16_supported(),
    }  # fmt: skip


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
