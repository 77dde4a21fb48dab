"""Exports of a run, by name."""

from pathlib import Path

from aeviz.errors import BadValue, MissingPackage, NotNow, UnknownName
from aeviz.export.base import Export
from aeviz.export.onnx import write_onnx
from aeviz.export.page.html import default_map, write_html
from aeviz.export.projector import write_projector
from aeviz.export.script.script import write_script
from aeviz.export.stored import export_job, remove_others, stored_export, stored_path
from aeviz.results import MapRequest
from aeviz.results.store import Report, quiet
from aeviz.runs import Run
from aeviz.runs.archive import export_run

__all__ = ["EXPORTS", "Export", "export_job", "store_export", "stored_export", "write_export"]


def _write_zip(run: Run, out: Path, report: Report) -> str:
    export_run(run, out)
    return ""


EXPORTS: dict[str, Export] = {
    export.name: export
    for export in (
        Export(
            "zip", "aeviz", "Settings, curves and weights in a zip, to load in aeviz elsewhere.", ".zip", _write_zip,
            slow=False,
        ),
        Export(
            "onnx", "ONNX", "Encoder and decoder for any runtime, checked against PyTorch.", ".zip", write_onnx,
            needs=("onnx", "onnxscript"),
        ),
        Export(
            "projector", "TensorBoard projector", "Codes, labels and thumbnails of the test images.", ".zip",
            write_projector,
        ),
        Export(
            "script", "Python script", "One plain file that trains this run without aeviz.", ".py", write_script,
            slow=False,
        ),
        Export(
            "html", "Web page", "The map with its images and the decoder in one file that opens without a network.", ".html",
            write_html, shows=default_map,
        ),
    )
}  # fmt: skip


def write_export(name: str, run: Run, out: Path, report: Report = quiet, request: MapRequest | None = None) -> str:
    """Write a run to a file in the named format; return what is worth knowing about it, as a sentence.

    Raises:
        UnknownName: there is no such export.
        BadValue: a map is requested, but the export shows none.
        NotNow: the run has no weights yet.
        MissingPackage: a package is missing; the message has the command that installs it.
        BadFile: `out` cannot be written.
    """
    return _write(_find(name, run, request), run, out, report, request)


def store_export(name: str, run: Run, report: Report = quiet, request: MapRequest | None = None) -> tuple[Path, str]:
    """Write the file that is stored with the run and remove the previous one; return its path and a note about it.

    Raises:
        UnknownName, BadValue, NotNow, MissingPackage, BadFile: as `write_export`.
    """
    export = _find(name, run, request)
    out = stored_path(run, export, request)
    note = _write(export, run, out, report, request)
    remove_others(run, export, out)
    return out, note


def _find(name: str, run: Run, request: MapRequest | None) -> Export:
    """The export of this name, if the run can be exported so."""
    if name not in EXPORTS:
        raise UnknownName("no export is called {name!r}; there are: {known}", name=name, known=", ".join(EXPORTS))
    export = EXPORTS[name]
    if request is not None and export.shows is None:
        raise BadValue(
            "{name} shows no map; --method, --dims, --split, --limit and --set are for: {known}",
            name=name, known=", ".join(each.name for each in EXPORTS.values() if each.shows),
        )  # fmt: skip
    if not run.has_weights():
        raise NotNow("the run {id} has no weights yet; train it before exporting it", id=run.id)
    if line := export.missing():
        raise MissingPackage("{label} is not installed; install it with: {line}", label=export.label, line=line)
    return export


def _write(export: Export, run: Run, out: Path, report: Report, request: MapRequest | None) -> str:
    return export.write(run, out, report) if request is None else export.write(run, out, report, request)
