"""The folder of all runs: create, list, find, delete."""

import os
import platform
import re
import shutil
import time
import uuid
from pathlib import Path

import torch

from aeviz import __version__, files, jobs
from aeviz.data import Dataset
from aeviz.errors import AevizError, NotNow, UnknownName
from aeviz.models import ModelConfig
from aeviz.runs.config import DataConfig, RunConfig, TrainingConfig
from aeviz.runs.run import Run


def runs_root() -> Path:
    """The folder of all runs: `AEVIZ_RUNS`, or `runs/` in the working directory."""
    return Path(os.environ.get("AEVIZ_RUNS") or "runs").absolute()


def new_id(data: str, variant: str) -> str:
    """A unique name that sorts by time and describes the run."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", f"{data[:40]}-{variant}").strip("-")
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{words}-{uuid.uuid4().hex[:4]}"


def create(dataset: Dataset, model: ModelConfig, training: TrainingConfig, seed: int = 0) -> Run:
    """Create a new run's directory, queued; nothing is trained yet.

    Raises:
        BadValue: a setting is outside its allowed values.
    """
    root = runs_root()
    id = new_id(dataset.name, model.variant)
    while (root / id).exists():  # created in the same second
        id = new_id(dataset.name, model.variant)
    config = RunConfig.parse(
        {
            "id": id,
            "created": time.time(),
            "seed": seed,
            "versions": {"aeviz": __version__, "torch": torch.__version__, "python": platform.python_version()},
            "data": describe(dataset).to_json(),
            "model": model.to_json(),
            "training": training.to_json(),
        }
    )
    root.mkdir(parents=True, exist_ok=True)
    run = Run(root / config.id)
    run.path.mkdir(mode=0o700)
    run.write_config(config)
    jobs.requeue(run)
    return run


def describe(dataset: Dataset) -> DataConfig:
    """What a run records about its data."""
    return DataConfig(
        name=dataset.name,
        params=dataset.params,
        shape=dataset.shape,
        classes=dataset.classes,
        hash=dataset.hash,
        splits={name: len(rows) for name, rows in dataset.splits.items()},
    )


def list_runs() -> list[Run]:
    """All runs, newest first, without unreadable ones, for which see `unreadable_runs`."""
    created = {run: _created(run) for run in _folders()}
    readable = [run for run in created if created[run] is not None]
    return sorted(readable, key=lambda run: (created[run], run.id), reverse=True)


def unreadable_runs() -> list[str]:
    """The names of folders whose config is unreadable."""
    return sorted(run.id for run in _folders() if _created(run) is None)


def _folders() -> list[Run]:
    root = runs_root()
    found = root.iterdir() if root.exists() else ()
    return [Run(path) for path in found if files.SAFE_NAME.fullmatch(path.name) and (path / "config.json").exists()]


def _created(run: Run) -> float | None:
    try:
        return run.config().created
    except AevizError:
        return None


def find(name: str) -> Run:
    """The run of this id or unambiguous prefix, or the newest for `last`.

    Raises:
        UnknownName: no run matches, or more than one does.
    """
    runs = list_runs()
    if name == "last" and runs:
        return runs[0]
    exact = [run for run in runs if run.id == name]
    matching = exact or [run for run in runs if name and run.id.startswith(name)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise UnknownName(
            "{name!r} matches {count} runs: {some}; give a longer prefix",
            name=name, count=len(matching), some=", ".join(run.id for run in matching[:5]),
        )  # fmt: skip
    known = ", ".join(run.id for run in runs[:5]) or "none yet; train one first"
    raise UnknownName("no run is called {name!r}; the newest are: {known}", name=name, known=known)


def delete(run: Run) -> None:
    """Delete a run with everything in it.

    Raises:
        NotNow: the run is training.
    """
    if run.is_live():
        raise NotNow("the run {id} is training; stop it before deleting it", id=run.id)
    run.release()
    shutil.rmtree(run.path)
