"""The pages Walk and Generate, empty and in use, and what one takes along from them."""

import csv
import io

import numpy as np
import pytest
from PIL import Image

from aeviz import data, results
from aeviz.data.importing.imports import ImportSettings
from aeviz.runs.directions import list_directions
from aeviz.ui.components import export_buttons
from aeviz.ui.components.generate.views import GENERATED
from aeviz.ui.components.posters import INK, Row, poster
from aeviz.ui.components.walk.views import WALKS
from tests.making import small
from tests.test_pages import open_page

pytestmark = pytest.mark.usefixtures("clear_caches")
VIEWS = [("walk", name) for name in WALKS] + [("generate", name) for name in GENERATED]


@pytest.fixture
def run():
    return small()


def view_of(page, name):
    app = open_page(page)
    return app.segmented_control(key=f"{page}.view").set_value(name).run()


def said(app):
    return " ".join(element.value for element in [*app.info, *app.error, *app.caption]).replace("\\", "")


@pytest.mark.parametrize(("page", "name"), VIEWS)
def test_every_view_works(page, name, run):
    app = view_of(page, name)
    assert not app.exception
    assert not app.error
    assert not app.info, "nothing is missing"


@pytest.mark.parametrize(("page", "name"), VIEWS)
def test_every_view_says_what_is_missing_where_the_images_are_gone(page, name, run, monkeypatch):
    from aeviz.errors import MissingData

    def gone(*_):
        raise MissingData("the digits are gone")

    monkeypatch.setattr("aeviz.data.load", gone)
    app = view_of(page, name)
    assert not app.exception
    assert "here" in said(app)


def test_a_page_for_codes_of_two_needs_no_axes(run):
    small(variant="autoencoder", latent_dim=2)
    app = view_of("generate", "manifold")
    assert not app.exception
    assert [box.label for box in app.selectbox] == ["Run"]


def test_roads_lead_through_as_many_images_as_one_wants(run):
    app = view_of("walk", "paths")
    app.segmented_control(key="walk.count").set_value(4).run()
    app.slider(key="walk.steps").set_value(3).run()
    assert not app.exception
    assert not app.error
    named = [markdown.value for markdown in app.markdown if markdown.value.startswith("**")]
    assert [name[2] for name in named] == list("ABCD")
    assert len(set(named)) == 4, "each begins with another image"


def test_an_image_is_chosen_by_its_number_and_by_chance(run):
    app = view_of("walk", "paths")
    rows = results.dataset_of(run).rows("test")
    app.session_state["walk.1.choose"] = True
    app.run()
    app.number_input(key="walk.1.number").set_value(33).run()
    assert any(f"#{rows[33]} " in markdown.value.replace("\\", "") for markdown in app.markdown)
    app.button(key="walk.1.draw").click().run()
    assert app.number_input(key="walk.1.number").value == app.session_state["aeviz.walk.1"]
    assert not app.exception


def test_without_a_road_there_is_a_sentence(run):
    app = view_of("walk", "paths")
    for box in app.checkbox:
        box.uncheck()
    app.run()
    assert not app.exception
    assert "at least one path" in said(app)


def test_an_empty_selection_has_no_mean_and_says_how_to_get_one(run):
    app = view_of("walk", "means")
    app.selectbox(key="means.of.10").set_value(-2).run()
    assert not app.exception
    assert "Draw around some dots" in said(app)
    app.selectbox(key="means.of.10").set_value(3).run()
    assert not app.exception
    assert "test images of 3" in said(app)


def test_a_direction_is_kept_renamed_and_deleted(run):
    app = view_of("walk", "directions")
    app.selectbox(key="directions.To class.10").set_value(7).run()
    app.text_input(key="directions.new").set_value("to sevens").run()
    app.button(key="directions.keep").click().run()
    assert not app.exception
    assert [found.name for found in list_directions(run)] == ["to sevens"]
    assert app.selectbox(key="directions.chosen").value == "to sevens"
    app.text_input(key="directions.new").set_value("sevens").run()
    app.button(key="directions.rename").click().run()
    assert app.selectbox(key="directions.chosen").value == "sevens"
    app.button(key="directions.delete").click().run()
    assert not app.exception
    assert list_directions(run) == []


def test_a_direction_from_a_class_to_itself_is_a_sentence(run):
    app = view_of("walk", "directions")
    app.selectbox(key="directions.To class.10").set_value(0).run()
    assert not app.exception
    assert "0 was chosen twice" in said(app)
    assert "No directions yet" not in said(app)


def test_what_cannot_be_fitted_is_a_sentence_and_the_controls_stay(tmp_path):
    for number in range(12):
        folder = tmp_path / "pets" / ("cat" if number else "dog")
        folder.mkdir(parents=True, exist_ok=True)
        shade = np.random.default_rng(number).integers(0, 255, (8, 8), dtype=np.uint8)
        Image.fromarray(shade).save(folder / f"{number}.png")
    data.import_data([tmp_path / "pets"], ImportSettings(name="pets", size=8))
    run = small(dataset="pets")
    app = view_of("generate", "samples")
    assert "10 Gaussians cannot be fitted to" in said(app)
    app.slider(key="samples.components").set_value(2).run()
    assert not app.error
    app.selectbox(key=f"samples.from.{len(results.samplers_of(run))}").set_value("class").run()
    app.selectbox(key="samples.label.2").set_value(run.config().data.classes.index("dog")).run()
    assert not app.exception
    assert "There is 1 image of the class dog; sampling it takes 2 or more" in said(app)


def test_scores_are_shown_beside_what_real_images_reach(run, started, monkeypatch):
    app = view_of("generate", "samples")
    app.button(key="samples.judge").click().run()
    assert not app.exception
    ((command, *options),) = started
    assert (command, options[0]) == ("sample", run.id)
    assert "--score" in options
    real = {"frechet": 0.5, "precision": 0.9, "recall": 0.8}
    kept = {"frechet": 7.25, "precision": 0.5, "recall": None, "features": "classifier", "n": 300, "floor": real}
    monkeypatch.setattr(results, "kept_sample_score", lambda run, request: kept)
    app.run()
    assert not app.exception
    assert [metric.value for metric in app.metric] == ["7.25", "0.5", "–"]
    assert "Training images: 0.9" in said(app)


def test_a_walk_is_taken_along_as_table_and_arrays():
    images = np.random.default_rng(0).integers(0, 255, (2, 5, 1, 8, 6), dtype=np.uint8)
    z = np.arange(30.0).reshape(10, 3)
    lines = list(csv.reader(io.StringIO(export_buttons.as_csv({"step": np.arange(10), "z": z}).decode())))
    assert lines[0] == ["step", "z1", "z2", "z3"]
    assert [float(value) for value in lines[4]] == [3, 9, 10, 11]
    table = export_buttons.as_csv({"name": np.array(["=1+1", "a"]), "value": np.array([-1.5, 2.0])}).decode()
    assert list(csv.reader(io.StringIO(table)))[1] == ["'=1+1", "-1.5"], "a name is never a formula, a number stays one"
    kept = np.load(io.BytesIO(export_buttons.as_npz({"z": z, "x_hat": images})), allow_pickle=False)
    np.testing.assert_array_equal(kept["x_hat"], images)


def pixels_of(rows, foot=""):
    return np.asarray(Image.open(io.BytesIO(poster(rows, foot))).convert("RGB")).astype(int)


def test_a_poster_says_what_its_rows_are_and_draws_their_curves():
    images = np.full((5, 1, 8, 8), 255, np.uint8)
    bare, named = pixels_of([Row(images)]), pixels_of([Row(images, "Straight", "at most 2.0×")])
    assert (bare == 255).all(), "white images on white paper"
    assert named.shape[0] == bare.shape[0]
    beside = named[:, : named.shape[1] - bare.shape[1]]
    assert (named[:, beside.shape[1] :] == 255).all(), "names stand on the left alone"
    assert beside.min() == int(INK[1:3], 16)
    low, high = np.full(5, 0.5), np.full(5, 4.0)
    page = pixels_of([Row(images, curve=curve, colour="#ff0000") for curve in (low, high)])
    first, second = np.flatnonzero((page[:, page.shape[1] // 2] == [255, 0, 0]).all(axis=1))[[0, -1]]
    half = page.shape[0] // 2
    assert first > half / 2 + half / 4, "a low curve runs near the foot of its row"
    assert second < half + 3 * half / 4, "a high one near the top"
    assert pixels_of([Row(images)], "At the foot.").shape[0] > bare.shape[0]


def test_images_of_other_sizes_stand_as_large_as_those_of_the_first_row():
    grey, colour = np.zeros((3, 1, 8, 8), np.uint8), np.zeros((3, 3, 16, 16), np.uint8)
    page = pixels_of([Row(grey), Row(colour, below=["a long name that does not fit"] * 3)])
    dark = (page == 0).all(axis=2)
    assert np.unique(dark.sum(axis=1)).size < 3, "every line of pixels is as dark as any, or white"
