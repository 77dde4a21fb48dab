"""Cache of results on disk, named by weights and parameters; any file may be deleted at any time."""

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from aeviz import data, files
from aeviz.models.weights import read_metadata
from aeviz.runs import Run
from aeviz.runs.stored_images import has_stored_images

Report = Callable[[float, float, str], None]


def quiet(done: float, total: float, message: str = "") -> None:
    """A report that does nothing."""


def name_of(run: Run, kind: str, parameters: dict[str, Any]) -> str:
    """A short name for the result of the current weights and these parameters.

    Raises:
        NotNow: the run has no weights yet.
    """
    mark = run.weights_id()
    further = ({"images": "kept"} if _by_kept_images(run) else {}) | (
        {"told": "classes"} if _is_conditional(run) else {}
    )
    key = json.dumps(parameters | further, sort_keys=True)
    return f"{kind}-{hashlib.sha256(f'{mark} {key}'.encode()).hexdigest()[:20]}"


def _is_conditional(run: Run) -> bool:
    """Whether the network is conditional; its older results were computed without classes and need other names."""
    return bool(read_metadata(run.weights)["model"].get("n_classes"))


def _by_kept_images(run: Run) -> bool:
    """Whether results come from the images stored with the run rather than from the data set."""
    if not has_stored_images(run):
        return False
    name = run.config().data.name
    info = data.info(name)
    return not (info and info.ready)


def path_of(run: Run, kind: str, parameters: dict[str, Any], ending: str) -> Path:
    """The path of a cached result."""
    run.results.mkdir(exist_ok=True, mode=0o700)
    return run.results / f"{name_of(run, kind, parameters)}.{ending}"


def write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays to an .npz file, replacing it."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    files.write_bytes(path, buffer.getvalue())


def read_arrays(path: Path) -> dict[str, np.ndarray] | None:
    """Read the arrays of an .npz file without pickle; None if it is missing or unreadable."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            return {name: kept[name] for name in kept.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error):
        return None  # missing or damaged: the result is recomputed


@files.cached_by_stat(most=6)
def _kept_arrays(path: Path) -> dict[str, np.ndarray] | None:
    arrays = read_arrays(path)
    for array in (arrays or {}).values():
        array.flags.writeable = False
    return arrays


def shared_arrays(path: Path) -> dict[str, np.ndarray] | None:
    """Like `read_arrays`, with an in-memory cache for frequent use; the arrays are read-only."""
    arrays = _kept_arrays(path)
    return arrays and dict(arrays)


def read_json(path: Path) -> Any:
    """Read a cached JSON value; None if it is missing or unreadable."""
    try:
        return files.read_json(path)
    except ValueError:
        return None


def as_bytes(value: Any) -> np.ndarray:
    """Encode a JSON value as a uint8 array for an .npz file."""
    return np.frombuffer(json.dumps(value).encode(), dtype=np.uint8)
