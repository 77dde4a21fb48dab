"""What is made to be taken away: by a job that can be watched and stopped, kept beside the run while it holds."""

import json
import zipfile

import pytest

from aeviz import export, jobs, results
from aeviz.__main__ import main
from aeviz.errors import Stopped
from aeviz.export import EXPORTS
from aeviz.export.page import html
from aeviz.results import MapRequest
from aeviz.runs import Note
from tests.exports import untrained

HTML = EXPORTS["html"]
FEW = MapRequest(method="pca", limit=40)
SLOW = [name for name, way in EXPORTS.items() if way.slow and way.missing() is None]
READY = [name for name, way in EXPORTS.items() if way.missing() is None]
MAPLESS = [name for name, way in EXPORTS.items() if way.shows is None]


def flat():
    """A run whose usual map takes no time."""
    return untrained({"latent_dim": 2})


def queued(run, way=HTML, request=None):
    job = export.export_job(run, way, request)
    return jobs.create(job.path.parent, job.path.name)


def files(run):
    return {path.name for path in run.results.iterdir() if path.is_file()}


@pytest.mark.parametrize("name", READY)
def test_a_job_makes_what_a_run_is_taken_away_as_and_says_what_it_is(name):
    run, way = flat(), EXPORTS[name]
    job = queued(run, way)
    assert export.stored_export(run, way) is None
    assert main(["export", run.id, "--to", name, "--job", str(job.path)]) == 0
    assert job.status().state == "done"
    assert job.status().done == job.status().total == 1
    assert export.stored_export(run, way).stat().st_size > 0


@pytest.mark.parametrize("name", SLOW)
def test_a_job_that_was_asked_to_stop_makes_nothing(name):
    run, way = flat(), EXPORTS[name]
    results.codes(run)
    before, job = files(run), queued(run, way)
    job.ask("stop")
    assert main(["export", run.id, "--to", name, "--job", str(job.path)]) != 0
    assert job.status().state == "stopped"
    assert files(run) == before
    assert export.stored_export(run, way) is None


@pytest.mark.parametrize("at", ["Computing t-SNE", "Reconstructing images", "Drawing thumbnails", "Writing the page"])
def test_a_page_that_is_stopped_leaves_nothing_half_made(at):
    run, request = untrained(), MapRequest(method="tsne", limit=60, settings={"iterations": 50})

    def stop(done, total, message=""):
        if message == at and (at != "Computing t-SNE" or done > 20):
            raise Stopped("stopped as asked")

    with pytest.raises(Stopped):
        export.store_export("html", run, stop, request)
    assert not [name for name in files(run) if "html" in name]
    kept = results.kept_map(run, request)
    assert kept is None or "stopped_at" not in kept.notes


def test_what_was_made_holds_until_note_weights_or_map_are_others():
    run = flat()
    first, said = export.store_export("html", run)
    assert said == "It shows 359 test images."
    assert export.stored_export(run, HTML) == first
    assert export.stored_export(run, HTML, MapRequest(method="pca", settings={"dims": 2})) == first, (
        "the usual map by its name"
    )
    assert export.stored_export(run, HTML, FEW) is None
    run.write_note(Note(title="Another"))
    assert export.stored_export(run, HTML) is None
    second, _ = export.store_export("html", run)
    assert export.stored_export(run, HTML) == second
    assert not first.exists()


def test_a_map_that_was_gone_on_with_is_another():
    run, request = untrained(), MapRequest(method="tsne", limit=60, settings={"iterations": 50})
    made, _ = export.store_export("html", run, request=request)
    assert export.stored_export(run, HTML, request) == made
    results.resume_map(run, request)
    assert export.stored_export(run, HTML, request) is None


def test_what_was_made_is_no_part_of_the_zip(tmp_path):
    run = flat()
    export.store_export("html", run)
    export.write_export("zip", run, tmp_path / "run.zip")
    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        assert not [name for name in archive.namelist() if "html" in name]


@pytest.mark.parametrize("name", MAPLESS)
def test_a_way_that_shows_no_map_refuses_to_be_told_one(name, capsys, tmp_path):
    out = tmp_path / "taken"
    assert main(["export", flat().id, "--to", name, "--out", str(out), "--dims", "3"]) == 2
    assert f"{name} shows no map; --method, --dims, --split, --limit and --set are for: html" in capsys.readouterr().err
    assert not out.exists()


def test_the_command_line_says_which_map_a_page_shows(capsys):
    run = untrained()
    asked = ["--method", "pca", "--dims", "3", "--split", "train", "--limit", "40"]
    assert main(["export", run.id, "--to", "html", *asked, "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["note"] == "It shows 40 train images. In 3-D nothing is decoded under the pointer."
    request = MapRequest(method="pca", split="train", limit=40, settings={"dims": 3})
    assert told["out"] == str(export.stored_export(run, HTML, request))


def test_a_page_shows_a_part_of_a_map_of_too_many_dots(monkeypatch):
    monkeypatch.setattr(html, "MOST_POINTS", 25)
    run = untrained()
    _, said = export.store_export("html", run, request=FEW)
    assert said == "It shows 25 of 40 test images."
    shown = html.gather(run, FEW, results.project(run, FEW), results.dataset_of(run), lambda *_: None)
    assert len(shown.codes.z) == len(shown.x) == len(shown.drawn.points) == 25
    whole = results.codes(run)
    assert (shown.codes.z == whole.z[[list(whole.index).index(row) for row in shown.drawn.index]]).all()
