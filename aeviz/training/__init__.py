"""Training: one loop for every variant, in a process of its own."""

from aeviz.training.loop import steps_per_epoch
from aeviz.training.start import Recipe, launch, prepare, resume, work

__all__ = ["Recipe", "launch", "prepare", "resume", "steps_per_epoch", "work"]
