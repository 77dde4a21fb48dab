"""What is chosen at the start by measuring, once for a network on a machine: the precision of the matrix products."""

import copy
import hashlib
import json
import statistics
import time
from typing import Any, Literal

import torch

from aeviz import files
from aeviz.models import Batch, budget, build
from aeviz.models.device import device_name, resolve_device, threads
from aeviz.runs import Resolved, RunConfig, runs_root
from aeviz.training.stepper import Stepper

Precision = Literal["float32", "bfloat16"]
WORTH_MEASURING = 1e12  # FLOPs of a whole training: some ten seconds on one core
STEPS, ROUNDS = 4, 3
WORTH_HAVING = 1.15  # times as fast, for what bfloat16 costs in digits
CHOICES = ".choices.json"


def resolve(config: RunConfig) -> Resolved:
    """What a run is trained with: what was chosen before, if it is still to be had, else chosen now.

    Raises:
        BadValue: its device is not on this machine.
    """
    if config.resolved is not None:
        resolve_device(config.resolved.device)
        return config.resolved
    asked = config.training
    device = resolve_device(asked.device)
    resolved = Resolved(
        device=device,
        device_name=device_name(device),
        threads=asked.threads or threads(),
        compile=asked.compile,
        precision="float32" if asked.precision == "auto" else asked.precision,
    )
    if asked.precision != "auto" or device == "mps":
        return resolved
    return resolved.model_copy(update={"precision": _faster_precision(config, resolved)})


def _faster_precision(config: RunConfig, resolved: Resolved) -> Precision:
    """The precision measured to be faster; short trainings are not worth the measurement, and stay in float32.

    The same question on the same machine gets the answer it got before, so that the same settings give the same
    numbers.
    """
    training, images = config.training, config.data.splits.get("train", 0)
    flops = 3 * budget.cost(config.model, training.batch_size, training.optimizer).flops * images * training.epochs
    if flops < WORTH_MEASURING:
        return "float32"
    question = _question(config, resolved)
    path = runs_root() / CHOICES
    answers = _known(path)
    if answers.get(question) not in ("float32", "bfloat16"):
        answers[question] = "bfloat16" if _gain(config, resolved) > WORTH_HAVING else "float32"
        files.write_json(path, answers)
    return answers[question]


def _known(path: Any) -> dict[str, Any]:
    try:
        known = files.read_json(path)
    except ValueError:  # half a file is none: the measurement is made again
        return {}
    return known if isinstance(known, dict) else {}


def _question(config: RunConfig, resolved: Resolved) -> str:
    asked = {
        "model": config.model.to_json(), "batch": config.training.batch_size, "loss": config.training.loss,
        "device": resolved.device_name, "threads": resolved.threads, "torch": torch.__version__,
    }  # fmt: skip
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]


def _gain(config: RunConfig, resolved: Resolved) -> float:
    """How many times as fast steps in bfloat16 are: the median of interleaved rounds; leaves the generators alone."""
    torch.set_num_threads(resolved.threads)
    cards = [torch.device(resolved.device)] if resolved.device.startswith("cuda") else []
    with torch.random.fork_rng(cards):
        model = build(config.model, config.training.loss).to(resolved.device).train()
        x = torch.rand(config.training.batch_size, *config.data.shape, device=resolved.device)
        labels = torch.zeros(len(x), dtype=torch.int64, device=resolved.device)
        batch = Batch(x, x, labels)
        plain = resolved.model_copy(update={"compile": False})
        steppers = [
            Stepper(copy.deepcopy(model), config.training, plain.model_copy(update={"precision": precision}))
            for precision in ("float32", "bfloat16")
        ]
        for stepper in steppers:
            _seconds(stepper, batch)
        rounds = [[_seconds(stepper, batch) for stepper in steppers] for _ in range(ROUNDS)]
    return statistics.median(full / reduced for full, reduced in rounds)


def _seconds(stepper: Stepper, batch: Batch) -> float:
    started = time.perf_counter()
    for _ in range(STEPS):
        terms = stepper.step(batch, 0.5)
    float(terms["total"])  # waits for the device
    return time.perf_counter() - started
