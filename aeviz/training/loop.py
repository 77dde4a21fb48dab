"""The one loop that trains every variant."""

import math
import time
from typing import Any

import torch
from torch import Tensor

from aeviz import files
from aeviz.data import Dataset
from aeviz.errors import AevizError, Paused, Stopped
from aeviz.jobs import Worker
from aeviz.models import build
from aeviz.runs import Run
from aeviz.scores.images import psnr
from aeviz.training.checkpoint import BestWeights, load_position, save_checkpoint
from aeviz.training.evaluate import evaluate
from aeviz.training.feed import Feed
from aeviz.training.optim import OPTIMIZERS
from aeviz.training.preview import write_preview

LOOK_SECONDS = 0.25  # how often the loop looks up: requests, finite loss, a line of metrics
SAVE_SECONDS = 2.0  # between checkpoints at the ends of epochs
CHECKPOINT_SECONDS = 20.0  # between checkpoints within a long epoch


class Diverged(AevizError):
    """The loss is no longer a number."""


class Trainer:
    """Trains one run on one device, from its checkpoint if it has one."""

    def __init__(self, run: Run, dataset: Dataset, device: str, worker: Worker) -> None:
        self.run, self.worker, self.device = run, worker, device
        self.config = run.config()
        self.training = self.config.training
        self.dataset = dataset
        torch.manual_seed(self.config.seed)
        self.model = build(self.config.model, self.training.loss).to(device)
        self.optimizer = OPTIMIZERS[self.training.optimizer](self.model.parameters(), self.training)
        self.feed = Feed(dataset, "train", device, worker)
        self.validation = Feed(dataset, "val", device)
        self.best = BestWeights(run, self.model)
        self.position, self.sums = load_position(run, self.model, self.optimizer, device)
        self._started = time.perf_counter() - self.position.seconds
        self._looked = self._saved = time.perf_counter()
        self._seen: dict[str, float] = {}
        self._seen_at = (self.position.seconds, self._images())
        self._previewed = -math.inf

    def train(self) -> None:
        """Train to the last epoch.

        Raises:
            Paused, Stopped: as asked; the checkpoint is written.
            Diverged: the loss became NaN or infinite.
        """
        self.worker.report(state="running", message="", **self._progress())
        if self.position.step == 0:
            self._validate()
            self._save()
        while self.position.epoch < self.training.epochs:
            self._train_epoch()
            means = self._checked(self._means())
            self.position.epoch += 1
            self.position.offset = 0
            self._validate(means)
            self._handle_requests()
            if time.perf_counter() - self._saved > SAVE_SECONDS:
                self._save()
        self._save()
        self._preview(force=True)

    def _train_epoch(self) -> None:
        generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + self.position.epoch)
        order = torch.randperm(len(self.feed), generator=generator).to(self.device)
        self.model.train()
        for positions in _split(order, self.training.batch_size)[self.position.offset :]:
            self._step(positions)
            if self.position.step == 1 or time.perf_counter() - self._looked > LOOK_SECONDS:
                self._look()

    def _step(self, positions: Tensor) -> None:
        """One step of the optimizer; nothing here waits for the device."""
        self.optimizer.zero_grad(set_to_none=True)
        terms = self.model.losses(self.feed.batch(positions))
        terms["total"].backward()
        self.optimizer.step()
        weighted = {name: value.detach() * len(positions) for name, value in terms.items()}
        self.sums = {name: self.sums[name] + value for name, value in weighted.items()} if self.sums else weighted
        self.position.step += 1
        self.position.offset += 1

    def _look(self) -> None:
        """Look up from the work: note the loss, see that it is a number, hear what is asked."""
        self._note_progress()
        self.worker.report(state="running", **self._progress())
        self._handle_requests()
        if time.perf_counter() - self._saved > CHECKPOINT_SECONDS:
            self._save()
        self._looked = time.perf_counter()

    def _note_progress(self) -> None:
        """A light line: mean terms, images per second, since the last line."""
        sums = self._checked({name: float(value) for name, value in self.sums.items()})
        seconds, images = self._seconds(), self._images()
        count = self._epoch_images() - self._seen.get("count", 0.0)
        if count <= 0:
            return
        train = {name: (value - self._seen.get(name, 0.0)) / count for name, value in sums.items()}
        self._note({"epoch": self.position.epoch + 1, "train": train, "images_per_s": self._speed(seconds, images)})
        self._seen = sums | {"count": float(self._epoch_images())}
        self._seen_at = (seconds, images)

    def _validate(self, train: dict[str, float] | None = None) -> None:
        """Validate, keep the weights if they are the best yet, and note the epoch."""
        seconds = self.position.seconds = self._seconds()
        speed = self._speed(seconds, self._images()) if train else None
        validation = evaluate(self.model, self.validation)
        self._checked(validation)
        if self.position.best is None or validation["total"] < self.position.best:
            self.position.best = validation["total"]
            self.best.keep(self.position)
        line = {
            "epoch": self.position.epoch,
            "images_per_s": speed,
            "val": {**validation, "psnr": psnr(validation["mse"])},
        }
        self._note(line | ({"train": train} if train else {}))
        self.sums, self._seen = {}, {}
        self._seen_at = (self._seconds(), self._images())
        self.worker.report(state="running", **self._progress())
        self._preview()

    def _checked(self, terms: dict[str, float]) -> dict[str, float]:
        """Raises: Diverged, if any term is not a finite number."""
        for name, value in terms.items():
            if not math.isfinite(value):
                raise Diverged(
                    "The loss ({name}) became {value} in epoch {epoch}, step {step}. The best weights so far are kept. "
                    "Try a smaller learning rate than {rate:g}, or the Adam optimizer.",
                    name=name, value=value, epoch=self.position.epoch + 1, step=self.position.step,
                    rate=self.training.learning_rate,
                )  # fmt: skip
        return terms

    def _handle_requests(self) -> None:
        try:
            self.worker.check_stop()
        except (Stopped, Paused):
            self._save()
            self._preview(force=True)
            raise

    def _save(self) -> None:
        """Write the checkpoint, unless the network has already gone astray."""
        self._checked({name: float(value) for name, value in self.sums.items()})
        self.best.write()
        self.position.seconds = self._seconds()
        save_checkpoint(self.run, self.model, self.optimizer, self.position, self.sums)
        self._saved = time.perf_counter()

    def _preview(self, force: bool = False) -> None:
        if force or time.perf_counter() - self._previewed > 1.0:
            write_preview(self.run, self.model, self.dataset)
            self._previewed = time.perf_counter()

    def _note(self, line: dict[str, Any]) -> None:
        rate = self.optimizer.param_groups[0]["lr"]
        head = {"epoch": line["epoch"], "step": self.position.step, "seconds": round(self._seconds(), 3), "lr": rate}
        files.append_line(self.run.path / "metrics.jsonl", head | line)

    def _means(self) -> dict[str, float]:
        return {name: float(value) / len(self.feed) for name, value in self.sums.items()}

    def _progress(self) -> dict[str, int]:
        return {"epoch": self.position.epoch, "epochs": self.training.epochs, "step": self.position.step}

    def _seconds(self) -> float:
        return time.perf_counter() - self._started

    def _epoch_images(self) -> int:
        """Images seen in the epoch under way."""
        return min(self.position.offset * self.training.batch_size, len(self.feed))

    def _images(self) -> int:
        return self.position.epoch * len(self.feed) + self._epoch_images()

    def _speed(self, seconds: float, images: int) -> float | None:
        before, seen = self._seen_at
        return round((images - seen) / (seconds - before), 1) if seconds > before and images > seen else None


def steps_per_epoch(images: int, batch_size: int) -> int:
    """How many batches `_split` makes."""
    return max(1, -(-images // batch_size) - (images % batch_size == 1))


def _split(order: Tensor, batch_size: int) -> list[Tensor]:
    """Batches of a shuffled order; a single image left over joins the last one (batch norm needs two)."""
    batches = list(order.split(batch_size))
    if len(batches) > 1 and len(batches[-1]) == 1:
        batches[-2:] = [torch.cat(batches[-2:])]
    return batches
