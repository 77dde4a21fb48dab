"""On the pages Runs and Map: a run is taken away by a job that is offered, watched, cancelled and fetched."""

import io
import zipfile
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from aeviz import data, export, files, jobs
from aeviz.errors import MissingData
from aeviz.export import EXPORTS
from aeviz.jobs import Status
from aeviz.results import MapRequest
from aeviz.runs import stored_images
from aeviz.ui.components.export_jobs import packed
from tests.exports import untrained
from tests.test_pages import open_page

pytestmark = pytest.mark.usefixtures("clear_caches")

HTML = EXPORTS["html"]
SOLID = MapRequest(method="pca", settings={"dims": 3})


@pytest.fixture
def run():
    return untrained({"latent_dim": 4})


def opened(page: str, key: str) -> AppTest:
    """A page with its way to take things along open."""
    app = open_page(page)
    app.session_state[key] = True
    return app.run()


def taking(page: str, run) -> AppTest:
    return opened(page, f"take.{run.id}" if page == "runs" else "take.map")


def downloads(app: AppTest) -> dict[str, str]:
    """What can be downloaded at once, by the end of its key."""
    return {each.proto.id.rpartition("download.")[2]: each.proto.label for each in app.get("download_button")}


def keys(app: AppTest) -> set[str]:
    return {str(button.key) for button in app.button}


def said(app: AppTest) -> str:
    return " ".join(each.value for each in [*app.markdown, *app.caption, *app.error])


def ended(run, request, **status):
    job = export.export_job(run, HTML, request)
    job = jobs.create(job.path.parent, job.path.name)
    files.write_json(job.path / "status.json", Status(**status).to_json())


def test_every_way_out_is_offered_with_one_action(run):
    app = taking("runs", run)
    assert not app.exception
    for name, way in EXPORTS.items():
        assert f"**{way.label}**" in said(app)
        assert way.help in said(app)
        assert (f"make.{name}" in keys(app)) != (name in downloads(app))
        assert (name in downloads(app)) != way.slow


@pytest.mark.parametrize(("page", "which"), [("runs", []), ("map", ["--method", "pca", "--split", "test"])])
def test_a_click_has_it_made_by_a_process_that_can_be_cancelled(page, which, run, started):
    app = taking(page, run)
    app.button(key="make.html").click().run()
    assert not app.exception
    request = MapRequest(method="pca") if page == "map" else None
    job = export.export_job(run, HTML, request)
    assert started == [("export", run.id, "--to", "html", *which, "--job", str(job.path))]
    assert "make.html" not in keys(app)
    app.button(key="cancel.html").click().run()
    assert not app.exception
    assert [line["ask"] for line in files.read_lines(job.path / "control.jsonl")[0]] == ["stop"]


@pytest.mark.parametrize(("page", "request_"), [("runs", None), ("map", MapRequest(method="pca"))])
def test_what_was_made_is_downloaded_at_once(page, request_, run):
    export.store_export("html", run, request=request_ or HTML.shows(run))
    ended(run, request_, state="done", message="It shows 359 test images.")
    app = taking(page, run)
    assert downloads(app)["html"].startswith("Download (")
    assert downloads(app)["html"].endswith(" MB)")
    assert "It shows 359 test images." in said(app)
    assert "make.html" not in keys(app)


@pytest.mark.parametrize("page", ["runs", "map"])
def test_a_failure_is_said_where_it_was_asked_for_and_can_be_tried_again(page, run):
    why = str(MissingData("the images of this run are not here"))
    ended(run, MapRequest(method="pca") if page == "map" else None, state="failed", message=why)
    app = taking(page, run)
    assert [error.value for error in app.error] == ["The images of this run are not here"]
    assert "make.html" in keys(app)
    assert "html" not in downloads(app)


def test_a_cancelled_one_says_so_and_can_be_made_again(run):
    ended(run, None, state="stopped", message="Stopped.")
    app = taking("runs", run)
    assert "Cancelled. Nothing was saved." in said(app)
    assert "make.html" in keys(app)
    assert not app.error


def test_a_way_that_lacks_a_package_says_what_installs_it(run, monkeypatch):
    monkeypatch.setitem(EXPORTS, "onnx", replace(EXPORTS["onnx"], needs=("not_there_at_all",)))
    app = taking("runs", run)
    assert app.button(key="make.onnx").disabled
    assert "python -m pip install not_there_at_all" in said(app)


def test_of_a_map_in_three_dimensions_the_page_says_that_nothing_is_decoded(run):
    app = taking("map", run)
    assert "3-D exports cannot decode images" not in said(app)
    app.session_state["map.dims"] = 3
    app.run()
    assert not app.exception
    assert "3-D exports cannot decode images" in said(app)
    assert "make.html" in keys(app)


def test_a_run_whose_images_are_gone_is_packed_without_them(run, monkeypatch):
    def gone(*_):
        raise MissingData("the digits are gone")

    monkeypatch.setattr("aeviz.data.load", gone)
    app = taking("runs", run)
    assert not app.exception
    assert app.toggle(key="with_images").disabled
    assert downloads(app)["zip"] == "Download"


def test_images_that_came_with_a_run_travel_on_as_they_are(run, monkeypatch):
    def gone(*_):
        raise MissingData("the digits are gone")

    stored_images.store_images(run, data.load("digits"))
    before = (run.path / stored_images.NAME).read_bytes()
    monkeypatch.setattr("aeviz.data.load", gone)
    with zipfile.ZipFile(io.BytesIO(packed(run, with_images=True))) as archive:
        assert archive.read(f"{run.id}/{stored_images.NAME}") == before
    with zipfile.ZipFile(io.BytesIO(packed(run, with_images=False))) as archive:
        assert f"{run.id}/{stored_images.NAME}" not in archive.namelist()
