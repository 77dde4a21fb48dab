"""A run as one zip of JSON and safetensors: exported, and imported under a new id after it is checked."""

import json
import shutil
import time
import zipfile
import zlib
from pathlib import Path
from typing import Any

from pydantic import Field
from safetensors import SafetensorError, safe_open

from aeviz import files, jobs
from aeviz.config import Settings
from aeviz.errors import BadArchive, NotNow
from aeviz.models import costs
from aeviz.models.weights import load_model
from aeviz.runs import stored_images
from aeviz.runs.config import RunConfig
from aeviz.runs.directions import FOLDER, check_direction
from aeviz.runs.run import MetricsLine, Run
from aeviz.runs.store import new_id, runs_root

MEMBERS = ("config.json", "note.json", "metrics.jsonl", "model.safetensors", stored_images.NAME)
NEEDED = ("config.json", "model.safetensors")
MOST_CONFIG_BYTES = 2**20
SPARE_BYTES = 64 * 2**20  # what a zip may hold besides its weights: metrics, notes, codes, directions
# What readers raise on a damaged or hostile zip.
DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, EOFError, RecursionError, NotImplementedError),
    *(ValueError, KeyError, TypeError, RuntimeError, SafetensorError),
)


def export_run(run: Run, out: Path, with_kept: bool = True) -> None:
    """Write a run's settings, note, metrics, best weights, directions and, if stored, test images as a zip.

    Raises:
        NotNow: the run has no weights yet.
        BadFile: `out` cannot be written.
    """
    if not run.has_weights():
        raise NotNow("the run {id} has no weights yet; train it before exporting it", id=run.id)
    directions = sorted((run.path / FOLDER).glob("*.json"))
    members = [name for name in MEMBERS if with_kept or name != stored_images.NAME]
    chosen = [path for name in members if (path := run.path / name).exists()] + directions
    with files.replacing(out) as beside, zipfile.ZipFile(beside, "w") as archive:
        for path in chosen:
            # Weights hardly compress, and deflating large ones would take many times as long as copying them.
            pack = zipfile.ZIP_STORED if path == run.weights else zipfile.ZIP_DEFLATED
            archive.write(path, f"{run.id}/{path.relative_to(run.path).as_posix()}", pack)


def import_run(path: Path) -> Run:
    """Import a run from a zip, under a new id.

    Raises:
        BadArchive: it is not a run of aeviz, or holds anything but JSON and safetensors.
        BadFile: the weights do not fit their settings.
        OverBudget: the network is larger than this machine's memory.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise BadArchive(
            "{file} is not a zip ({reason}); import a run from its exported zip", file=path.name, reason=error
        ) from None
    try:
        with archive:
            members = _members(archive, path)
            config = _config(archive, members)
            costs.check(cost := costs.cost(config.model), "cpu")
            if sum(info.file_size for info in members.values()) > 5 * cost.parameters + SPARE_BYTES:
                raise BadArchive("{file} holds far more than its network needs; it is refused", file=path.name)
            return _unpack(archive, members, config)
    except DAMAGE as error:
        raise BadArchive("{file} is damaged ({reason})", file=path.name, reason=error) from None


def _members(archive: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    """The members by their name within the run."""
    infos = files.check_zip(archive)
    named = {info.filename: info for info in infos}
    if "config.json" not in named and len({name.split("/")[0] for name in named}) == 1:
        named = {name.partition("/")[2]: info for name, info in named.items()}  # a zip of one folder
    for name in named:
        if not _is_known(name):
            raise BadArchive(
                "{file} holds {name!r}; a run's zip holds only JSON and safetensors ({known}), "
                "since other weight files can run code when they are opened",
                file=path.name, name=name, known=", ".join(MEMBERS),
            )  # fmt: skip
    for name in NEEDED:
        if name not in named:
            raise BadArchive("{file} holds no {name}; it is not an exported run of aeviz", file=path.name, name=name)
    return named


def _is_known(name: str) -> bool:
    folder, _, file = name.rpartition("/")
    own = folder == FOLDER and file.endswith(".json") and bool(files.SAFE_NAME.fullmatch(file))
    return name in MEMBERS or own


def _config(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]) -> RunConfig:
    with archive.open(members["config.json"]) as file:
        values: dict[str, Any] = json.loads(file.read(MOST_CONFIG_BYTES))
    named = new_id(str(values["data"]["name"]), str(values["model"]["variant"]))
    return RunConfig.parse(values | {"id": named, "resolved": None})


def _unpack(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], config: RunConfig) -> Run:
    """Write the run into a hidden folder, check its weights, and only then publish it."""
    root = runs_root()
    beside = Run(root / f".import-{config.id}")
    beside.path.mkdir(parents=True, mode=0o700)
    try:
        for name, info in members.items():
            if name != "config.json":
                target = beside.path / name
                target.parent.mkdir(exist_ok=True)
                with archive.open(info) as source, open(target, "wb") as file:
                    shutil.copyfileobj(source, file, 2**20)
        position = _checked_weights(beside, config)
        for line in beside.metrics():
            MetricsLine.parse(line)
        beside.note()
        beside.write_config(config)
        stored_images.load_stored_images(beside)
        for path in (beside.path / FOLDER).glob("*"):
            check_direction(beside, path)
        epochs, message = config.training.epochs, f"Loaded on {time.strftime('%Y-%m-%d')}."
        status = jobs.Status(state="done", message=message, epoch=position.epoch, epochs=epochs, step=position.step)
        files.write_json(beside.path / "status.json", status.to_json())
        beside.path.rename(root / config.id)
    except BaseException:
        shutil.rmtree(beside.path, ignore_errors=True)
        raise
    return Run(root / config.id)


class WeightsPosition(Settings):
    """The step and epoch of the weights of an imported run."""

    epoch: int = Field(ge=0, le=10**9)
    step: int = Field(ge=0, le=10**12)
    offset: int = Field(ge=0, le=10**12)
    seconds: float = Field(ge=0.0)
    best: float | None
    since: int = Field(0, ge=0, le=10**12)
    stale: int = Field(0, ge=0, le=10**9)
    waited: int = Field(0, ge=0, le=10**9)
    slowed: float = Field(1.0, gt=0.0, le=1.0)
    mark: str = Field(max_length=64)


def _checked_weights(run: Run, config: RunConfig) -> WeightsPosition:
    """The position of weights that hold exactly this network.

    Raises:
        BadArchive, BadFile: they hold another network, or more.
    """
    model, position = load_model(run.weights)
    with safe_open(run.weights, framework="pt") as file:
        more = [name for name in file.keys() if not name.startswith("model.")]  # noqa: SIM118
    if model.config != config.model or more:
        raise BadArchive("the weights in the zip belong to a different network than its config.json describes")
    return WeightsPosition.parse(position)
