"""What can be asked of a run from outside, whether its process is at work, paused, or gone."""

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
from aeviz.training.live_control import fitted, with_live_value
from aeviz.training.start import Start, launch, resume

# The checkpoint first: what the others know beyond it is cut when the run is taken up.
COPIED = ("last.safetensors", "model.safetensors", "metrics.jsonl", "preview.webp", "frames")


def play(run: Run, start: Start = jobs.start) -> None:
    """Go on: at once if the process is still there, else in a new one.

    Raises:
        MissingData: its images are not at hand.
        BadValue: it has done all its epochs.
    """
    if _is_reachable(run):
        run.ask("play")
        return
    resume(run)
    launch(run, start)


def step(run: Run, start: Start = jobs.start) -> None:
    """Take one step of the optimizer, then pause."""
    if not _is_reachable(run):
        resume(run)
        launch(run, start)
    run.ask("step")


def turn(run: Run, path: str, value: float, start: Start = jobs.start) -> None:
    """Turn a live setting; a training at work takes it from its next step on.

    Raises:
        BadValue: it cannot be turned, or not to that value.
    """
    config = with_live_value(run.config(), path, value)
    if _is_reachable(run):
        run.ask("turn", path=path, value=value)
    elif path == "model.body.dropout" and run.checkpoint.exists():  # may need other layers: the trainer's work
        launch(run, start)
        run.ask("turn", path=path, value=value)
        run.ask("pause")
    else:
        run.write_config(config)


def change(run: Run, model: dict[str, Any], start: Start = jobs.start) -> None:
    """Go on with another network (settings without the sample's shape) that keeps what was learned.

    A run that was not at work is paused again afterwards.

    Raises:
        BadValue, OverBudget: what is wrong with the network; nothing has happened.
        NotNow: there is nothing learned to keep.
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
        raise NotNow("the run {id} has learned nothing yet; train it first", id=run.id)
    launch(run, start)
    run.ask("change", model=model)
    run.ask("pause")


def undo(run: Run) -> None:
    """Go back to where the training stood before its network was changed last.

    Raises:
        NotNow: it was not changed.
    """
    if not can_undo(run):
        raise NotNow("the network of the run {id} was not changed; there is nothing to undo", id=run.id)
    if _is_reachable(run):
        run.ask("undo")
        return
    put_back(run)


def restart(run: Run) -> Run:
    """A new run with the settings of this one, from the very beginning; this one is stopped if it is at work."""
    if run.is_live():
        run.ask("stop")
    return _twin(run, (), "Once more")


def fork(run: Run) -> Run:
    """A new run that goes on from where this one's last checkpoint stands.

    Raises:
        NotNow: there is no checkpoint to go on from.
    """
    if source_of(run) is None:
        raise NotNow("the run {id} has learned nothing yet; wait for its first epoch", id=run.id)
    return _twin(run, COPIED, "Fork of")


def _is_reachable(run: Run) -> bool:
    """Whether a process is there to ask, or on its way."""
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
    """Have a fork's status say how far it is, while it waits for its process."""
    position = read_metadata(source)["position"]
    reached = {"epoch": position["epoch"], "step": position["step"], "epochs": twin.config().training.epochs}
    files.write_json(twin.path / "status.json", twin.written_status().model_copy(update=reached).to_json())


def _copy(source: Path, target: Path) -> None:
    """A file, or a folder's files; the run may be at work, so that some are gone when their turn comes."""
    if source.is_dir():
        target.mkdir(mode=0o700)
        for path in source.iterdir():
            if not path.name.startswith("."):
                _copy(path, target / path.name)
        return
    with contextlib.suppress(FileNotFoundError):
        shutil.copy2(source, target)
