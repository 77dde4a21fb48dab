"""Runs on disk: directories that are created, listed, found, read on every call, and deleted."""

from aeviz.runs.config import DataConfig, Resolved, RunConfig, TrainingConfig
from aeviz.runs.run import Note, Position, Run
from aeviz.runs.store import create, delete, find, list_runs, new_id, runs_root, unreadable_runs

__all__ = [
    "DataConfig",
    "Note",
    "Position",
    "Resolved",
    "Run",
    "RunConfig",
    "TrainingConfig",
    "create",
    "delete",
    "find",
    "list_runs",
    "new_id",
    "runs_root",
    "unreadable_runs",
]
