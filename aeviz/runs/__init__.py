"""What is on disk: runs as directories, created, listed, found, read afresh and deleted."""

from aeviz.runs.config import DataConfig, Resolved, RunConfig, TrainingConfig
from aeviz.runs.run import Note, Run
from aeviz.runs.store import create, delete, find, list_runs, new_id, runs_root

__all__ = [
    "DataConfig",
    "Note",
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
]
