"""The one loop that trains every variant."""

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
from aeviz.training.distributed import ALONE, Crew
from aeviz.training.doctor.diagnostics import gradient_norms
from aeviz.training.live_control import Helm, Rewound
from aeviz.training.logs.metrics_log import Record
from aeviz.training.logs.snapshots import Showcase
from aeviz.training.steps.cuda_graphs import CapturedStep
from aeviz.training.steps.replay import RecordedStep
from aeviz.training.steps.stepper import Stepper
from aeviz.training.validation import evaluate

Part = tuple[int, int, int] | None
LOOK_SECONDS = 0.25  # how often the loop looks up: finite loss, a line of metrics
SAVE_SECONDS = 2.0  # between checkpoints at the ends of epochs
FIRST_JUDGED = 1024  # validation images that the network is judged by before it has learned anything
CHECKPOINT_SECONDS = 20.0  # between checkpoints within a long epoch


class Diverged(AevizError):
    """The loss is no longer a number."""


class Trainer:
    """Trains one run on one device, from its checkpoint if it has one.

    Of several processes that train together, all take the same steps and only the first one writes.
    """

    def __init__(
        self, run: Run, dataset: Dataset, device: str, worker: Worker, crew: Crew = ALONE, helm: Helm | None = None
    ) -> None:
        self.run, self.worker, self.device, self.crew, self.dataset = run, worker, device, crew, dataset
        self.config = run.config()
        self.helm = helm or Helm()
        self.ending = ""
        self.feed = Feed(dataset, "train", device, worker)
        self.validation = Feed(dataset, "val", device)
        self.showcase = Showcase(run, dataset, device, crew.is_first)
        self.record = Record(run, len(self.feed), self.config.training.batch_size, crew.is_first)
        self._looked = self._saved = time.perf_counter()
        self.take_up()

    def take_up(self) -> None:
        """Build the network and put it where the checkpoint stands; what was noted after that point is cut."""
        self.config = self.run.config()
        self.training = self.config.training
        self.augment = Augment(self.training.augment, self.dataset.shape) if is_on(self.training.augment) else None
        torch.manual_seed(self.config.seed)
        network = checkpointed_model(self.run)
        if network != self.config.model:  # a change was cut short; the checkpoint is what there is
            self.config = self.config.model_copy(update={"model": network})
            if self.crew.is_first:
                self.run.write_config(self.config)
        model = build(network, self.training.loss)
        if not self.run.checkpoint.exists() and model.config.standardise:
            model.set_statistics(*self.feed.statistics())
        self.adopt(Stepper(model.to(self.device), self.training, self.config.resolved, self.crew))
        self.record.begin(*load_position(self.run, self.stepper, self.device))
        if self.crew.is_first:
            cut_metrics(self.run, self.position.step if self.position.step or self.run.checkpoint.exists() else -1)
        self.showcase.begin(self.position.step)

    def adopt(self, stepper: Stepper) -> None:
        """Train another network from here on."""
        self.stepper = stepper
        self.best = BestWeights(self.run, stepper.judged)
        resolved = self.config.resolved
        self.captured: CapturedStep | RecordedStep | None = None
        if resolved is None or resolved.compile or self.crew.size > 1 or not self.feed.is_resident:
            return
        if resolved.graphs:
            self.captured = CapturedStep(stepper, self.feed, self._varied, self.training.batch_size)
        elif self.device == "cpu":
            self.captured = RecordedStep(stepper, self.feed, self._varied, self.training.batch_size)

    @property
    def position(self) -> Position:
        """Where the training stands."""
        return self.record.position

    @property
    def is_complete(self) -> bool:
        """Whether all epochs are done: then there is nothing to pause or to stop."""
        return self.position.epoch >= self.training.epochs

    @property
    def model(self) -> Autoencoder:
        """The network in training."""
        return self.stepper.model

    def train(self) -> None:
        """Train to the last epoch, or to where validation stands still.

        Raises:
            Paused, Stopped: as asked; the checkpoint is written.
            Diverged: the loss became NaN or infinite.
        """
        self._report(state="running", message="")
        if self.position.step == 0:
            self._validate()
            self._saved = -math.inf  # as soon as the first loss is told
        if self._stands_still():
            self.position.stale = 0  # it ended early, and the person wants more
        while True:
            try:
                self.hear()
                if self.is_complete or self._ends_early():
                    break
                self._train_epoch()
            except Rewound:
                continue
            self._end_epoch()
        self.save()

    def _end_epoch(self) -> None:
        self._validate(self._checked(self.record.end_epoch()))
        if self.crew.agree(time.perf_counter() - self._saved > SAVE_SECONDS):
            self.save()

    def _train_epoch(self) -> None:
        generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + self.position.epoch)
        order = torch.randperm(len(self.feed), generator=generator).to(self.device)
        batches = split_order(order, self.training.batch_size, 2 * self.crew.size)
        steps = len(batches)
        parts = [self.crew.part(len(positions)) for positions in batches]
        if self.crew.size > 1:
            batches = [each[part[0] : part[1]] for each, part in zip(batches, parts, strict=True) if part]
        self.model.train()
        done = self.position.offset
        for images, terms in self._learned(batches[done:], parts[done:], steps):
            self.record.add(*self.crew.summed(terms, images))
            if self.crew.agree(self._is_due()):
                self._look()

    def _learned(self, batches: list[Tensor], parts: list[Part], steps: int) -> Iterator[tuple[int, dict[str, Tensor]]]:
        """How many images each step learns from, and its terms; nothing here waits for the device."""
        if self.captured is not None:
            for positions in batches:
                yield len(positions), self.captured(positions, self._epoch(steps))
            return
        for batch in self.feed.batches(batches, parts):
            yield len(batch.x), self.stepper.step(self._varied(batch), self._epoch(steps))

    def _varied(self, batch: Batch) -> Batch:
        """The batch as it is trained on."""
        if self.augment is None:
            return batch
        x = self.augment(batch.x, batch.part)
        return dataclasses.replace(batch, x=x, target=x)

    def _epoch(self, steps: int) -> float:
        """Epochs done, the one under way in part."""
        return self.position.epoch + self.position.offset / steps

    def _is_due(self) -> bool:
        """Whether to look up: after the first step, now and then, and when something was asked."""
        asked = self.worker.may_have_requests() or self.helm.counts_steps
        return self.position.step == 1 or asked or time.perf_counter() - self._looked > LOOK_SECONDS

    def _look(self) -> None:
        """Look up from the work: note the loss, see that it is a number, hear what is asked."""
        self._note_progress()
        self._report(state="running")
        self.helm.count_step()
        self.hear()
        if self.crew.agree(time.perf_counter() - self._saved > CHECKPOINT_SECONDS):
            self.save()
        self._looked = time.perf_counter()

    def hear(self) -> None:
        """Do what was asked since the last look.

        Raises:
            Paused, Stopped, Rewound: as asked; the checkpoint is written.
        """
        try:
            self.helm.hear(self)
        except (Stopped, Paused):
            self.save()
            self.show()
            raise

    def _note_progress(self) -> None:
        """A light line: mean terms, images per second, since the last line; the gradients of the last step."""
        line = self.record.light_line(self._checked(self.record.totals()))
        if line is None:
            return
        line["gradients"] = gradient_norms(self.model)
        if self.crew.agree(self.showcase.is_due()):
            line |= self.show()
        self.note(line)

    def _validate(self, train: dict[str, float] | None = None) -> None:
        """Validate, keep the weights if they are the best yet, and note the epoch."""
        self.position.seconds = self.record.seconds()
        speed = self.record.speed() if train else None
        validation = self.judge(counting=train is not None)
        line: dict[str, Any] = {"images_per_s": speed, "val": {**validation, "psnr": psnr(validation["mse"])}}
        if self.showcase.is_due() or self.position.epoch == self.training.epochs:
            line |= self.show()
        self.note(line | ({"train": train} if train else {}))
        self.record.clear()
        self._report(state="running")

    def judge(self, counting: bool = False) -> dict[str, float]:
        """Validate and keep the weights if they are the best yet; `counting` epochs without progress."""
        position, config = self.position, self.training
        most = None if position.step else FIRST_JUDGED
        validation = self._checked(evaluate(self.stepper.judged, self.validation, most))
        if position.best is None or validation["total"] < position.best:
            position.best, position.stale, position.waited = validation["total"], 0, 0
            if self.crew.is_first:
                self.best.keep(position)
            if most is not None and most < len(self.validation):
                position.best = None  # other images than later: not to be compared with
        elif counting:
            position.stale, position.waited = position.stale + 1, position.waited + 1
        if config.schedule == "plateau" and position.waited >= config.decay_epochs:
            position.waited, position.slowed = 0, position.slowed * config.decay
            self.stepper.slowed = position.slowed
        return validation

    def _stands_still(self) -> bool:
        """Whether validation has stood still for as long as the person's patience."""
        return 0 < self.training.patience <= self.position.stale

    def _ends_early(self) -> bool:
        if self._stands_still():
            self.ending = f"Ended early: no progress on validation for {self.position.stale} epochs."
            self.event({"kind": "early_stop", "said": self.ending})
            self.show()
        return self._stands_still()

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
        """Write the checkpoint, unless the network has already gone astray."""
        self._checked(self.record.totals())
        self.position.seconds = self.record.seconds()
        if self.crew.is_first:
            self.best.write()
            save_checkpoint(self.run, self.stepper, self.position, self.record.sums)
        self._saved = time.perf_counter()

    def show(self) -> dict[str, Any]:
        """Let people see where the network stands; what goes on inside it, for a line of the metrics."""
        told = self.showcase.show(self.stepper.judged, self.position.step)
        self.model.train()
        return told

    def note(self, line: dict[str, Any]) -> None:
        """Add a line to the metrics."""
        self.record.note(line, self.stepper.rate)

    def event(self, event: dict[str, Any]) -> None:
        """Note that something was changed from outside, or has ended by itself."""
        self.note({"event": event})

    def _report(self, **changes: Any) -> None:
        if self.crew.is_first:
            self.worker.report(**changes, **self.progress())

    def progress(self) -> dict[str, int]:
        """How far the training is, for its status."""
        return {"epoch": self.position.epoch, "epochs": self.training.epochs, "step": self.position.step}
