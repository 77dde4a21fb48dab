"""The training loop, shared by all variants."""

import dataclasses
import math
import time
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from aeviz.data import Dataset
from aeviz.errors import AevizError, Paused, Stopped
from aeviz.jobs import Worker
from aeviz.models import Autoencoder, Batch, build
from aeviz.runs import Position, Run
from aeviz.scores.images import psnr
from aeviz.training.batches.augment import Augment, is_on
from aeviz.training.batches.feed import Feed, split_order
from aeviz.training.checkpoint import BestWeights, checkpointed_model, cut_metrics, load_position, save_checkpoint
from aeviz.training.distributed import ALONE, World
from aeviz.training.doctor.measurements import gradient_norms
from aeviz.training.live.live_control import LiveControl, Rewound
from aeviz.training.logs.metrics_log import MetricsLog
from aeviz.training.logs.snapshots import Snapshots
from aeviz.training.steps.cuda_graphs import CapturedStep
from aeviz.training.steps.replay import RecordedStep
from aeviz.training.steps.stepper import Stepper
from aeviz.training.validation import evaluate

Part = tuple[int, int, int] | None
CHECK_SECONDS = 0.25  # between checks for requests, a finite loss, and a line of metrics
SAVE_SECONDS = 2.0  # between checkpoints at epoch ends
FIRST_VALIDATED = 1024  # validation images used before the first step
CHECKPOINT_SECONDS = 20.0  # between checkpoints within a long epoch


class Diverged(AevizError):
    """The loss is no longer finite."""


class Trainer:
    """Trains one run on one device, resuming from its checkpoint if there is one.

    In distributed training all processes take the same steps and only the first one writes files.
    """

    def __init__(
        self,
        run: Run,
        dataset: Dataset,
        device: str,
        worker: Worker,
        world: World = ALONE,
        live_control: LiveControl | None = None,
    ) -> None:
        self.run, self.worker, self.device, self.world, self.dataset = run, worker, device, world, dataset
        self.config = run.config()
        self.live_control = live_control or LiveControl()
        self.ending = ""
        self.feed = Feed(dataset, "train", device, worker)
        self.validation = Feed(dataset, "val", device)
        self.snapshots = Snapshots(run, dataset, device, world.is_first)
        self.metrics_log = MetricsLog(run, len(self.feed), self.config.training.batch_size, world.is_first)
        self._checked_at = self._saved = time.perf_counter()
        self.restore()

    def restore(self) -> None:
        """Build the network, load the checkpoint, and drop metrics logged after it."""
        self.config = self.run.config()
        self.training = self.config.training
        self.augment = Augment(self.training.augment, self.dataset.shape) if is_on(self.training.augment) else None
        torch.manual_seed(self.config.seed)
        network = checkpointed_model(self.run)
        if network != self.config.model:  # a network change was interrupted; the checkpoint decides
            self.config = self.config.model_copy(update={"model": network})
            if self.world.is_first:
                self.run.write_config(self.config)
        model = build(network, self.training.loss)
        if not self.run.checkpoint.exists() and model.config.standardise:
            model.set_statistics(*self.feed.statistics())
        self.set_stepper(Stepper(model.to(self.device), self.training, self.config.resolved, self.world))
        self.metrics_log.begin(*load_position(self.run, self.stepper, self.device))
        if self.world.is_first:
            cut_metrics(self.run, self.position.step if self.position.step or self.run.checkpoint.exists() else -1)
        self.snapshots.begin(self.position.step)

    def set_stepper(self, stepper: Stepper) -> None:
        """Train this network and optimizer from now on."""
        self.stepper = stepper
        self.best = BestWeights(self.run, stepper.eval_model)
        resolved = self.config.resolved
        self.captured: CapturedStep | RecordedStep | None = None
        if resolved is None or resolved.compile or self.world.size > 1 or not self.feed.is_resident:
            return
        if resolved.graphs:
            self.captured = CapturedStep(stepper, self.feed, self._varied, self.training.batch_size)
        elif self.device == "cpu":
            self.captured = RecordedStep(stepper, self.feed, self._varied, self.training.batch_size)

    @property
    def position(self) -> Position:
        """Epoch, step and counters of the training."""
        return self.metrics_log.position

    @property
    def is_complete(self) -> bool:
        """Whether all epochs are done, so that there is nothing left to pause or stop."""
        return self.position.epoch >= self.training.epochs

    @property
    def model(self) -> Autoencoder:
        """The network being trained."""
        return self.stepper.model

    def train(self) -> None:
        """Train to the last epoch, or until early stopping.

        Raises:
            Paused, Stopped: on request; the checkpoint is written.
            Diverged: the loss became NaN or infinite.
        """
        self._report(state="running", message="")
        if self.position.step == 0:
            self._validate_epoch()
            self._saved = -math.inf  # save as soon as the first loss is logged
        if self._is_stale():
            self.position.stale = 0  # it stopped early, and the user wants to continue
        while True:
            try:
                self.apply_requests()
                if self.is_complete or self._ends_early():
                    break
                self._train_epoch()
            except Rewound:
                continue
            self._end_epoch()
        self.save()

    def _end_epoch(self) -> None:
        self._validate_epoch(self._checked(self.metrics_log.end_epoch()))
        if self.world.agree(time.perf_counter() - self._saved > SAVE_SECONDS):
            self.save()

    def _train_epoch(self) -> None:
        generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + self.position.epoch)
        order = torch.randperm(len(self.feed), generator=generator).to(self.device)
        batches, parts = self.world.split(split_order(order, self.training.batch_size, 2 * self.world.size))
        self.model.train()
        done = self.position.offset
        for images, terms in self._learned(batches[done:], parts[done:], len(batches)):
            self.metrics_log.add(*self.world.summed(terms, images))
            if self.world.agree(self._is_due()):
                self._check_in()

    def _learned(self, batches: list[Tensor], parts: list[Part], steps: int) -> Iterator[tuple[int, dict[str, Tensor]]]:
        """Yield each step's batch size and loss terms; never waits for the device."""
        if self.captured is not None:
            for positions in batches:
                yield len(positions), self.captured(positions, self._epoch(steps))
            return
        for batch in self.feed.batches(batches, parts):
            yield len(batch.x), self.stepper.step(self._varied(batch), self._epoch(steps))

    def _varied(self, batch: Batch) -> Batch:
        """The batch after augmentation."""
        if self.augment is None:
            return batch
        x = self.augment(batch.x, batch.part)
        return dataclasses.replace(batch, x=x, target=x)

    def _epoch(self, steps: int) -> float:
        """Epochs done, as a fraction within the current one."""
        return self.position.epoch + self.position.offset / steps

    def _is_due(self) -> bool:
        """Whether to check in: after the first step, every `CHECK_SECONDS`, and when a request is pending."""
        requested = self.worker.may_have_requests() or self.live_control.counts_steps
        return self.position.step == 1 or requested or time.perf_counter() - self._checked_at > CHECK_SECONDS

    def _check_in(self) -> None:
        """Log the loss, check that it is finite, and apply requests."""
        self._log_progress()
        self._report(state="running")
        self.live_control.count_step()
        self.apply_requests()
        if self.world.agree(time.perf_counter() - self._saved > CHECKPOINT_SECONDS):
            self.save()
        self._checked_at = time.perf_counter()

    def apply_requests(self) -> None:
        """Apply the requests made since the last call.

        Raises:
            Paused, Stopped, Rewound: on request; the checkpoint is written.
        """
        try:
            self.live_control.apply_requests(self)
        except (Stopped, Paused):
            self.save()
            self.snapshot()
            raise

    def _log_progress(self) -> None:
        """Log mean terms and images/s since the last line, and the last step's gradient norms."""
        line = self.metrics_log.progress_line(self._checked(self.metrics_log.totals()))
        if line is None:
            return
        line["gradients"] = gradient_norms(self.model)
        if self.world.agree(self.snapshots.is_due()):
            line |= self.snapshot()
        self.log(line)

    def _validate_epoch(self, train: dict[str, float] | None = None) -> None:
        """Validate, keep the weights if they are the best so far, and log the epoch."""
        self.position.seconds = self.metrics_log.seconds()
        speed = self.metrics_log.speed() if train else None
        validation = self.validate(counting=train is not None)
        line: dict[str, Any] = {"images_per_s": speed, "val": {**validation, "psnr": psnr(validation["mse"])}}
        if self.snapshots.is_due() or self.position.epoch == self.training.epochs:
            line |= self.snapshot()
        self.log(line | ({"train": train} if train else {}))
        self.metrics_log.clear()
        self._report(state="running")

    def validate(self, counting: bool = False) -> dict[str, float]:
        """Validate and keep the weights if they are the best so far.

        With `counting`, an epoch without improvement counts towards early stopping and plateau decay.
        """
        position, config = self.position, self.training
        most = None if position.step else FIRST_VALIDATED
        validation = self._checked(evaluate(self.stepper.eval_model, self.validation, most))
        if position.best is None or validation["total"] < position.best:
            position.best, position.stale, position.waited = validation["total"], 0, 0
            if self.world.is_first:
                self.best.keep(position)
            if most is not None and most < len(self.validation):
                position.best = None  # measured on fewer images than later, so not comparable
        elif counting:
            position.stale, position.waited = position.stale + 1, position.waited + 1
        if config.schedule == "plateau" and position.waited >= config.decay_epochs:
            position.waited, position.slowed = 0, position.slowed * config.decay
            self.stepper.slowed = position.slowed
        return validation

    def _is_stale(self) -> bool:
        """Whether validation has not improved for `patience` epochs."""
        return 0 < self.training.patience <= self.position.stale

    def _ends_early(self) -> bool:
        if self._is_stale():
            self.ending = f"Ended early: no progress on validation for {self.position.stale} epochs."
            self.event({"kind": "early_stop", "said": self.ending})
            self.snapshot()
        return self._is_stale()

    def _checked(self, terms: dict[str, float]) -> dict[str, float]:
        """Raises: Diverged, if any term is not a finite number."""
        for name, value in terms.items():
            if not math.isfinite(value):
                raise Diverged(
                    "The loss ({name}) became {value} in epoch {epoch}, step {step}. The best weights so far are kept. "
                    "Try a smaller learning rate than {rate:g}, or the Adam optimizer.",
                    name=name, value=value, epoch=self.position.epoch + 1, step=self.position.step,
                    rate=self.stepper.rate,
                )  # fmt: skip
        return terms

    def save(self) -> None:
        """Write the checkpoint, unless the loss has diverged."""
        self._checked(self.metrics_log.totals())
        self.position.seconds = self.metrics_log.seconds()
        if self.world.is_first:
            self.best.write()
            save_checkpoint(self.run, self.stepper, self.position, self.metrics_log.sums)
        self._saved = time.perf_counter()

    def snapshot(self) -> dict[str, Any]:
        """Write preview and film frame; return the vitals for a line of metrics."""
        vitals = self.snapshots.take(self.stepper.eval_model, self.position.step)
        self.model.train()
        return vitals

    def log(self, line: dict[str, Any]) -> None:
        """Append a line to the metrics."""
        self.metrics_log.write(line, self.stepper.rate)

    def event(self, event: dict[str, Any]) -> None:
        """Log an event: a live change, or early stopping."""
        self.log({"event": event})

    def _report(self, **changes: Any) -> None:
        if self.world.is_first:
            self.worker.report(**changes, **self.progress())

    def progress(self) -> dict[str, int]:
        """Epoch, epochs and step, for the run's status."""
        return {"epoch": self.position.epoch, "epochs": self.training.epochs, "step": self.position.step}
