"""Autotuning: precision, memory layout and CUDA graphs, measured once per network and machine."""

import copy
import hashlib
import json
import math
import shutil
import statistics
import time
import traceback
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from aeviz import files
from aeviz.errors import BadValue
from aeviz.models import Autoencoder, Batch, build, costs
from aeviz.models.device import device_name, resolve_device, threads
from aeviz.runs import Resolved, RunConfig, TrainingConfig, runs_root
from aeviz.training.distributed import is_launched_together
from aeviz.training.steps.cuda_graphs import CapturedStep
from aeviz.training.steps.stepper import Stepper

WORTH_MEASURING = 3e11  # FLOPs of a whole training: about three seconds on one core
LEAST_SECONDS, MOST_STEPS = 0.02, 4  # per side and round: long enough against clock and scheduler noise
CLEAR = {2: 1.3, 3: 1.15, 4: 1.1, 5: 1.0}  # rounds -> factor by which all of them must clear the threshold
WORTH_DIGITS = 1.15  # speed-up that justifies bfloat16's loss of precision
WORTH_CHANGING = 1.03  # speed-up that justifies a change without a cost
CHOICES = ".choices.json"
COMPILERS = ("c++", "g++", "clang++", "cl")


def resolve(config: RunConfig) -> Resolved:
    """The resolved device, threads, precision and so on of a run: the earlier choice if any, else a new one.

    Raises:
        BadValue: the device is not on this machine, or there is no compiler.
    """
    wanted = config.training
    device = resolve_device(config.resolved.device if config.resolved else wanted.device)
    if device.startswith("cuda") and not is_launched_together():
        torch.cuda.set_device(torch.device(device))  # streams, graphs and generators belong to the current GPU
    if config.resolved is not None:
        return config.resolved
    check_compiler(wanted)
    resolved = Resolved(
        device=device,
        device_name=device_name(device),
        threads=wanted.threads or threads(),
        compile=wanted.compile,
        precision="float32" if wanted.precision == "auto" else wanted.precision,
    )
    if _is_long(config) and device != "mps":
        torch.set_num_threads(resolved.threads)
        for changes, worth in _candidates(config, device):
            resolved = _choose(config, resolved, changes, worth)
    return resolved


def plain_kernels(config: RunConfig) -> Resolved:
    """What a run resumes with after a crash: the same device and threads, and torch's plain float32 kernels.

    Raises:
        BadValue: the device is not on this machine.
    """
    wanted, before = config.training, config.resolved
    device = resolve_device(before.device if before else wanted.device)
    count = before.threads if before else wanted.threads or threads()
    return Resolved(device=device, device_name=device_name(device), threads=count, plain=True)


def _candidates(config: RunConfig, device: str) -> list[tuple[dict[str, Any], float]]:
    """The changes to try in order, each with the speed-up it needs."""
    wanted, kinds = config.training, {layer.kind for layer in config.model.body.as_layers()}
    layout = {"channels_last": True} if kinds & {"conv", "residual"} else {}
    questions: list[tuple[dict[str, Any], float]] = []
    if wanted.precision == "auto":  # on a CPU, bfloat16 convolutions are slow unless channels-last
        questions.append(({"precision": "bfloat16"} | (layout if device == "cpu" else {}), WORTH_DIGITS))
    if layout:
        questions.append((layout, WORTH_CHANGING))
    if device.startswith("cuda") and not wanted.compile:
        questions.append(({"graphs": True}, WORTH_CHANGING))
    return questions


def check_compiler(config: TrainingConfig) -> None:
    """Raises: BadValue, if the network is to be compiled and there is no C++ compiler."""
    if config.compile and not any(map(shutil.which, COMPILERS)):
        raise BadValue(
            "training.compile = true needs a C++ compiler, and none of {known} is on this machine; leave it off",
            known=", ".join(COMPILERS),
        )


def _is_long(config: RunConfig) -> bool:
    """Whether the training is long enough for a measurement to pay off."""
    training, images = config.training, config.data.splits.get("train", 0)
    cost = costs.cost(config.model, training.batch_size, training.optimizer, training.loss)
    return 3 * cost.flops * images * training.epochs >= WORTH_MEASURING


def _choose(config: RunConfig, resolved: Resolved, changes: dict[str, Any], worth: float) -> Resolved:
    """The settings with these changes, if they are measured to be faster.

    Answers are stored, so that the same settings on the same machine give the same numbers.
    """
    other = resolved.model_copy(update=changes)
    if other == resolved:
        return resolved
    path = runs_root() / CHOICES
    question, answers = _question(config, resolved, "+".join(changes)), _known(path)
    if not isinstance(answers.get(question), bool):
        answers[question] = _gain(config, resolved, other, worth) > worth
        files.write_json(path, answers)
    return other if answers[question] else resolved


def _known(path: Any) -> dict[str, Any]:
    try:
        known = files.read_json(path)
    except ValueError:  # unreadable: measure again
        return {}
    return known if isinstance(known, dict) else {}


def _question(config: RunConfig, resolved: Resolved, name: str) -> str:
    wanted = {
        "model": config.model.to_json(), "training": config.training.to_json() | {"epochs": 0}, "choice": name,
        "resolved": resolved.to_json(), "torch": torch.__version__,
    }  # fmt: skip
    return hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()[:16]


def _gain(config: RunConfig, plain: Resolved, other: Resolved, worth: float) -> float:
    """The speed-up of the other choice: the median over interleaved rounds; 0 if it fails.

    Stops as soon as the rounds agree on whether it exceeds `worth`. Restores the random generators.
    """
    cards = [torch.device(plain.device)] if plain.device.startswith("cuda") else []
    with torch.random.fork_rng(cards):
        model = build(config.model, config.training.loss).to(plain.device).train()
        images = _Images(torch.rand(config.training.batch_size, *config.data.shape, device=plain.device))
        try:
            sides = [_stepping(copy.deepcopy(model), config, each, images) for each in (plain, other)]
            steps = max(_steps_a_round(side) for side in sides)
            gains: list[float] = []
            while not _is_clear(gains, worth):
                before, after = (_seconds(side, steps) for side in sides)
                gains.append(before / after)
        except RuntimeError:
            traceback.print_exc()  # to the run's log; training uses the plain choice
            return 0.0
    return statistics.median(gains)


def _steps_a_round(step: Callable[[], Any]) -> int:
    """Steps per round, timed on a second step: the first one also initialises lazy state."""
    _seconds(step, 1)
    return max(1, min(MOST_STEPS, math.ceil(LEAST_SECONDS / _seconds(step, 1))))


def _is_clear(gains: list[float], worth: float) -> bool:
    """Whether the speed-ups so far decide the question."""
    if len(gains) >= max(CLEAR):
        return True
    factor = CLEAR.get(len(gains))
    return factor is not None and (min(gains) > worth * factor or max(gains) * factor < worth)


class _Images:
    """A feed that serves one fixed batch."""

    def __init__(self, x: Tensor) -> None:
        self.device = str(x.device)
        self.positions = torch.arange(len(x), device=x.device)
        self._batch = Batch(x, x, torch.zeros(len(x), dtype=torch.int64, device=x.device))

    def batch(self, positions: Tensor) -> Batch:
        return self._batch


def _stepping(model: Autoencoder, config: RunConfig, resolved: Resolved, images: _Images) -> Callable[[], Any]:
    stepper = Stepper(model, config.training, resolved.model_copy(update={"compile": False}))
    if not resolved.graphs:
        return lambda: stepper.step(images.batch(images.positions), 0.5)
    captured = CapturedStep(stepper, images, lambda batch: batch, len(images.positions))
    return lambda: captured(images.positions, 0.5)


def _seconds(step: Callable[[], Any], steps: int) -> float:
    started = time.perf_counter()
    for _ in range(steps):
        terms = step()
    float(terms["total"])  # waits for the device
    return time.perf_counter() - started
