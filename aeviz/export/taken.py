"""Exports stored with the run: the latest file per format, as long as its content would be the same."""

from pathlib import Path

from aeviz import __version__
from aeviz.export.ways import Export
from aeviz.jobs import Job
from aeviz.results import MapRequest, map_time
from aeviz.results.store import name_of, path_of
from aeviz.runs import Run


def taken(run: Run, way: Export, request: MapRequest | None = None) -> Path | None:
    """The stored file for the current weights, note and map, or None.

    Raises:
        NotNow: the run has no weights yet.
        BadValue: the map's settings are not allowed.
    """
    path, shown = place_of(run, way, request), _shown(run, way, request)
    if not path.exists() or (shown and path.stat().st_mtime < map_time(run, shown)):
        return None  # a map that was continued has other points under the same name
    return path


def taking_job(run: Run, way: Export, request: MapRequest | None = None) -> Job:
    """The job that writes the file in the background; it may not exist yet.

    Raises:
        NotNow, BadValue: as `taken`.
    """
    return Job(run.results / "jobs" / name_of(run, way.name, _content(run, way, request)))


def place_of(run: Run, way: Export, request: MapRequest | None) -> Path:
    """Where the file is stored."""
    return path_of(run, way.name, _content(run, way, request), way.ending[1:])


def drop_others(run: Run, way: Export, path: Path) -> None:
    """Delete the format's other files."""
    for other in run.results.glob(f"{way.name}-*{way.ending}"):
        if other != path:
            other.unlink(missing_ok=True)


def _content(run: Run, way: Export, request: MapRequest | None) -> dict[str, object]:
    """What the file depends on besides weights and images."""
    shown = _shown(run, way, request)
    return {"aeviz": __version__, "note": run.note().to_json(), "map": shown.written_out().to_json() if shown else None}


def _shown(run: Run, way: Export, request: MapRequest | None) -> MapRequest | None:
    return request or (way.shows(run) if way.shows else None)
