"""`python -m tests.levels OUT.json`: the contract of models and training on this processor, as numbers to compare.

Run at several instruction levels (`LEVELS`) with the C library's heap checks on. The name of the case at work is
printed first, so that the last line of a process that dies names the one that killed it.
"""

import itertools
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from aeviz import runs
from aeviz.data import Dataset
from aeviz.models import VARIANTS, Batch, build, fitted_to
from aeviz.runs import Position, Resolved, Run, TrainingConfig
from aeviz.training.checkpoint import load_position, save_checkpoint
from aeviz.training.steps.stepper import Stepper

# What oneDNN, torch's own kernels and MKL are held to; the default is whatever the processor has.
LEVELS = {
    "default": {},
    "AVX512 without bf16": {
        "ONEDNN_MAX_CPU_ISA": "AVX512_CORE", "ATEN_CPU_CAPABILITY": "avx512", "MKL_ENABLE_INSTRUCTIONS": "AVX512",
    },
    "AVX2": {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"},
    "SSE4.1": {"ONEDNN_MAX_CPU_ISA": "SSE41", "ATEN_CPU_CAPABILITY": "default", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2"},
}  # fmt: skip
HEAP_CHECKS = {"LD_PRELOAD": "libc_malloc_debug.so.0", "MALLOC_CHECK_": "3", "MALLOC_PERTURB_": "165"}

BODIES: dict[str, dict[str, Any]] = {
    "dense": {"name": "dense", "widths": [24, 12]},
    "conv": {"name": "conv", "channels": [5, 16]},
    "residual": {"name": "residual", "channels": [4, 8]},
    "custom": {
        "name": "custom",
        "layers": [
            {"kind": "conv", "size": 6, "kernel": 1, "stride": 2},
            {"kind": "conv", "size": 8, "kernel": 4, "stride": 1},
            {"kind": "pool", "stride": 2},
            {"kind": "residual", "size": 8, "stride": 1},
            {"kind": "dense", "size": 12},
        ],
    },
}
NORMS = ("none", "batch", "layer", "group")
IMAGES, STEPS, SAVED_AFTER = 24, 5, 3


class Case(NamedTuple):
    """One network in training."""

    variant: str
    body: str
    norm: str
    channels: int
    channels_last: bool

    def __str__(self) -> str:
        layout = "channels-last" if self.channels_last else "contiguous"
        return f"{self.variant}, {self.body}, norm {self.norm}, {self.channels} channels, {layout}"


def cases() -> Iterator[Case]:
    """Every variant with every body and norm; each body meets both layouts and grey and colour images with every norm."""
    kinds = itertools.product(enumerate(VARIANTS), BODIES, enumerate(NORMS))
    for (row, variant), body, (column, norm) in kinds:
        channels_last = body != "dense" and (row + column) % 2 == 0
        yield Case(variant, body, norm, 1 if (row // 2 + column // 2) % 2 else 3, channels_last)


def measured(case: Case) -> list[float]:
    """The total of every step, and the sum over the weights after the last one.

    Raises:
        AssertionError: a training that went on from its checkpoint differs from one that never ended.
    """
    run, images = _run(case)
    config = run.config()
    resolved = Resolved(device="cpu", device_name="CPU", threads=1, channels_last=case.channels_last)
    torch.manual_seed(1)
    stepper = Stepper(build(config.model, config.training.loss).train(), config.training, resolved)
    totals = _stepped(stepper, images, range(SAVED_AFTER))
    save_checkpoint(run, stepper, Position(step=SAVED_AFTER), {})
    totals += _stepped(stepper, images, range(SAVED_AFTER, STEPS))
    resumed = Stepper(build(config.model, config.training.loss).train(), config.training, resolved)
    load_position(run, resumed, "cpu")
    again = _stepped(resumed, images, range(SAVED_AFTER, STEPS))
    assert again == totals[SAVED_AFTER:], f"{case}: resumed {again}, never ended {totals[SAVED_AFTER:]}"
    return [*totals, sum(float(weight.detach().abs().sum()) for weight in stepper.model.parameters())]


def _stepped(stepper: Stepper, images: torch.Tensor, steps: range) -> list[float]:
    labels = torch.arange(len(images) // STEPS) % 3
    batches = [images[step::STEPS][: len(labels)] for step in steps]
    return [float(stepper.step(Batch(x, x, labels), 0.5)["total"]) for x in batches]


def _run(case: Case) -> tuple[Run, torch.Tensor]:
    """A run of a network, and the images (N, C, 8, 8) in [0, 1] it learns, which every level makes alike."""
    shape = (case.channels, 8, 8)
    waves = np.arange(IMAGES * int(np.prod(shape))).reshape(IMAGES, *shape)
    images = (127 * (1 + np.sin(waves * 0.37))).astype(np.uint8)
    rows = np.arange(IMAGES)
    dataset = Dataset(
        name="waves", label="Waves", params={}, images=images, labels=rows % 3, classes=("a", "b", "c"), columns={},
        splits={"train": rows[:16], "val": rows[16:20], "test": rows[20:]}, hash="waves",
    )  # fmt: skip
    model = {"variant": case.variant, "latent_dim": 4, "body": BODIES[case.body] | {"norm": case.norm}}
    run = runs.create(dataset, fitted_to(model, shape, 3), TrainingConfig(batch_size=4))
    return run, torch.from_numpy(images).float() / 255.0


def main(out: Path) -> None:
    torch.set_num_threads(1)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["AEVIZ_RUNS"] = folder
        for case in cases():
            print(case, flush=True)
            found[str(case)] = measured(case)
    out.write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
