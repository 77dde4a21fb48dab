"""Where a training stands, on disk: enough to go on as if it had never ended."""

import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, optim

from aeviz import files
from aeviz.models import Autoencoder
from aeviz.models.weights import load_state, read_metadata, read_tensors, save_model
from aeviz.runs import Position, Run

WEIGHTS_SECONDS = 1.0  # weights are written at most this often


def save_checkpoint(
    run: Run, model: Autoencoder, optimizer: optim.Optimizer, position: Position, sums: dict[str, Tensor]
) -> None:
    """Replace `last.safetensors`: network, optimizer, generators, position and the epoch's running sums."""
    extra = {f"rng.{name}": state for name, state in _generator_states(model).items()}
    extra |= {f"sums.{name}": value for name, value in sums.items()}
    for number, state in optimizer.state_dict()["state"].items():
        extra |= {f"optimizer.{number}.{key}": value for key, value in state.items() if isinstance(value, Tensor)}
    save_model(model, run.checkpoint, dataclasses.asdict(position), extra)


def load_position(
    run: Run, model: Autoencoder, optimizer: optim.Optimizer, device: str
) -> tuple[Position, dict[str, Tensor]]:
    """Put a run back to its checkpoint, or to its best weights (a loaded run has nothing else), or to its start.

    What was noted after that point is cut from the metrics.

    Raises:
        BadFile: the file does not belong to this network.
    """
    source = next((path for path in (run.checkpoint, run.weights) if path.exists()), None)
    if source is None:
        _cut_metrics(run, -1)
        return Position(), {}
    values = read_metadata(source)["position"]
    tensors = {prefix: read_tensors(source, prefix, device) for prefix in ("model.", "optimizer.", "sums.")}
    model.load_state_dict(_checked(model, tensors["model."], source))
    _load_optimizer(optimizer, tensors["optimizer."])
    for name, generator in read_tensors(source, "rng.").items():
        _set_generator(name, generator)
    position = Position(**{field.name: values[field.name] for field in dataclasses.fields(Position)})
    _cut_metrics(run, position.step)
    return position, tensors["sums."]


def _load_optimizer(optimizer: optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        number, key = name.split(".", 1)
        state.setdefault(int(number), {})[key] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _checked(model: Autoencoder, tensors: dict[str, Tensor], source: Path) -> dict[str, Tensor]:
    with torch.device("meta"):
        load_state(type(model)(model.config, model.loss), tensors, source)
    return tensors


def _generator_states(model: Autoencoder) -> dict[str, Tensor]:
    states = {"cpu": torch.get_rng_state()}
    device = next(model.parameters()).device
    return states | ({"cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else {})


def _set_generator(name: str, state: Tensor) -> None:
    if name == "cuda":
        torch.cuda.set_rng_state(state)
    else:
        torch.set_rng_state(state)


def _cut_metrics(run: Run, step: int) -> None:
    """Drop the lines of steps that will be taken again."""
    lines = [line for line in run.metrics() if line.get("step", 0) <= step]
    content = "".join(json.dumps(line, allow_nan=False) + "\n" for line in lines)
    files.write_bytes(run.path / "metrics.jsonl", content.encode())


class BestWeights:
    """Keeps the weights that did best on validation, and writes them now and then."""

    def __init__(self, run: Run, model: Autoencoder) -> None:
        self.run = run
        self.model = model
        self._state: dict[str, Tensor] | None = None
        self._position: dict[str, Any] = {}
        self._written = -WEIGHTS_SECONDS

    def keep(self, position: Position) -> None:
        """Remember the weights as they are now."""
        self._state = {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}
        self._position = dataclasses.asdict(position)
        if time.monotonic() - self._written > WEIGHTS_SECONDS:
            self.write()

    def write(self) -> None:
        """Bring what is remembered to disk."""
        if self._state is None:
            return
        with torch.device("meta"):
            model = type(self.model)(self.model.config, self.model.loss)
        model.load_state_dict(self._state, assign=True)
        save_model(model, self.run.weights, self._position)
        self._state = None
        self._written = time.monotonic()
