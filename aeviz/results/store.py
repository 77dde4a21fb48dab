"""Results on disk, named by the weights and parameters they come from; any of them may be deleted any time."""

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np

from aeviz import data, files
from aeviz.models.weights import read_metadata
from aeviz.runs import Run
from aeviz.runs.stored_images import has_stored_images

Split = Literal["train", "val", "test"]
Report = Callable[[float, float, str], None]


def quiet(done: float, total: float, message: str = "") -> None:
    """The report of whoever does not want to know."""


def name_of(run: Run, kind: str, parameters: dict[str, Any]) -> str:
    """A short name for the result of the present weights and these parameters.

    Raises:
        NotNow: the run has learned nothing yet.
    """
    mark = run.weights_id()
    further = ({"images": "kept"} if _by_kept_images(run) else {}) | ({"told": "classes"} if _is_told(run) else {})
    asked = json.dumps(parameters | further, sort_keys=True)
    return f"{kind}-{hashlib.sha256(f'{mark} {asked}'.encode()).hexdigest()[:20]}"


def _is_told(run: Run) -> bool:
    """Whether the network is told classes; earlier results of such a one were computed without."""
    return bool(read_metadata(run.weights)["model"].get("n_classes"))


def _by_kept_images(run: Run) -> bool:
    """Whether results come from the images that travelled with the run; they are not those of the set itself."""
    if not has_stored_images(run):
        return False
    name = run.config().data.name
    info = data.info(name)
    return not (info and info.ready)


def path_of(run: Run, kind: str, parameters: dict[str, Any], ending: str) -> Path:
    """Where that result is kept."""
    run.results.mkdir(exist_ok=True, mode=0o700)
    return run.results / f"{name_of(run, kind, parameters)}.{ending}"


def write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Replace an .npz file."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    files.write_bytes(path, buffer.getvalue())


def read_arrays(path: Path) -> dict[str, np.ndarray] | None:
    """The arrays of an .npz file, of which nothing is unpickled; None where there is none that can be read."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            return {name: kept[name] for name in kept.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error):
        return None  # absent or damaged: results are computed anew


@files.cached_by_stat(most=6)
def _kept_arrays(path: Path) -> dict[str, np.ndarray] | None:
    arrays = read_arrays(path)
    for array in (arrays or {}).values():
        array.flags.writeable = False
    return arrays


def shared_arrays(path: Path) -> dict[str, np.ndarray] | None:
    """As `read_arrays`, of what is asked for again and again: read once for all, and not to be written to."""
    arrays = _kept_arrays(path)
    return arrays and dict(arrays)


def read_json(path: Path) -> Any:
    """A kept JSON value, None where there is none that can be read."""
    try:
        return files.read_json(path)
    except ValueError:
        return None


def as_bytes(value: Any) -> np.ndarray:
    """A JSON value as an array, to stand beside others in an .npz."""
    return np.frombuffer(json.dumps(value).encode(), dtype=np.uint8)
