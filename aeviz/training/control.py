"""Control a run from another process, whether it is training, paused or not running."""

import contextlib
import shutil
import time
from pathlib import Path
from typing import Any

from aeviz import files, jobs, runs
from aeviz.errors import NotNow
from aeviz.models import costs
from aeviz.models.weights import read_metadata
from aeviz.runs import Note, Run
from aeviz.training.checkpoint import can_undo, checkpointed_model, put_back, source_of
from aeviz.training.live.network_change import fitted
from aeviz.training.live.settings import with_live_value
from aeviz.training.start import Start, launch, resume

# The checkpoint first: anything newer in the other files is cut when the run resumes.
COPIED = ("last.safetensors", "model.safetensors", "metrics.jsonl", "preview.webp", "frames")


def play(run: Run, start: Start = jobs.start) -> None:
    """Resume a run: at once if its process is still alive, else in a new one.

    Raises:
        MissingData: the run's images are not available.
        BadValue: all epochs are done.
    """
    if _is_reachable(run):
        run.ask("play")
        return
    resume(run)
    launch(run, start)


def step(run: Run, start: Start = jobs.start) -> None:
    """Take one optimizer step, then pause."""
    if not _is_reachable(run):
        resume(run)
        launch(run, start)
    run.ask("step")


def turn(run: Run, path: str, value: float, start: Start = jobs.start) -> None:
    """Change a live setting; a running training uses it from its next step on.

    Raises:
        BadValue: the setting is not live, or the value is not allowed.
    """
    config = with_live_value(run.config(), path, value)
    if _is_reachable(run):
        run.ask("turn", path=path, value=value)
    elif path == "model.body.dropout" and run.checkpoint.exists():  # may add layers, which only the trainer can do
        launch(run, start)
        run.ask("turn", path=path, value=value)
        run.ask("pause")
    else:
        run.write_config(config)


def change(run: Run, model: dict[str, Any], start: Start = jobs.start) -> None:
    """Change the network (settings without the sample shape) and keep what was learned.

    A run that was not training is paused again afterwards.

    Raises:
        BadValue, OverBudget: the network is not possible; nothing was changed.
        NotNow: the run has not been trained yet.
    """
    config = run.config()
    network = fitted(config, model)
    training = config.training
    device = (config.resolved.device if config.resolved else "") or "cpu"
    costs.check(costs.cost(network, training.batch_size, training.optimizer, training.loss), device)
    if _is_reachable(run):
        run.ask("change", model=model)
        return
    if source_of(run) is None:
        raise NotNow("the run {id} has not been trained yet; train it first", id=run.id)
    launch(run, start)
    run.ask("change", model=model)
    run.ask("pause")


def undo(run: Run) -> None:
    """Return to the state before the last network change.

    Raises:
        NotNow: there is no change to undo.
    """
    if not can_undo(run):
        raise NotNow("the network of the run {id} was not changed; there is nothing to undo", id=run.id)
    if _is_reachable(run):
        run.ask("undo")
        return
    put_back(run)


def restart(run: Run) -> Run:
    """A new run with the same settings, from the beginning; the old one is stopped if it is running."""
    if run.is_live():
        run.ask("stop")
    return _twin(run, (), "Once more")


def fork(run: Run) -> Run:
    """A new run that continues from the last checkpoint of this one.

    Raises:
        NotNow: there is no checkpoint yet.
    """
    if source_of(run) is None:
        raise NotNow("the run {id} has no checkpoint yet; wait for its first epoch", id=run.id)
    return _twin(run, COPIED, "Fork of")


def _is_reachable(run: Run) -> bool:
    """Whether the run's process is running or starting, so that it can take requests."""
    return run.is_live() or (run.is_alive() and run.written_status().state != "failed")


def _twin(run: Run, copied: tuple[str, ...], how: str) -> Run:
    config = run.config()
    model = checkpointed_model(run) if copied else config.model
    twin = Run(run.path.parent / runs.new_id(config.data.name, model.variant))
    twin.path.mkdir(mode=0o700)
    try:
        for name in copied:
            _copy(run.path / name, twin.path / name)
        twin.write_config(config.model_copy(update={"id": twin.id, "created": time.time(), "model": model}))
        twin.write_note(Note(note=f"{how} {run.note().title.strip() or run.id}."))
        jobs.requeue(twin)
        source = source_of(twin)
        if source is not None:
            _copy_progress(source, twin)
    except BaseException:
        shutil.rmtree(twin.path)
        raise
    return twin


def _copy_progress(source: Path, twin: Run) -> None:
    """Write a fork's progress to its status, for the time until its process starts."""
    position = read_metadata(source)["position"]
    reached = {"epoch": position["epoch"], "step": position["step"], "epochs": twin.config().training.epochs}
    files.write_json(twin.path / "status.json", twin.written_status().model_copy(update=reached).to_json())


def _copy(source: Path, target: Path) -> None:
    """Copy a file or a folder; skip files that a running training removes meanwhile."""
    if source.is_dir():
        target.mkdir(mode=0o700)
        for path in source.iterdir():
            if not path.name.startswith("."):
                _copy(path, target / path.name)
        return
    with contextlib.suppress(FileNotFoundError):
        shutil.copy2(source, target)
