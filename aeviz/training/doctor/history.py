"""The history of a training, read from its metrics, and the doctor's findings."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from aeviz.runs import RunConfig

CHANGES = ("turn", "change")  # events that start a new history
BLOCK = 4  # metrics lines per point, about a second, while there are few whole epochs
ENOUGH = 6


@dataclass(frozen=True)
class Finding:
    """One problem, the number that shows it, and settings that fix it.

    `cure` maps dotted paths of settings to values; `again` means that a new training is needed.
    """

    name: str
    title: str
    sentence: str
    number: float
    cure: dict[str, Any]
    cure_label: str
    again: bool = False


class History:
    """The metrics since the last change of a live setting or of the network."""

    def __init__(self, config: RunConfig, metrics: list[dict[str, Any]]) -> None:
        self.config = config
        changes = [at for at, line in enumerate(metrics) if line.get("event", {}).get("kind") in CHANGES]
        begin = changes[-1] + 1 if changes else 0
        before = [line for line in metrics[:begin] if "val" in line][-1:]
        self.lines = metrics[begin:]
        validated = [line for line in self.lines if "val" in line]
        self.start = (before or validated[:1] or [{}])[0]  # validation before the first of these steps
        # While the KL weight or the learning rate warms up, the loss rises too.
        self._rise = max(config.training.warmup, getattr(config.model, "annealing", 0.0))
        risen = [line for line in self.lines if "train" in line and line["epoch"] > self._rise]
        self.epochs = [line for line in risen if "val" in line]  # one per whole epoch
        self.lights = [line for line in risen if "val" not in line]
        self.vitals = [line["vitals"] for line in self.lines if line.get("vitals")]
        trained = [line for line in last_train_line(metrics, begin) + self.lines if "train" in line]
        self.first_train = trained[0]["train"]["total"] if trained else None
        self.gradients = [line["gradients"]["total"] for line in self.lines if line.get("gradients")]
        self.first_gradient = next(filter(None, (line.get("gradients", {}).get("total") for line in metrics)), None)

    def is_broken(self) -> bool:
        """Whether the loss in the last line is not finite."""
        last = self.lines[-1] if self.lines else {}
        return any(last[split].get("total", 0.0) is None for split in ("train", "val") if split in last)

    def vitals_after(self, steps: int) -> list[dict[str, Any]]:
        """The vitals measured at least `steps` steps into the history, oldest first."""
        begin = self.start.get("step", 0) + steps
        return [line["vitals"] for line in self.lines if line.get("vitals") and line["step"] >= begin]

    def train(self) -> np.ndarray:
        """The mean training loss (n,) of every epoch."""
        return np.array([line["train"]["total"] for line in self.epochs], dtype=float)

    def validation(self) -> np.ndarray:
        """The validation loss (n,) after every epoch."""
        return np.array([line["val"]["total"] for line in self.epochs], dtype=float)

    def falling(self) -> np.ndarray:
        """The training loss (n,) by epoch, or about by second while there are few whole epochs."""
        if len(self.epochs) >= ENOUGH or len(self.lights) < ENOUGH * BLOCK:
            return self.train()
        losses = np.array([line["train"]["total"] for line in self.lights], dtype=float)
        return losses[len(losses) % BLOCK :].reshape(-1, BLOCK).mean(1)

    def within_epochs(self) -> np.ndarray:
        """The training loss (n,) of every line within an epoch."""
        return np.array([line["train"]["total"] for line in self.lights], dtype=float)

    def against_mean(self) -> np.ndarray:
        """Validation MSE (n,) after every epoch, relative to that of the mean image; empty if the latter is unknown."""
        mean = next((vitals["mean_mse"] for vitals in reversed(self.vitals) if vitals.get("mean_mse")), None)
        return np.array([line["val"]["mse"] / mean for line in self.epochs], dtype=float) if mean else np.zeros(0)

    def is_variational(self) -> bool:
        """Whether the encoder gives posteriors; their codes may collapse at any learning rate."""
        return any(vitals.get("kl") for vitals in self.vitals)

    def is_warming_up(self) -> bool:
        """Whether the KL weight or the learning rate is still warming up."""
        return bool(self.lines) and self.lines[-1]["epoch"] <= self._rise


def last_train_line(metrics: list[dict[str, Any]], begin: int) -> list[dict[str, Any]]:
    """The last line with a training loss before line `begin`, if there is one."""
    return [line for line in metrics[:begin] if "train" in line][-1:]


def smooth(losses: np.ndarray) -> np.ndarray:
    """Moving average (n - 2,) over three losses."""
    return np.convolve(losses, np.full(3, 1 / 3), mode="valid")


def noise(losses: np.ndarray) -> float:
    """Median difference between consecutive losses (n,) without their trend, relative to the loss."""
    if len(losses) < 3:
        return 0.0
    bends = np.abs(np.diff(losses, 2)) / 2
    return float(np.median(bends) / max(abs(np.median(losses)), 1e-30))
