"""Maps of a run's codes: computed once, read ever after, and judged."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field, field_validator

from aeviz import files
from aeviz.config import Settings
from aeviz.jobs import Job
from aeviz.latent.project import PROJECTIONS, projection
from aeviz.latent.projection import Projection
from aeviz.latent.quality import continuity, knn_accuracy, trustworthiness
from aeviz.results.codes import codes
from aeviz.results.store import Report, Split, as_bytes, name_of, path_of, quiet, read_arrays, read_json, write_arrays
from aeviz.runs import Run


@dataclass(frozen=True)
class Map:
    """Points (N, 2|3) of a split's codes, what the method notes of them, and the seconds it took."""

    points: np.ndarray
    labels: np.ndarray
    index: np.ndarray
    notes: dict[str, Any]
    seconds: float
    projection: Projection


class MapRequest(Settings):
    """Which map of which codes."""

    method: str = "pca"
    split: Split = "test"
    limit: int | None = Field(None, ge=5, description="At most this many codes, the first of a fixed shuffle.")
    settings: dict[str, Any] = Field(default_factory=dict)

    @field_validator("method")
    @classmethod
    def _is_registered(cls, name: str) -> str:
        if name not in PROJECTIONS:
            raise ValueError(f"no projection is called {name!r}; there are: {', '.join(PROJECTIONS)}")
        return name

    def written_out(self) -> "MapRequest":
        """The same with every setting, so that equal maps have equal names.

        Raises:
            BadValue: a setting the method does not allow.
        """
        settings = projection(self.method).Settings.parse(self.settings).to_json()
        return self.model_copy(update={"settings": settings})


def kept_map(run: Run, request: MapRequest) -> Map | None:
    """A map computed before for these very weights and settings, if there is one."""
    return _read(_path(run, request, "npz"), request.written_out())


def project(run: Run, request: MapRequest, report: Report = quiet) -> Map:
    """The map of a split's codes; computed once, then read.

    Raises:
        BadValue: settings that the method or the number of codes does not allow.
    """
    request = request.written_out()
    path = _path(run, request, "npz")
    kept = _read(path, request)
    if kept is None:
        chosen = codes(run, request.split, report).first(request.limit)
        method = projection(request.method)
        fitted = method(method.Settings.parse(request.settings))
        begun = time.perf_counter()
        points = fitted.fit(chosen.z, lambda done, total, _: report(done, total, f"Computing {method.label}"))
        facts = {"notes": fitted.notes(), "seconds": time.perf_counter() - begun}
        arrays = {f"state.{name}": array for name, array in fitted.state().items()}
        arrays |= {"points": points, "labels": chosen.labels, "index": chosen.index, "facts": as_bytes(facts)}
        write_arrays(path, arrays)
        kept = _map(arrays, request)
    return kept


def quality(run: Run, request: MapRequest, report: Report = quiet) -> dict[str, Any]:
    """How far the map can be trusted: trustworthiness and continuity (k=15), 10-NN accuracy in map and codes."""
    path = _path(run, request, "json")
    kept = read_json(path)
    if kept is None:
        points = project(run, request, report).points
        chosen = codes(run, request.split).first(request.limit)
        report(0, 0, "Judging the map")
        kept = {
            "trustworthiness": trustworthiness(chosen.z, points).value,
            "continuity": continuity(chosen.z, points).value,
            "knn_map": knn_accuracy(points, chosen.labels),
            "knn_codes": knn_accuracy(chosen.z, chosen.labels),
        }
        files.write_json(path, kept)
    return kept


def kept_quality(run: Run, request: MapRequest) -> dict[str, Any] | None:
    """The map's quality, if it was judged before."""
    return read_json(_path(run, request, "json"))


def map_job(run: Run, request: MapRequest) -> Job:
    """The job that computes a map in a process of its own; it may not exist yet."""
    return Job(run.results / "jobs" / name_of(run, "map", request.written_out().to_json()))


def _path(run: Run, request: MapRequest, ending: str) -> Path:
    return path_of(run, "map", request.written_out().to_json(), ending)


def _read(path: Path, request: MapRequest) -> Map | None:
    arrays = read_arrays(path)
    return _map(arrays, request) if arrays else None


def _map(arrays: dict[str, np.ndarray], request: MapRequest) -> Map:
    method = projection(request.method)
    state = {name.removeprefix("state."): array for name, array in arrays.items() if name.startswith("state.")}
    fitted = method.from_state(method.Settings.parse(request.settings), state)
    facts = json.loads(arrays["facts"].tobytes())
    shown = {name: arrays[name] for name in ("points", "labels", "index")}
    return Map(**shown, notes=facts["notes"], seconds=facts["seconds"], projection=fitted)
