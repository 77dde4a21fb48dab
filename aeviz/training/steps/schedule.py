"""Learning-rate schedules, as functions of the training progress."""

import math
from collections.abc import Callable

from aeviz.runs import TrainingConfig

LEAST = 1e-2  # share of the rate that cosine and one-cycle end at
RISE = 0.3  # share of a one-cycle training in which the rate rises
START = 0.04  # share of the rate that one-cycle begins with


def rate_at(config: TrainingConfig, epoch: float, epochs: int | None = None) -> float:
    """The learning rate after `epoch` of `epochs` epochs; excludes plateau decay, which depends on validation."""
    epochs = epochs or config.epochs
    share = SCHEDULES[config.schedule](config, epoch, min(1.0, epoch / epochs))
    warm = min(1.0, epoch / config.warmup) if config.warmup > 0 else 1.0
    return config.learning_rate * share * max(warm, 1e-3)


def is_constant(config: TrainingConfig) -> bool:
    """Whether the rate is the same at every step, apart from plateau decay."""
    return config.schedule in ("constant", "plateau") and config.warmup == 0


def _constant(config: TrainingConfig, epoch: float, done: float) -> float:
    return 1.0


def _step(config: TrainingConfig, epoch: float, done: float) -> float:
    """Multiplied by `decay` every `decay_epochs`."""
    return config.decay ** int(epoch / config.decay_epochs)


def _exponential(config: TrainingConfig, epoch: float, done: float) -> float:
    """`_step` made continuous: decays by `decay` over `decay_epochs`."""
    return float(config.decay ** (epoch / config.decay_epochs))


def _cosine(config: TrainingConfig, epoch: float, done: float) -> float:
    """Cosine decay to 1 % (Loshchilov & Hutter, ICLR 2017, without restarts)."""
    return LEAST + (1 - LEAST) * (1 + math.cos(math.pi * done)) / 2


def _one_cycle(config: TrainingConfig, epoch: float, done: float) -> float:
    """Rises over the first 30 %, then decays to 1 % (Smith & Topin 2017, 1708.07120)."""
    if done < RISE:
        return START + (1 - START) * (1 - math.cos(math.pi * done / RISE)) / 2
    return LEAST + (1 - LEAST) * (1 + math.cos(math.pi * (done - RISE) / (1 - RISE))) / 2


SCHEDULES: dict[str, Callable[[TrainingConfig, float, float], float]] = {
    "constant": _constant,
    "step": _step,
    "exponential": _exponential,
    "cosine": _cosine,
    "one_cycle": _one_cycle,
    "plateau": _constant,
}
