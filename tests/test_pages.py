"""Every page, empty and in use, without a browser."""

import json
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from aeviz import jobs, results, training
from aeviz.training import Recipe
from aeviz.ui.components.map.link import view_of
from aeviz.ui.menu import MENU

pytestmark = pytest.mark.usefixtures("clear_caches")

MAIN = str(Path(__file__).resolve().parent.parent / "aeviz" / "ui" / "main.py")


def open_page(name: str) -> AppTest:
    app = AppTest.from_file(MAIN, default_timeout=180).run()
    return app.switch_page(f"../../pages/{name}.py").run()


@pytest.fixture
def run():
    """A run that has learned a little about the digits."""
    made = training.prepare(
        Recipe.parse(
            {
                "model": {"variant": "vae", "latent_dim": 3, "body": {"name": "dense", "widths": [16]}},
                "training": {"epochs": 2, "device": "cpu"},
            }
        )
    )
    with jobs.hold_job(made) as worker:
        training.work(made, worker)
    return made


@pytest.mark.parametrize("name", MENU)
def test_every_page_says_what_to_do_when_there_is_nothing(name):
    app = open_page(name)
    assert not app.exception
    assert not app.error
    assert app.title[0].value == MENU[name].title
    assert app.button or app.file_uploader


@pytest.mark.parametrize("name", MENU)
def test_every_page_works_with_a_run(name, run):
    app = open_page(name)
    assert not app.exception
    assert not app.error
    assert app.sidebar.selectbox[0].value == run.id


def test_the_app_starts_at_its_front_door():
    app = AppTest.from_file(str(Path(MAIN).parents[2] / "app.py"), default_timeout=180).run()
    assert not app.exception
    assert app.title[0].value == "Home"


def test_the_address_chooses_the_run_and_nonsense_in_it_does_not(run):
    for asked, chosen in ((run.id, run.id), ("../../etc", run.id), ("<script>", run.id)):
        app = AppTest.from_file(MAIN, default_timeout=180)
        app.query_params["run"] = asked
        app.run()
        assert not app.exception
        assert app.sidebar.selectbox[0].value == chosen


def test_the_form_becomes_a_run_of_just_these_settings(monkeypatch):
    launched = []
    monkeypatch.setattr(training, "launch", lambda run, start: launched.append(run))
    app = open_page("train")
    app.selectbox(key="train.variant").select("beta_vae").run()
    app.number_input(key="train.beta_vae.beta").set_value(2.5)
    app.number_input(key="train.latent_dim").set_value(5)
    app.text_input(key="train.dense.widths").set_value("64, 16").run()
    app.button(key="train").click().run()
    assert not app.exception
    config = launched[0].config()
    assert config.model.to_json() | {"beta": 2.5, "latent_dim": 5, "variant": "beta_vae"} == config.model.to_json()
    assert config.model.body.widths == (64, 16)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("train.dense.widths", "64, x", "widths.1 = 'x'"),
        ("train.dense.widths", "0", "widths"),
        ("train.dense.widths", "9000", "9000"),
    ],
)
def test_a_bad_setting_is_said_at_once_and_starts_nothing(key, value, said, tmp_path):
    app = open_page("train")
    app.text_input(key=key).set_value(value).run()
    assert not app.exception
    assert said in app.error[0].value.replace("\\", "")
    assert not list((tmp_path / "runs").glob("2*"))


def test_a_network_over_the_budget_is_refused_on_the_spot(monkeypatch):
    monkeypatch.setattr("aeviz.models.costs.free_memory", lambda device: 1000)
    app = open_page("train")
    assert "fewer or narrower layers" in app.error[0].value
    assert not app.exception


def test_the_map_is_coloured_by_label_and_by_error_and_judged(run):
    results.quality(run, results.MapRequest(settings={"dims": 2}))
    app = open_page("map")
    assert app.selectbox(key="map.colour").options[:3] == ["Label", "Reconstruction error", "Latent dimension"]
    app.selectbox(key="map.colour").set_value("error").run()
    assert not app.exception
    said = " ".join(caption.value for caption in app.caption)
    assert all(name in said for name in ("Points", "Variance shown", "Trustworthiness"))


def test_a_tsne_of_other_settings_waits_to_be_asked_for(run):
    app = open_page("map")
    app.session_state["map.tsne.perplexity"] = 12.0
    app.selectbox(key="map.method").set_value("tsne").run()
    assert app.button(key="map.draw")
    results.project(run, results.MapRequest(method="tsne", settings={"dims": 2, "perplexity": 12.0}))
    app.run()
    assert not [button for button in app.button if button.key == "map.draw"]
    assert not app.exception


def test_a_map_that_cannot_be_made_says_so_and_leaves_the_last_one(run):
    app = open_page("map")
    app.session_state["map.tsne.perplexity"] = 200.0
    app.session_state["map.split"] = "test"
    app.selectbox(key="map.method").set_value("umap").run()
    if app.error:
        assert "pip install" in app.error[0].value
        assert app.get("bidi_component"), "the last map still stands"
    app.selectbox(key="map.method").set_value("custom").run()
    assert not app.exception
    assert "direction" in app.error[0].value
    assert app.get("bidi_component")


@pytest.mark.parametrize(
    "link",
    [
        "", "x", "[]", '{"method": 3}', '{"method": "lda", "split": "<b>", "colour": 7, "view": 3}',
        '{"method": "pca", "colour": "none", "split": "none", "show": "none", "names": "x", "grid": 3}',
        '{"method": "custom", "settings": {"directions": [[1, 2]]}, "paint": {"d": -5}, "colour": "dimension"}',
    ],
)  # fmt: skip
def test_a_link_that_nobody_wrote_harms_nothing(run, link):
    app = AppTest.from_file(MAIN, default_timeout=180)
    app.query_params["map"] = link
    app.run().switch_page("../../pages/map.py").run()
    assert not app.exception


def open_link(**link):
    app = AppTest.from_file(MAIN, default_timeout=180)
    app.query_params["map"] = json.dumps(link)
    return app.run().switch_page("../../pages/map.py").run()


def test_a_link_brings_the_axes_and_the_colours_settings(run):
    axes = [np.eye(run.config().model.latent_dim)[0].tolist(), np.eye(run.config().model.latent_dim)[1].tolist()]
    app = open_link(method="custom", settings={"dims": 2, "directions": axes}, colour="kmeans", paint={"k": 7})
    assert not app.exception
    assert app.multiselect(key="map.axes").value == ["From the link, 1", "From the link, 2"]
    assert app.get("bidi_component")
    assert app.session_state["map.colour.kmeans.k"] == 7


def test_a_links_view_is_of_its_own_map_only(run):
    pca, lda = results.MapRequest(method="pca", settings={"dims": 2}), results.MapRequest(method="lda")
    link = {"method": "pca", "split": "test", "settings": {"dims": 2}, "view": {"x": [0, 1], "y": [0, 1]}}
    assert view_of(link, pca) == {"x": [0, 1], "y": [0, 1]}
    assert view_of(link, lda) is None
    assert view_of(link | {"split": "train"}, pca) is None
    assert view_of(link | {"settings": {"x": 3}}, pca) is None
    assert view_of(link | {"settings": {"x": "?"}}, pca) is None
    assert view_of(None, pca) is None


def test_a_tsne_that_cannot_be_made_leaves_the_last_map(run):
    app = open_page("map")
    app.session_state["map.tsne.perplexity"] = 150.0
    app.selectbox(key="map.method").set_value("tsne").run()
    assert app.button(key="map.draw")
    assert app.get("bidi_component")
    assert any("the last map, by PCA" in caption.value for caption in app.caption)


def test_a_number_of_five_thousand_digits_is_nobodys(run):
    app = open_page("map")
    app.text_input(key="map.find").set_value("#" + 5000 * "9").run()
    assert not app.exception


def test_a_map_that_was_gone_on_with_is_judged_anew(run, monkeypatch):
    request = results.MapRequest(method="tsne", settings={"dims": 2})
    results.project(run, request)
    job = results.quality_job(run, request)
    jobs.create(job.path.parent, job.path.name)
    with jobs.hold_job(job) as worker:
        worker.report(state="done")
    app, begun = open_page("map"), []
    monkeypatch.setattr("aeviz.ui.components.map.canvas.JUDGED_AT_ONCE", 0)
    monkeypatch.setattr("aeviz.jobs.start", lambda job, *line: begun.append(line[0]))
    app.selectbox(key="map.method").set_value("tsne").run()
    assert not app.exception
    assert begun == ["project"]


def test_a_run_whose_images_are_gone_says_so(run, monkeypatch):
    from aeviz.errors import MissingData

    def gone(*_):
        raise MissingData("the digits are gone")

    results.project(run, results.MapRequest(method="pca", settings={"dims": 2}))
    monkeypatch.setattr("aeviz.data.load", gone)
    for name in ("map", "walk", "reconstruct", "runs"):
        app = open_page(name)
        assert not app.exception
        assert name == "runs" or any("not here" in caption.value for caption in app.caption)
    app = open_page("map")
    assert not app.error, "the kept map is still shown"
    assert app.get("bidi_component")
