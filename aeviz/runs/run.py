"""One run: a frozen handle on its directory that reads afresh at every call."""

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
    """Epochs completed, steps in all and into the epoch under way, seconds at work, best validation total.

    `since` is the step of the epoch from which on its terms were summed: not 0 where the network was changed in it.
    `stale` counts epochs since that best one, `waited` those since the plateau's last decay, `slowed` is what the
    plateau has made of the learning rate.
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
    """What validation said: `total`, the other terms, MSE per pixel and PSNR in dB."""

    model_config = ConfigDict(extra="allow")

    total: float
    mse: float
    psnr: float | None


class MetricsLine(Settings):
    """A line of `metrics.jsonl`: one without `val` is a light one, written within an epoch."""

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
    """What the person calls the run and says of it."""

    title: str = ""
    note: str = ""


@files.kept(most=1024)
def _read_config(path: Path) -> RunConfig:
    run = path.parent.name
    try:
        values = files.read_json(path)
    except (ValueError, RecursionError, OSError) as error:
        raise BadFile("the run {id} has a broken config.json: {reason}", id=run, reason=error) from None
    if values is None:
        raise BadFile("the run {id} has no config.json", id=run)
    return RunConfig.parse(values)


@files.kept(most=1024)
def _read_note(path: Path) -> Note:
    return Note.parse(files.read_json(path) or {})


@files.kept(most=1024)
def _read_psnr(path: Path) -> float | None:
    scored = [line["val"] for line in files.read_lines(path)[0] if "val" in line]
    return min(scored, key=lambda val: val["total"])["psnr"] if scored else None


@dataclass(frozen=True)
class Run(Job):
    """A run's directory; see DESIGN in CONTRIBUTING.md for what lies in it."""

    @property
    def id(self) -> str:
        """The run's name on disk."""
        return self.path.name

    @property
    def weights(self) -> Path:
        """The weights that did best on validation."""
        return self.path / "model.safetensors"

    @property
    def checkpoint(self) -> Path:
        """The last state of the training, to go on from."""
        return self.path / "last.safetensors"

    @property
    def results(self) -> Path:
        """Where results computed from the weights are kept; may be deleted any time."""
        return self.path / "results"

    def config(self) -> RunConfig:
        """What the run was asked to be.

        Raises:
            BadFile: there is no readable config.
        """
        return _read_config(self.path / "config.json")

    def write_config(self, config: RunConfig) -> None:
        """Replace the config."""
        files.write_json(self.path / "config.json", config.to_json())

    def note(self) -> Note:
        """The person's own title and note."""
        return _read_note(self.path / "note.json")

    def write_note(self, note: Note) -> None:
        """Replace title and note."""
        files.write_json(self.path / "note.json", note.to_json())

    def title(self) -> str:
        """The person's title, or what a run of these settings is called where none was given."""
        return self.note().title.strip() or self.config().usual_title()

    def metrics(self) -> list[dict[str, Any]]:
        """The lines written while training, oldest first."""
        return files.read_lines(self.path / "metrics.jsonl")[0]

    def psnr(self) -> float | None:
        """The validation PSNR (dB) of the weights that are kept: those of the least total."""
        return _read_psnr(self.path / "metrics.jsonl")

    def has_weights(self) -> bool:
        """Whether there is something to rebuild images with."""
        return self.weights.exists()

    def weights_mark(self) -> str:
        """A name for the present weights; another training step gives another one.

        Raises:
            NotNow: nothing has been learned yet.
        """
        if not self.has_weights():
            raise NotNow("the run {id} has learned nothing yet; train it first", id=self.id)
        position = read_metadata(self.weights)["position"]
        return f"{position['step']}-{position['mark']}"

    def load(self, device: str = "cpu") -> Autoencoder:
        """The network with its best weights, in eval mode.

        Raises:
            NotNow: nothing has been learned yet.
        """
        self.weights_mark()
        return load_model(self.weights, device)[0]

    def is_live(self) -> bool:
        """Whether it is training or waiting for its turn."""
        return self.status().state in LIVE
