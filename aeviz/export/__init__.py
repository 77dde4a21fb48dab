"""Ways to take a run elsewhere, by name."""

from pathlib import Path

from aeviz.errors import MissingPackage, NotNow, UnknownName
from aeviz.export.html import write_html
from aeviz.export.onnx import write_onnx
from aeviz.export.projector import write_projector
from aeviz.export.script import write_script
from aeviz.export.ways import Export
from aeviz.results.store import Report, quiet
from aeviz.runs import Run
from aeviz.runs.archive import export_run

__all__ = ["EXPORTS", "Export", "write"]


def _write_zip(run: Run, out: Path, report: Report) -> str:
    export_run(run, out)
    return ""


EXPORTS: dict[str, Export] = {
    export.name: export
    for export in (
        Export("zip", "aeviz", "Settings, curves and weights in a zip, to load in aeviz elsewhere.", ".zip", _write_zip),
        Export(
            "onnx", "ONNX", "Encoder and decoder for any runtime, checked against this one.", ".zip", write_onnx,
            needs=("onnx", "onnxscript"),
        ),
        Export(
            "projector", "TensorBoard projector", "Codes, labels and thumbnails of the test images.", ".zip",
            write_projector,
        ),
        Export("script", "Python script", "One plain file that trains this very run without aeviz.", ".py", write_script),
        Export(
            "html", "Web page", "The map with its images and the decoder in one file that opens without a network.", ".html",
            write_html,
        ),
    )
}  # fmt: skip


def write(name: str, run: Run, out: Path, report: Report = quiet) -> str:
    """Write a run to a file in the way of this name; what is worth knowing of it, in a sentence.

    Raises:
        UnknownName: there is no such way.
        NotNow: the run has learned nothing yet.
        MissingPackage: with the line that installs what is missing.
        BadFile: `out` cannot be written.
    """
    if name not in EXPORTS:
        raise UnknownName("no export is called {name!r}; there are: {known}", name=name, known=", ".join(EXPORTS))
    if not run.has_weights():
        raise NotNow("the run {id} has learned nothing yet; train it before taking it elsewhere", id=run.id)
    export = EXPORTS[name]
    if line := export.missing():
        raise MissingPackage("{label} is not installed here; install it with: {line}", label=export.label, line=line)
    return export.write(run, out, report)
