"""Maps of a run's codes: fitting, caching and quality."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field, field_validator

from aeviz import files
from aeviz.config import Settings
from aeviz.data.splits import Split
from aeviz.errors import Stopped
from aeviz.jobs import Job
from aeviz.latent.projections.base import OnStep, Projection
from aeviz.latent.projections.register import PROJECTIONS, projection
from aeviz.latent.quality.trustworthiness import MAX_ROWS, continuity, knn_accuracy, trustworthiness
from aeviz.results.codes import codes
from aeviz.results.maps.frames import Frame, FrameFile, OnFrame, Watcher, ignore_frame
from aeviz.results.store import Report, as_bytes, name_of, path_of, quiet, read_json, shared_arrays, write_arrays
from aeviz.runs import Run


@dataclass(frozen=True)
class Map:
    """Points (N, 2|3) of a split's codes, the method's notes, and the fitting time in seconds.

    `notes["stopped_at"]` is the iteration at which the user stopped the fit, if they did.
    """

    points: np.ndarray
    labels: np.ndarray
    index: np.ndarray
    notes: dict[str, Any]
    seconds: float
    projection: Projection


class MapRequest(Settings):
    """A projection method with settings, and the codes to map."""

    method: str = "pca"
    split: Split = "test"
    limit: int | None = Field(None, ge=5, description="Maximum number of codes, the first of a fixed shuffle.")
    settings: dict[str, Any] = Field(default_factory=dict)

    @field_validator("method")
    @classmethod
    def _is_registered(cls, name: str) -> str:
        if name not in PROJECTIONS:
            raise ValueError(f"no projection is called {name!r}; there are: {', '.join(PROJECTIONS)}")
        return name

    def written_out(self) -> "MapRequest":
        """Fill in all settings, so that equal maps have equal names.

        Raises:
            BadValue: an invalid setting.
        """
        settings = projection(self.method).Settings.parse(self.settings).to_json()
        return self.model_copy(update={"settings": settings})

    def options(self) -> list[str]:
        """Options of `python -m aeviz project RUN` for this map, defaults left out."""
        method = projection(self.method)
        chosen, defaults = method.Settings.parse(self.settings).to_json(), method.Settings().to_json()
        options = ["--method", self.method, "--split", self.split]
        options += ["--limit", str(self.limit)] if self.limit else []
        for name, value in chosen.items():
            options += ["--set", f"{name}={json.dumps(value)}"] if value != defaults[name] else []
        return options


def kept_map(run: Run, request: MapRequest) -> Map | None:
    """The cached map for the current weights and these settings, if any."""
    return _read(_path(run, request, "npz"), request.written_out())


def lowered_from(drawn: Map, request: MapRequest) -> float | None:
    """The requested perplexity of a t-SNE map, if it was lowered because there are few codes."""
    used, requested = drawn.notes.get("perplexity"), request.written_out().settings.get("perplexity")
    return requested if used is not None and used < requested else None


def map_time(run: Run, request: MapRequest) -> float:
    """When the cached map was computed or last resumed (Unix time in seconds); 0 if there is none."""
    try:
        return _path(run, request, "npz").stat().st_mtime
    except FileNotFoundError:
        return 0.0


def project(run: Run, request: MapRequest, report: Report = quiet, on_frame: OnFrame = ignore_frame) -> Map:
    """Fit the map of a split's codes, or read it from the cache.

    Raises:
        BadValue: settings invalid for the method, the number of codes or their labels.
        MissingPackage: a required package is not installed.
        Stopped: the report stopped the fit; an iterative method saves its points so far.
    """
    kept = kept_map(run, request)
    if kept is not None:
        return kept
    method = projection(request.method)
    method.check_installed()
    chosen = codes(run, request.split, report).first(request.limit)
    fitted = method(method.Settings.parse(request.settings))
    watcher = Watcher(method.label, report, on_frame)
    drawn = Map(np.empty((0, 2)), chosen.labels, chosen.index, {}, 0.0, fitted)
    return _fit(run, request, drawn, lambda on_step: fitted.fit(chosen.z, on_step, chosen.labels), watcher)


def resume_map(run: Run, request: MapRequest, report: Report = quiet, on_frame: OnFrame = ignore_frame) -> Map:
    """Resume a map: run the remaining iterations, or as many again; start it if there is none.

    Raises:
        NotNow: the method does not iterate.
        Stopped: the report stopped the fit; the points so far are saved.
    """
    kept = kept_map(run, request)
    if kept is None:
        return project(run, request, report, on_frame)
    watcher = Watcher(kept.projection.label, report, on_frame)
    return _fit(run, request, kept, kept.projection.resume, watcher)


def drop_map(run: Run, request: MapRequest) -> None:
    """Delete a cached map, if any."""
    _path(run, request, "npz").unlink(missing_ok=True)


def quality(run: Run, request: MapRequest, report: Report = quiet) -> dict[str, Any]:
    """Quality of a map: trustworthiness and continuity (k = 15), 10-NN accuracy on map and codes; cached.

    All use the same points: `judged` is their number, a fixed sample of 10,000 if there are more.
    """
    path = _path(run, request, "json")
    kept = read_json(path)
    if kept is None:
        drawn = project(run, request, report)
        rows = np.sort(np.random.default_rng(0).permutation(len(drawn.points))[:MAX_ROWS])
        points, labels = drawn.points[rows], drawn.labels[rows]
        z = codes(run, request.split).first(request.limit).z[rows]
        measures: dict[str, Callable[[], float | None]] = {
            "trustworthiness": lambda: trustworthiness(z, points).value,
            "continuity": lambda: continuity(z, points).value,
            "knn_map": lambda: knn_accuracy(points, labels),
            "knn_codes": lambda: knn_accuracy(z, labels),
        }
        kept = {"judged": len(rows)}
        for number, (name, measure) in enumerate(measures.items()):
            report(number, len(measures), "Measuring map quality")
            kept[name] = measure()
        files.write_json(path, kept)
    return kept


def kept_quality(run: Run, request: MapRequest) -> dict[str, Any] | None:
    """The cached quality of a map; None if not computed yet."""
    return read_json(_path(run, request, "json"))


def map_job(run: Run, request: MapRequest) -> Job:
    """The background job that fits a map; it may not exist yet."""
    return Job(run.results / "jobs" / name_of(run, "map", request.written_out().to_json()))


def quality_job(run: Run, request: MapRequest) -> Job:
    """The background job that measures a map's quality; it may not exist yet."""
    return Job(run.results / "jobs" / name_of(run, "quality", request.written_out().to_json()))


def map_frame(run: Run, request: MapRequest) -> Frame | None:
    """The latest frame of the job that fits a map; None if there is none yet."""
    return FrameFile(map_job(run, request).path).read()


def drop_frame(run: Run, request: MapRequest) -> None:
    """Delete the frame of an earlier attempt before a map is fitted again."""
    FrameFile(map_job(run, request).path).drop()


def _fit(run: Run, request: MapRequest, before: Map, work: Callable[[OnStep], np.ndarray], on_step: OnStep) -> Map:
    """Run the projection's fit and save the map, even if the user stops it midway."""
    started, fitted = time.perf_counter(), before.projection

    def keep(points: np.ndarray) -> Map:
        seconds = before.seconds + time.perf_counter() - started
        arrays = {f"state.{name}": array for name, array in fitted.state().items()}
        arrays |= {"points": points, "labels": before.labels, "index": before.index}
        facts = {"notes": fitted.notes(), "seconds": seconds}
        write_arrays(_path(run, request, "npz"), arrays | {"facts": as_bytes(facts)})
        _path(run, request, "json").unlink(missing_ok=True)  # the quality of the previous points
        return Map(points, before.labels, before.index, fitted.notes(), seconds, fitted)

    try:
        return keep(work(on_step))
    except Stopped:
        points = fitted.so_far()
        if points is not None:
            keep(points)
        raise


def _path(run: Run, request: MapRequest, ending: str) -> Path:
    return path_of(run, "map", request.written_out().to_json(), ending)


def _read(path: Path, request: MapRequest) -> Map | None:
    arrays = shared_arrays(path)
    try:
        return _map(arrays, request) if arrays else None
    except KeyError:
        return None  # from an older aeviz that stored less: recompute


def _map(arrays: dict[str, np.ndarray], request: MapRequest) -> Map:
    method = projection(request.method)
    state = {name.removeprefix("state."): array for name, array in arrays.items() if name.startswith("state.")}
    fitted = method.from_state(method.Settings.parse(request.settings), state)
    facts = json.loads(arrays["facts"].tobytes())
    shown = {name: arrays[name] for name in ("points", "labels", "index")}
    return Map(**shown, notes=facts["notes"], seconds=facts["seconds"], projection=fitted)
