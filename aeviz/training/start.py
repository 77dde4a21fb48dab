"""Start a training: check the recipe, create the run, launch its process, train."""

from collections.abc import Callable
from typing import Any

import torch
from pydantic import Field

from aeviz import data, files, jobs, results, runs
from aeviz.config import Settings
from aeviz.errors import BadValue, MissingData, NotNow, Paused, Stopped
from aeviz.jobs import CRASHES, Worker
from aeviz.models import ModelConfig, fitted_to
from aeviz.models import costs as costs
from aeviz.models.device import keep_memory, resolve_device
from aeviz.models.kernels import kernels
from aeviz.runs import Run, RunConfig, TrainingConfig
from aeviz.training.autotune import check_compiler, plain_kernels, resolve
from aeviz.training.batches.augment import Augment
from aeviz.training.distributed import ALONE, World
from aeviz.training.live.live_control import LiveControl
from aeviz.training.loop import Diverged, Trainer

Start = Callable[..., None]
CUT_SHORT = ("failed", "interrupted")  # the process may have died after the last epoch, while computing test errors


class DataChoice(Settings):
    """A data set and its parameters."""

    name: str = "digits"
    params: dict[str, Any] = Field(default_factory=dict)


class Recipe(Settings):
    """The user's choices before training; `model` holds a variant's settings without the sample shape."""

    data: DataChoice = DataChoice()
    model: dict[str, Any] = Field(default_factory=dict)
    training: TrainingConfig = TrainingConfig()
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Same seed, same machine, same settings: same numbers.")


def prepare(recipe: Recipe, dataset: data.Dataset | None = None) -> Run:
    """Check everything that can be checked before training and create the run's directory.

    Raises:
        AevizError: the recipe is not valid; nothing was created.
    """
    dataset = dataset or data.load(recipe.data.name, recipe.data.params)
    check_images(dataset)
    model = fitted_model(recipe, dataset.shape, len(dataset.classes))
    training = recipe.training
    device = resolve_device(training.device)
    check_compiler(training)
    Augment(training.augment, dataset.shape)
    costs.check(costs.cost(model, training.batch_size, training.optimizer, training.loss), device)
    return runs.create(dataset, model, training, recipe.seed)


def check_images(dataset: data.Dataset) -> None:
    """Raises: BadValue, if there are too few images to train on."""
    if len(dataset.rows("train")) < 2:
        raise BadValue("the data set {name} has fewer than 2 training images; use a larger one", name=dataset.name)


def fitted_model(recipe: Recipe, sample_shape: tuple[int, ...], classes: int | None = None) -> ModelConfig:
    """The model settings for samples of this shape and, for conditional variants, this many classes.

    Raises:
        BadValue: a setting is not allowed.
    """
    if "sample_shape" in recipe.model:
        raise BadValue("model.sample_shape cannot be set; it is that of the images, {shape}", shape=sample_shape)
    return fitted_to(recipe.model, sample_shape, classes)


def launch(run: Run, start: Start = jobs.start) -> None:
    """Start a run's process, which waits in its device's queue and outlives this one.

    Raises:
        NotNow: the run is already training.
    """
    if run.is_alive():
        raise NotNow("the run {id} is already training", id=run.id)
    config = _after_crash(run)
    device = resolve_device(config.training.device)
    if config != run.config():
        run.write_config(config)
    jobs.requeue(run)
    start(run, "work", str(run.path), "--device", device)


def resume(run: Run, epochs: int | None = None) -> None:
    """Prepare a run that has ended to resume, up to `epochs` in total if given.

    After a crash it resumes with torch's plain kernels.

    Raises:
        NotNow: the run is training.
        MissingData: its images are not available.
        BadValue: `epochs` is less than what is done.
    """
    run.release()
    config, status = _after_crash(run), run.status()
    done = status.epoch
    if not any(info.ready for info in data.list_data() if info.name == config.data.name):
        raise MissingData(
            "the images of this run, the data set {name}, are not available; add them first", name=config.data.name
        )
    wanted = epochs if epochs is not None else config.training.epochs
    if wanted < done or (wanted == done and status.state not in CUT_SHORT):
        raise BadValue(
            "epochs = {wanted}: the run {id} has done {done} already; choose a larger number",
            wanted=wanted, id=run.id, done=done,
        )  # fmt: skip
    training = TrainingConfig.parse({**config.training.to_json(), "epochs": wanted})
    run.write_config(config.model_copy(update={"training": training}))


def _after_crash(run: Run) -> RunConfig:
    """The run's settings, with torch's plain kernels if its last process crashed."""
    config = run.config()
    if run.written_status().signal not in CRASHES:
        return config
    return config.model_copy(update={"resolved": plain_kernels(config)})


def work(run: Run, worker: Worker, live_control: LiveControl | None = None, world: World = ALONE) -> None:
    """Train a run in this process; its status reports how it ended.

    Raises:
        AevizError: the run could not be trained.
    """
    config = run.config().data
    if world.is_first:
        files.sweep(run.path)
    keep_memory()
    dataset = results.same_data(data.load(config.name, config.params), run)
    resolved = world.broadcast(resolve(run.config()) if world.is_first else None)
    if world.is_first:
        run.write_config(run.config().model_copy(update={"resolved": resolved}))
    world.broadcast(None)  # barrier: the other processes read the config after it is written
    torch.set_num_threads(resolved.threads)
    if run.config().training.batch_size < 2 * world.size:
        raise BadValue(
            "batch_size = {size} is too small for {count} processes; it must be at least {least}",
            size=run.config().training.batch_size, count=world.size, least=2 * world.size,
        )  # fmt: skip
    with kernels(resolved.plain):
        _train(Trainer(run, dataset, world.device(resolved.device), worker, world, live_control))


def _train(trainer: Trainer) -> None:
    """Train, compute the test errors, and report the final state."""
    run, worker, world = trainer.run, trainer.worker, trainer.world
    ending = _trained(trainer)
    while ending["state"] in ("paused", "done") and world.size == 1 and worker.has_requests():
        ending = _trained(trainer)  # requested while it was ending
    if world.is_first:
        if ending["state"] != "paused":
            worker.report(message="Reconstructing the test images")
            results.errors(run, "test")
        worker.report(**ending, **trainer.progress())


def _trained(trainer: Trainer) -> dict[str, str]:
    """Train; return the final state and message."""
    try:
        trainer.train()
    except Paused:
        return {"state": "paused", "message": "Paused."}
    except Stopped:
        return {"state": "stopped", "message": "Stopped."}
    except Diverged as error:
        trainer.best.write()
        return {"state": "diverged", "message": str(error)}
    return {"state": "done", "message": trainer.ending}
