"""What is chosen at the start by measuring, once for a network on a machine: precision, and CUDA graphs."""

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

WORTH_MEASURING = 3e11  # FLOPs of a whole training: some three seconds on one core
LEAST_SECONDS, MOST_STEPS = 0.02, 4  # of a side in a round: what a clock and a scheduler blur little
CLEAR = {2: 1.3, 3: 1.15, 4: 1.1, 5: 1.0}  # rounds, and by what factor all of them have to lie on one side of the worth
WORTH_DIGITS = 1.15  # times as fast, for what bfloat16 costs in digits
WORTH_CHANGING = 1.03  # times as fast, for what costs nothing
CHOICES = ".choices.json"
COMPILERS = ("c++", "g++", "clang++", "cl")


def resolve(config: RunConfig) -> Resolved:
    """What a run is trained with: what was chosen before, if it is still to be had, else chosen now.

    Raises:
        BadValue: its device is not on this machine, or nothing to compile with.
    """
    asked = config.training
    device = resolve_device(config.resolved.device if config.resolved else asked.device)
    if device.startswith("cuda") and not is_launched_together():
        torch.cuda.set_device(torch.device(device))  # streams, graphs and generators are those of the current card
    if config.resolved is not None:
        return config.resolved
    check_compiler(asked)
    resolved = Resolved(
        device=device,
        device_name=device_name(device),
        threads=asked.threads or threads(),
        compile=asked.compile,
        precision="float32" if asked.precision == "auto" else asked.precision,
    )
    if _is_long(config) and device != "mps":
        torch.set_num_threads(resolved.threads)
        for changes, worth in _candidates(config, device):
            resolved = _choose(config, resolved, changes, worth)
    return resolved


def plain_kernels(config: RunConfig) -> Resolved:
    """What a run goes on with after a crash: the same device and threads, and torch's plain float32 kernels.

    Raises:
        BadValue: its device is not on this machine.
    """
    asked, before = config.training, config.resolved
    device = resolve_device(before.device if before else asked.device)
    count = before.threads if before else asked.threads or threads()
    return Resolved(device=device, device_name=device_name(device), threads=count, plain=True)


def _candidates(config: RunConfig, device: str) -> list[tuple[dict[str, Any], float]]:
    """What to try in turn: other values, and how many times as fast a training has to be with them."""
    asked, kinds = config.training, {layer.kind for layer in config.model.body.as_layers()}
    layout = {"channels_last": True} if kinds & {"conv", "residual"} else {}
    questions: list[tuple[dict[str, Any], float]] = []
    if asked.precision == "auto":  # on a CPU convolutions are slow in bfloat16 unless they are channels-last
        questions.append(({"precision": "bfloat16"} | (layout if device == "cpu" else {}), WORTH_DIGITS))
    if layout:
        questions.append((layout, WORTH_CHANGING))
    if device.startswith("cuda") and not asked.compile:
        questions.append(({"graphs": True}, WORTH_CHANGING))
    return questions


def check_compiler(config: TrainingConfig) -> None:
    """Raises: BadValue, if the network is to be compiled and there is nothing to do it with."""
    if config.compile and not any(map(shutil.which, COMPILERS)):
        raise BadValue(
            "training.compile = true needs a C++ compiler, and none of {known} is on this machine; leave it off",
            known=", ".join(COMPILERS),
        )


def _is_long(config: RunConfig) -> bool:
    """Whether the training takes long enough for a measurement to pay; a short one takes what is plain."""
    training, images = config.training, config.data.splits.get("train", 0)
    cost = costs.cost(config.model, training.batch_size, training.optimizer, training.loss)
    return 3 * cost.flops * images * training.epochs >= WORTH_MEASURING


def _choose(config: RunConfig, resolved: Resolved, changes: dict[str, Any], worth: float) -> Resolved:
    """The same with these values changed, if that is measured to be faster.

    The same question on the same machine gets the answer it got before, so that the same settings give the same
    numbers.
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
    except ValueError:  # half a file is none: the measurement is made again
        return {}
    return known if isinstance(known, dict) else {}


def _question(config: RunConfig, resolved: Resolved, name: str) -> str:
    asked = {
        "model": config.model.to_json(), "training": config.training.to_json() | {"epochs": 0}, "choice": name,
        "resolved": resolved.to_json(), "torch": torch.__version__,
    }  # fmt: skip
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]


def _gain(config: RunConfig, plain: Resolved, other: Resolved, worth: float) -> float:
    """How many times as fast steps are with the other choice: the median of interleaved rounds; 0 if it fails.

    Ends as soon as the rounds agree clearly on whether it is more than `worth`. Leaves the generators alone.
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
            traceback.print_exc()  # to the run's log; it trains the plain way
            return 0.0
    return statistics.median(gains)


def _steps_a_round(step: Callable[[], Any]) -> int:
    """How many steps a round takes, by a second one: the first also makes what the others find made."""
    _seconds(step, 1)
    return max(1, min(MOST_STEPS, math.ceil(LEAST_SECONDS / _seconds(step, 1))))


def _is_clear(gains: list[float], worth: float) -> bool:
    """Whether these rounds' gains leave no doubt that matters whether it is worth it."""
    if len(gains) >= max(CLEAR):
        return True
    factor = CLEAR.get(len(gains))
    return factor is not None and (min(gains) > worth * factor or max(gains) * factor < worth)


class _Images:
    """A feed of one batch."""

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
