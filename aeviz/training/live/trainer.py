"""What live changes need of a trainer."""

from typing import Any, Protocol

from aeviz.jobs import Worker
from aeviz.models import Autoencoder
from aeviz.runs import Position, Run, RunConfig, TrainingConfig
from aeviz.training.batches.feed import Feed
from aeviz.training.distributed import World
from aeviz.training.logs.metrics_log import MetricsLog
from aeviz.training.steps.cuda_graphs import CapturedStep
from aeviz.training.steps.replay import RecordedStep
from aeviz.training.steps.stepper import Stepper


class LiveTrainer(Protocol):
    """The part of `loop.Trainer` that live changes use."""

    run: Run
    config: RunConfig
    training: TrainingConfig
    worker: Worker
    world: World
    device: str
    feed: Feed
    validation: Feed
    metrics_log: MetricsLog
    stepper: Stepper
    captured: CapturedStep | RecordedStep | None

    @property
    def model(self) -> Autoencoder:
        """The network in training."""

    @property
    def position(self) -> Position:
        """Where the training is: epoch and step."""

    @property
    def is_complete(self) -> bool:
        """Whether the last epoch is done."""

    def restore(self) -> None:
        """Continue from a stored position."""

    def set_stepper(self, stepper: Stepper) -> None:
        """Train with another stepper from now on."""

    def validate(self) -> object:
        """Validate the network now."""

    def save(self) -> None:
        """Write a checkpoint."""

    def snapshot(self) -> object:
        """Update the images and the map that the user watches."""

    def event(self, event: dict[str, Any]) -> None:
        """Log an event as a metrics line."""

    def progress(self) -> dict[str, int]:
        """Fields of the status: epoch and step."""
