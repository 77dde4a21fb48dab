"""Training: one loop for every variant, in a process of its own."""

from aeviz.training.checkpoint import can_undo
from aeviz.training.crew import join, leave
from aeviz.training.feed import steps_per_epoch
from aeviz.training.helm import Helm, live_paths
from aeviz.training.presets import Preset, presets_for
from aeviz.training.schedule import rate_at
from aeviz.training.start import CUT_SHORT, Recipe, launch, prepare, resume, work
from aeviz.training.steer import change, fork, play, restart, step, turn, undo

__all__ = [
    "CUT_SHORT",
    "Helm",
    "Preset",
    "Recipe",
    "can_undo",
    "change",
    "fork",
    "join",
    "launch",
    "leave",
    "live_paths",
    "play",
    "prepare",
    "presets_for",
    "rate_at",
    "restart",
    "resume",
    "step",
    "steps_per_epoch",
    "turn",
    "undo",
    "work",
]
