"""A conditional network is told the class everywhere: images, paths, samples, maps and what is brought."""

import json

import numpy as np
import pytest
from PIL import Image

from aeviz import results
from aeviz.__main__ import main
from aeviz.data import to_pixels
from aeviz.export.page import scene
from aeviz.latent.conditioning import class_labels, condition_shift, one_hot
from aeviz.results import MapRequest, SampleRequest, store
from aeviz.ui.components.images.class_labels import UNKNOWN
from tests import making
from tests.test_map import ask
from tests.test_pages import open_page
from tests.test_pages_pictures import parts, upload

pytestmark = pytest.mark.usefixtures("clear_caches")


def trained(variant="cvae", epochs=15):
    recipe = {
        "data": {"name": "digits"},
        "model": {"variant": variant, "latent_dim": 4, "body": {"name": "dense", "widths": [64]}},
        "training": {"epochs": epochs, "loss": "bernoulli", "batch_size": 32, "device": "cpu"},
    }
    return making.learned(recipe)


@pytest.fixture
def run():
    return trained()


@pytest.fixture
def barely():
    """A run for what does not take one that has learned."""
    return trained(epochs=1)


@pytest.fixture
def test_images(run):
    """Test images (n, 1, 8, 8) uint8 and their labels (n,)."""
    dataset = results.dataset_of(run)
    rows = dataset.rows("test")
    return np.asarray(dataset.images[rows]), dataset.labels[rows]


def test_the_score_is_judged_as_validation_judges(run):
    assert results.score(run, "val")["psnr"] == pytest.approx(run.psnr(), abs=1e-4)
    assert results.errors(run, "val").mean() == pytest.approx(results.score(run, "val")["mse"], rel=1e-6)


def test_results_computed_without_classes_are_not_taken_for_the_new_ones(barely):
    plain = trained("vae", epochs=1)
    (barely.results / "x").parent.mkdir(exist_ok=True)
    for run, is_same in ((plain, True), (barely, False)):
        unconditional = store.hashlib.sha256(
            f"{run.weights_id()} {json.dumps({'split': 'test'})}".encode()
        ).hexdigest()[:20]
        assert (store.name_of(run, "codes", {"split": "test"}) == f"codes-{unconditional}") is is_same


def test_an_unconditional_network_gets_no_labels():
    run = trained("vae", epochs=1)
    assert results.labels_of(run.load(), np.zeros((2, 1, 8, 8), np.uint8), np.array([3, 4])) is None
    assert results.codes(run).condition is None
    assert condition_shift(None, 0) is None


def test_an_image_is_taken_as_its_own_class_or_as_what_rebuilds_it_best(run, test_images):
    pixels, labels = test_images
    found = results.labels_of(run.load(), pixels)
    assert (found == labels).mean() > 0.8
    known = np.where(np.arange(len(labels)) % 2, (labels + 1) % 10, -1)  # wrong ones are believed
    condition = class_labels(run.load(), pixels, np.arange(len(pixels)), known)
    np.testing.assert_array_equal(condition, np.where(known >= 0, known, found))


def test_the_class_an_image_is_taken_as_is_that_of_least_error(barely):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 1, 8, 8), dtype=np.uint8)
    errors = [results.rebuild(barely, pixels, np.full(3, label)).numbers()["mse"] for label in range(10)]
    np.testing.assert_array_equal(results.rebuild(barely, pixels).condition, np.argmin(errors, axis=0))


def test_every_path_ends_at_the_images_own_reconstructions(run, test_images):
    pixels, labels = test_images
    places = [int(np.flatnonzero(labels == label)[0]) for label in (0, 1)]
    ends = results.rebuild(run, pixels[places], labels[places])
    for path in results.paths_of(run):
        walked = results.walk(run, ends.z, path.name, 9, condition=ends.condition)
        shown = results.decode_codes(run, walked.z, walked.condition)
        np.testing.assert_allclose(shown[[0, -1]], ends.x_hat, atol=1e-5)
        np.testing.assert_allclose(walked.condition.sum(axis=1), 1, atol=1e-5)
        assert walked.condition[0, 0] == walked.condition[-1, 1] == 1
        if path.name in ("straight", "spherical"):
            assert walked.condition[4, :2].tolist() == [0.5, 0.5]


def test_a_path_through_the_data_tells_the_class_of_every_image_on_its_way(run):
    known = results.known_codes(run)
    apart = np.argsort(np.linalg.norm(known.z - known.z[0], axis=1))
    a, b = 0, int(apart[-1])
    walked = results.walk(
        run, known.z[[a, b]], "data", 64, condition=np.array([known.condition[a], known.condition[b]])
    )
    passed = np.flatnonzero(walked.condition.sum(axis=0) > 0.5)
    assert set(passed) - {known.condition[a], known.condition[b]}, "it leads through other classes"


@pytest.mark.parametrize("sampler", ["mixture", "gaussian", "jitter", "prior"])
def test_samples_vary_and_look_like_the_class_they_were_drawn_as(sampler, run):
    dataset = results.dataset_of(run)
    rows = dataset.rows("train")
    real = np.asarray(dataset.images[rows]).reshape(len(rows), -1) / 255
    drawn = results.samples(run, SampleRequest(sampler=sampler, count=200))
    flat = drawn.x_hat.reshape(200, -1)
    assert flat.std(axis=0).mean() > 0.5 * real.std(axis=0).mean()
    assert len(np.unique(drawn.labels)) == 10
    nearest = np.square(flat[:, None] - real).sum(axis=2).argmin(axis=1)
    assert (dataset.labels[rows][nearest] == drawn.labels).mean() > 0.9


def test_axes_and_means_are_drawn_in_a_class(run, test_images):
    pixels, labels = test_images
    assert results.axes(run).effect.max() > 0.001
    means = results.class_means(run)
    np.testing.assert_array_equal(results.labels_of(run.load(), to_pixels(means.decoded)), means.labels)
    grids = [results.manifold(run, size=3, label=label).x_hat for label in (0, 1)]
    assert np.abs(grids[0] - grids[1]).mean() > 0.05
    alike = results.average(run, pixels[labels == 4], labels[labels == 4])
    np.testing.assert_array_equal(results.labels_of(run.load(), to_pixels(alike.x_hat[None])), [4])


def test_an_analogy_changes_the_class_as_a_changes_to_b():
    shift = condition_shift(np.array([2, 2, 5]), 10)
    np.testing.assert_array_equal(shift.at(np.array([0.0, 1.0])), one_hot(np.array([5, 5]), 10))
    shift = condition_shift(np.array([2, 7, 2]), 10)
    np.testing.assert_array_equal(shift.at(np.array([0.0, 1.0])), one_hot(np.array([2, 7]), 10))


def test_the_way_back_from_a_map_carries_the_class_of_the_nearest_dot(barely):
    coded, request = results.codes(barely), MapRequest(method="pca", settings={"dims": 2})
    drawn = results.project(barely, request)
    found = scene.inverse_of(drawn.projection, drawn.points, coded.z, coded.condition, 10)
    xs, ys = (np.linspace(found[f"{side}0"], found[f"{side}1"], found["size"]) for side in "xy")
    for column, row in ((10, 20), (48, 48), (90, 60)):
        nearest = np.square(drawn.points - [xs[column], ys[row]]).sum(axis=1).argmin()
        assert found["told"][row * found["size"] + column] == coded.condition[nearest]


def test_the_server_decodes_with_what_is_told_behind_each_code(barely):
    z = np.random.default_rng(0).normal(size=(4, 4)).astype("<f4")
    condition = one_hot(np.array([0, 3, 9, 5]), 10)
    path = f"/aeviz/decode/{barely.id}/{barely.weights_id()}"
    answer = ask(path, method="POST", body=np.hstack([z, condition]).astype("<f4").tobytes())
    expected = to_pixels(results.decode_codes(barely, z, condition))
    np.testing.assert_array_equal(np.frombuffer(answer.body, np.uint8).reshape(expected.shape), expected)
    assert ask(path, method="POST", body=z[:1].tobytes()).status_code == 400


@pytest.fixture
def three(run, test_images, tmp_path):
    """A picture file of a test image that is a 3."""
    pixels, labels = test_images
    path = tmp_path / "three.png"
    Image.fromarray(pixels[labels == 3][0, 0]).save(path)
    return path


def json_of_line(capsys, *line):
    assert main([*line, "--json"]) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_the_command_line_says_as_what_an_image_is_taken_and_can_be_told(run, three, tmp_path, capsys):
    line = ["reconstruct", run.id, str(three), "--no-invert", "--out", str(tmp_path / "out")]
    usual, other = (json_of_line(capsys, *line, *more)["images"][0] for more in ((), ("--class", "5")))
    assert (usual["class"], other["class"]) == ("3", "5")
    assert usual["mse"] < other["mse"]
    main(["project", run.id, "--method", "pca"])
    capsys.readouterr()
    line = ["place", run.id, "--method", "pca", "--no-invert", str(three)]
    assert json_of_line(capsys, *line, "--class", "5")["points"][0]["class"] == "5"


def test_a_class_for_a_network_that_is_told_none_is_refused(three, tmp_path, capsys):
    plain = trained("vae", epochs=1)
    assert main(["reconstruct", plain.id, str(three), "--class", "3", "--out", str(tmp_path)]) == 2
    assert "is not conditional; leave --class 3 out" in capsys.readouterr().err


def test_a_page_says_as_what_a_picture_is_taken_and_lets_one_change_it(run, three):
    app = upload(open_page("reconstruct"), three=three.read_bytes())
    app.segmented_control(key="pictures.fitting.invert").set_value("no").run()
    picker = next(box for box in app.selectbox if box.label == "Class")
    assert picker.options[0] == "3 (best reconstruction)"
    before = parts(app, "rebuilt")[0]["image"]
    app = picker.set_value(5).run()
    assert not app.exception
    assert parts(app, "rebuilt")[0]["image"] != before
    picker = next(box for box in app.selectbox if box.label == "Class")
    assert (picker.value, picker.options[0]) == (5, "Best reconstruction")
    app = picker.set_value(UNKNOWN).run()
    assert parts(app, "rebuilt")[0]["image"] == before


@pytest.mark.parametrize("page", ["reconstruct", "walk", "generate", "map"])
def test_every_page_works_for_a_conditional_network(page, barely):
    app = open_page(page)
    assert not app.exception
    assert not app.error
