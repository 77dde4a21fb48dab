"""Checkpoints: everything needed to resume a training as if it had never stopped."""

import dataclasses
import json
import shutil
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from aeviz import files
from aeviz.models import Autoencoder, ModelConfig, model_config
from aeviz.models.meta import shapes_only
from aeviz.models.weights import load_state, read_metadata, read_tensors, save_model
from aeviz.runs import Position, Run
from aeviz.training.steps.stepper import Stepper

WEIGHTS_SECONDS = 1.0  # shortest interval between writes of the best weights
UNDO = "undo"
KEPT_FOR_UNDO = ("config.json", "metrics.jsonl", "model.safetensors", "last.safetensors")  # the last marks completeness


def save_checkpoint(run: Run, stepper: Stepper, position: Position, sums: dict[str, Tensor]) -> None:
    """Replace `last.safetensors`: network, optimizer, generators, position and the epoch's running sums."""
    extra = {f"rng.{name}": state for name, state in _generator_states(stepper.model).items()}
    extra |= {f"sums.{name}": value for name, value in sums.items()} | stepper.extra_state()
    save_model(stepper.model, run.checkpoint, dataclasses.asdict(position), extra)


def source_of(run: Run) -> Path | None:
    """The file a run resumes from: its checkpoint, else its best weights (all that an imported run has)."""
    return next((path for path in (run.checkpoint, run.weights) if path.exists()), None)


def checkpointed_model(run: Run) -> ModelConfig:
    """The model settings a run resumes with: those of the checkpoint, else the best weights, else the config.

    If only live settings differ, the config wins: they may have changed since.
    """
    wanted = run.config().model
    source = source_of(run)
    if source is None:
        return wanted
    kept = model_config(read_metadata(source)["model"])
    live = {name: getattr(kept, name) for name in wanted.live_fields() if hasattr(kept, name)}
    return wanted if wanted.model_copy(update=live) == kept else kept


def load_position(run: Run, stepper: Stepper, device: str) -> tuple[Position, dict[str, Tensor]]:
    """Load network, optimizer and generators from a run's file; position and running sums are returned.

    Without a file the run starts from the beginning.

    Raises:
        BadFile: the file does not fit this network.
    """
    source = source_of(run)
    if source is None:
        return Position(), {}
    values = read_metadata(source)["position"]
    prefixes = ("model.", "optimizer.", "sums.", "ema.")
    tensors = {prefix: read_tensors(source, prefix, device) for prefix in prefixes}
    model = stepper.model
    with shapes_only():
        load_state(type(model)(model.config, model.loss), tensors["model."], source)
    model.load_state_dict(tensors["model."])
    stepper.load_extra(tensors["optimizer."], tensors["ema."])
    for name, state in read_tensors(source, "rng.").items():
        _set_generator(name, state, torch.device(device))
    known = {field.name for field in dataclasses.fields(Position)}
    position = Position(**{name: value for name, value in values.items() if name in known})
    stepper.slowed = position.slowed
    return position, tensors["sums."]


def _generator_states(model: Autoencoder) -> dict[str, Tensor]:
    states = {"cpu": torch.get_rng_state()}
    device = next(model.parameters()).device
    return states | ({"cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else {})


def _set_generator(name: str, state: Tensor, device: torch.device) -> None:
    """Restore a random generator; a CUDA state is ignored on other devices."""
    if name == "cpu":
        torch.set_rng_state(state)
    elif device.type == name:
        torch.cuda.set_rng_state(state, device)


def cut_metrics(run: Run, step: int) -> None:
    """Drop the metrics of steps after `step`, which will be taken again."""
    lines = [line for line in run.metrics() if line.get("step", 0) <= step]
    content = "".join(json.dumps(line, allow_nan=False) + "\n" for line in lines)
    files.write_bytes(run.path / "metrics.jsonl", content.encode())


def keep_for_undo(run: Run) -> None:
    """Back up the files that a network change will replace; only the last change can be undone."""
    aside = run.path / UNDO
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(mode=0o700)
    for name in KEPT_FOR_UNDO:
        if (run.path / name).exists():
            shutil.copy2(run.path / name, aside / name)


def can_undo(run: Run) -> bool:
    """Whether there is a backup from before the last network change."""
    return (run.path / UNDO / "last.safetensors").exists()


def put_back(run: Run) -> None:
    """Undo the last network change: restore checkpoint, best weights, settings and metrics."""
    aside = run.path / UNDO
    for name in KEPT_FOR_UNDO:
        if (aside / name).exists():
            (aside / name).replace(run.path / name)
    shutil.rmtree(aside)


class BestWeights:
    """Keeps the weights with the best validation loss and writes them at most once per second."""

    def __init__(self, run: Run, model: Autoencoder) -> None:
        self.run = run
        self.model = model
        self._state: dict[str, Tensor] | None = None
        self._position: dict[str, Any] = {}
        self._written = time.monotonic()  # the first write waits for the checkpoint

    def keep(self, position: Position) -> None:
        """Keep a copy of the current weights."""
        self._state = {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}
        self._position = dataclasses.asdict(position)
        if time.monotonic() - self._written > WEIGHTS_SECONDS:
            self.write()

    def write(self) -> None:
        """Write the kept weights to disk."""
        if self._state is None:
            return
        with shapes_only():
            model = type(self.model)(self.model.config, self.model.loss)
        model.load_state_dict(self._state, assign=True)
        save_model(model, self.run.weights, self._position)
        self._state = None
        self._written = time.monotonic()
