"""One run: a frozen handle on its directory; every call reads the disk again."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field

from aeviz import files
from aeviz.config import Settings
from aeviz.errors import BadFile, NotNow
from aeviz.jobs import LIVE, Job
from aeviz.models import Autoencoder
from aeviz.models.weights import load_model, read_metadata
from aeviz.runs.config import RunConfig


@dataclass
class Position:
    """Epochs completed, steps in total and in the current epoch, training seconds, best validation total.

    `since` is the step from which the current epoch's terms are summed: not 0 if the network was changed in it.
    `stale` counts epochs since the best one, `waited` those since the plateau schedule's last decay; `slowed` is that
    schedule's factor on the learning rate.
    """

    epoch: int = 0
    step: int = 0
    offset: int = 0
    seconds: float = 0.0
    best: float | None = None
    since: int = 0
    stale: int = 0
    waited: int = 0
    slowed: float = 1.0


class Validation(Settings):
    """Validation metrics: `total`, the other terms, MSE per pixel and PSNR in dB."""

    model_config = ConfigDict(extra="allow")

    total: float
    mse: float
    psnr: float | None


class MetricsLine(Settings):
    """A line of `metrics.jsonl`; lines without `val` are written within an epoch."""

    epoch: int = Field(ge=0)
    step: int = Field(ge=0)
    seconds: float = Field(ge=0.0)
    lr: float
    images_per_s: float | None = None
    train: dict[str, float] | None = None
    val: Validation | None = None
    event: dict[str, Any] | None = None
    gradients: dict[str, float | None] | None = None
    vitals: dict[str, Any] | None = None


class Note(Settings):
    """The user's title and note."""

    title: str = ""
    note: str = ""


@files.cached_by_stat(most=1024)
def _read_config(path: Path) -> RunConfig:
    run = path.parent.name
    try:
        values = files.read_json(path)
    except (ValueError, RecursionError, OSError) as error:
        raise BadFile("the run {id} has a broken config.json: {reason}", id=run, reason=error) from None
    if values is None:
        raise BadFile("the run {id} has no config.json", id=run)
    return RunConfig.parse(values)


@files.cached_by_stat(most=1024)
def _read_note(path: Path) -> Note:
    return Note.parse(files.read_json(path) or {})


@files.cached_by_stat(most=1024)
def _read_psnr(path: Path) -> float | None:
    scored = [line["val"] for line in files.read_lines(path)[0] if "val" in line]
    return min(scored, key=lambda val: val["total"])["psnr"] if scored else None


@dataclass(frozen=True)
class Run(Job):
    """A run's directory; see CONTRIBUTING.md for its files."""

    @property
    def id(self) -> str:
        """The run's name on disk."""
        return self.path.name

    @property
    def weights(self) -> Path:
        """The weights with the best validation loss."""
        return self.path / "model.safetensors"

    @property
    def checkpoint(self) -> Path:
        """The last state of the training, to resume from."""
        return self.path / "last.safetensors"

    @property
    def results(self) -> Path:
        """Results computed from the weights; may be deleted any time."""
        return self.path / "results"

    def config(self) -> RunConfig:
        """The run's settings.

        Raises:
            BadFile: the config is missing or unreadable.
        """
        return _read_config(self.path / "config.json")

    def write_config(self, config: RunConfig) -> None:
        """Replace the config."""
        files.write_json(self.path / "config.json", config.to_json())

    def note(self) -> Note:
        """The user's title and note."""
        return _read_note(self.path / "note.json")

    def write_note(self, note: Note) -> None:
        """Replace title and note."""
        files.write_json(self.path / "note.json", note.to_json())

    def title(self) -> str:
        """The user's title, or the default title of a run with these settings."""
        return self.note().title.strip() or self.config().default_title()

    def metrics(self) -> list[dict[str, Any]]:
        """The lines written during training, oldest first."""
        return files.read_lines(self.path / "metrics.jsonl")[0]

    def psnr(self) -> float | None:
        """The validation PSNR (dB) of the stored weights, those with the lowest total."""
        return _read_psnr(self.path / "metrics.jsonl")

    def has_weights(self) -> bool:
        """Whether the run has weights to reconstruct images with."""
        return self.weights.exists()

    def weights_id(self) -> str:
        """An identifier of the current weights; it changes whenever they do.

        Raises:
            NotNow: the run has no weights yet.
        """
        if not self.has_weights():
            raise NotNow("the run {id} has no weights yet; train it first", id=self.id)
        position = read_metadata(self.weights)["position"]
        return f"{position['step']}-{position['mark']}"

    def load(self, device: str = "cpu") -> Autoencoder:
        """Load the network with its best weights, in eval mode.

        Raises:
            NotNow: the run has no weights yet.
        """
        self.weights_id()
        return load_model(self.weights, device)[0]

    def is_live(self) -> bool:
        """Whether the run is training or queued."""
        return self.status().state in LIVE
