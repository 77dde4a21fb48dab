"""The history of a training so far, as its lines of metrics tell it, and what the doctor finds in it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from aeviz.runs import RunConfig

TURNING = ("turn", "change")  # events after which a training is another one
BLOCK = 4  # light lines to a point of the history, a second or so, while whole epochs are few
ENOUGH = 6


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, the number it was judged by, and settings that cure it.

    `cure` maps dotted settings to values; `again` says that only a fresh start with them helps.
    """

    name: str
    title: str
    sentence: str
    number: float
    cure: dict[str, Any]
    cure_label: str
    again: bool = False


class History:
    """The lines since the last turned setting or changed network, which made it another training."""

    def __init__(self, config: RunConfig, metrics: list[dict[str, Any]]) -> None:
        self.config = config
        turned = [at for at, line in enumerate(metrics) if line.get("event", {}).get("kind") in TURNING]
        begin = turned[-1] + 1 if turned else 0
        before = [line for line in metrics[:begin] if "val" in line][-1:]
        self.lines = metrics[begin:]
        judged = [line for line in self.lines if "val" in line]
        self.start = (before or judged[:1] or [{}])[0]  # validation before the first of these steps
        # Where the KL term or the learning rate rises by plan, the loss rises with it.
        self._rise = max(config.training.warmup, getattr(config.model, "annealing", 0.0))
        risen = [line for line in self.lines if "train" in line and line["epoch"] > self._rise]
        self.epochs = [line for line in risen if "val" in line]  # one per whole epoch
        self.lights = [line for line in risen if "val" not in line]
        self.vitals = [line["vitals"] for line in self.lines if line.get("vitals")]
        trained = [line for line in before_turn(metrics, begin) + self.lines if "train" in line]
        self.first_train = trained[0]["train"]["total"] if trained else None
        self.gradients = [line["gradients"]["total"] for line in self.lines if line.get("gradients")]
        self.first_gradient = next(filter(None, (line.get("gradients", {}).get("total") for line in metrics)), None)

    def is_broken(self) -> bool:
        """Whether the last line holds a loss that is no number."""
        last = self.lines[-1] if self.lines else {}
        return any(last[split].get("total", 0.0) is None for split in ("train", "val") if split in last)

    def looks(self, steps: int) -> list[dict[str, Any]]:
        """The vitals of every look taken at least so many steps into the history, oldest first."""
        begin = self.start.get("step", 0) + steps
        return [line["vitals"] for line in self.lines if line.get("vitals") and line["step"] >= begin]

    def train(self) -> np.ndarray:
        """The mean training loss (n,) of every epoch."""
        return np.array([line["train"]["total"] for line in self.epochs], dtype=float)

    def validation(self) -> np.ndarray:
        """The validation loss (n,) after every epoch."""
        return np.array([line["val"]["total"] for line in self.epochs], dtype=float)

    def falling(self) -> np.ndarray:
        """The training loss (n,) epoch by epoch, or second by second while whole epochs are few."""
        if len(self.epochs) >= ENOUGH or len(self.lights) < ENOUGH * BLOCK:
            return self.train()
        losses = np.array([line["train"]["total"] for line in self.lights], dtype=float)
        return losses[len(losses) % BLOCK :].reshape(-1, BLOCK).mean(1)

    def looked(self) -> np.ndarray:
        """The training loss (n,) at every look within an epoch."""
        return np.array([line["train"]["total"] for line in self.lights], dtype=float)

    def against_mean(self) -> np.ndarray:
        """Validation's squared error (n,) after every epoch over that of the mean image; empty where that is not told."""
        mean = next((vitals["mean_mse"] for vitals in reversed(self.vitals) if vitals.get("mean_mse")), None)
        return np.array([line["val"]["mse"] / mean for line in self.epochs], dtype=float) if mean else np.zeros(0)

    def is_variational(self) -> bool:
        """Whether codes are told by posteriors; such a code may be silent at any rate."""
        return any(vitals.get("kl") for vitals in self.vitals)

    def is_warming_up(self) -> bool:
        """Whether a term of the loss or the learning rate still rises by plan."""
        return bool(self.lines) and self.lines[-1]["epoch"] <= self._rise


def before_turn(metrics: list[dict[str, Any]], begin: int) -> list[dict[str, Any]]:
    """The last look at the training loss before line `begin`, if there is one."""
    return [line for line in metrics[:begin] if "train" in line][-1:]


def smooth(losses: np.ndarray) -> np.ndarray:
    """Means (n - 2,) of three in a row."""
    return np.convolve(losses, np.full(3, 1 / 3), mode="valid")


def noise(losses: np.ndarray) -> float:
    """The usual difference between two losses (n,) in a row that is no trend, as a share of the loss."""
    if len(losses) < 3:
        return 0.0
    bends = np.abs(np.diff(losses, 2)) / 2
    return float(np.median(bends) / max(abs(np.median(losses)), 1e-30))
