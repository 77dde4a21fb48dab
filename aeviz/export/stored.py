"""Exports stored with the run: the latest file per format, as long as its content would be the same."""

from pathlib import Path

from aeviz import __version__
from aeviz.export.base import Export
from aeviz.jobs import Job
from aeviz.results import MapRequest, map_time
from aeviz.results.store import name_of, path_of
from aeviz.runs import Run


def stored_export(run: Run, export: Export, request: MapRequest | None = None) -> Path | None:
    """The stored file for the current weights, note and map, or None.

    Raises:
        NotNow: the run has no weights yet.
        BadValue: the map's settings are not allowed.
    """
    path, shown = stored_path(run, export, request), _shown(run, export, request)
    if not path.exists() or (shown and path.stat().st_mtime < map_time(run, shown)):
        return None  # a map that was continued has other points under the same name
    return path


def export_job(run: Run, export: Export, request: MapRequest | None = None) -> Job:
    """The job that writes the file in the background; it may not exist yet.

    Raises:
        NotNow, BadValue: as `stored_export`.
    """
    return Job(run.results / "jobs" / name_of(run, export.name, _content(run, export, request)))


def stored_path(run: Run, export: Export, request: MapRequest | None) -> Path:
    """Where the file is stored."""
    return path_of(run, export.name, _content(run, export, request), export.ending[1:])


def remove_others(run: Run, export: Export, path: Path) -> None:
    """Delete the format's other files."""
    for other in run.results.glob(f"{export.name}-*{export.ending}"):
        if other != path:
            other.unlink(missing_ok=True)


def _content(run: Run, export: Export, request: MapRequest | None) -> dict[str, object]:
    """What the file depends on besides weights and images."""
    shown = _shown(run, export, request)
    return {"aeviz": __version__, "note": run.note().to_json(), "map": shown.written_out().to_json() if shown else None}


def _shown(run: Run, export: Export, request: MapRequest | None) -> MapRequest | None:
    return request or (export.shows(run) if export.shows else None)
