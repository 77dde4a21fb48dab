"""Training: one loop for all variants, run in its own process."""

from aeviz.training.batches.feed import steps_per_epoch
from aeviz.training.checkpoint import can_undo
from aeviz.training.control import change, fork, play, restart, step, turn, undo
from aeviz.training.distributed import join, leave
from aeviz.training.live.live_control import LiveControl
from aeviz.training.live.settings import live_paths
from aeviz.training.presets import Preset, presets_for
from aeviz.training.start import CUT_SHORT, Recipe, launch, prepare, resume, work
from aeviz.training.steps.schedule import rate_at

__all__ = [
    "CUT_SHORT",
    "LiveControl",
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
