"""What a run can generate: paths, axes, directions, samples and their score, kept with it and loaded again."""

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from aeviz import data, results, runs, training
from aeviz.__main__ import main
from aeviz.errors import AevizError, BadFile, BadValue, MissingData, UnknownName
from aeviz.latent.directions import shift
from aeviz.latent.sampling.samplers import SAMPLERS
from aeviz.results import SampleRequest
from aeviz.runs import archive, directions, stored_images
from aeviz.training import Recipe
from tests.making import small


@pytest.fixture
def run():
    return small()


@pytest.fixture
def moved(run, tmp_path, monkeypatch):
    """A run loaded from its zip where its set is not; `with_kept` says whether test images came with it."""

    def load(with_kept):
        stored_images.store_images(run, data.load("digits"))
        archive.export_run(run, tmp_path / "run.zip", with_kept)
        back = archive.import_run(tmp_path / "run.zip")

        def gone(*_):
            raise MissingData("gone")

        monkeypatch.setattr("aeviz.data.load", gone)
        monkeypatch.setattr("aeviz.data.list_data", list)
        return back

    return load


def test_a_walk_is_the_same_from_the_kept_graph(run):
    stops = results.codes(run, "test").z[:3]
    for path in results.paths_of(run):
        first, again = (results.walk(run, stops, path.name, 9) for _ in range(2))
        np.testing.assert_array_equal(first.z, again.z)
        np.testing.assert_array_equal(first.z[[0, 4, 8]], stops)
        assert (first.distance >= 0).all()
    assert list(run.results.glob("graph-*.npz"))
    with pytest.raises(UnknownName, match=r"'flight'; there are: straight, spherical"):
        results.walk(run, stops, "flight")


def test_a_code_of_the_training_images_is_at_no_distance(run):
    codes = results.codes(run, "train").z[:5]
    np.testing.assert_allclose(results.distance_to_data(run, codes), 0, atol=1e-6)


@pytest.mark.parametrize("kind", ["dimensions", "principal"])
def test_axes_are_ordered_by_what_they_do(run, kind):
    for order in ("variance", "effect"):
        found = results.axes(run, kind, order)
        values = getattr(found, order)[found.order]
        assert (np.diff(values) <= 0).all()
        assert (values >= 0).all()
    along = results.known_codes(run).z @ found.vectors.T
    np.testing.assert_allclose(found.reach, np.percentile(along, [1, 99], axis=0).T, rtol=1e-4, atol=1e-5)


def test_a_vaes_dimensions_are_ordered_by_kl_and_nothing_else_is(run):
    found = results.axes(run, order="kl")
    assert (np.diff(found.kl[found.order]) <= 0).all()
    for other, kind in ((run, "principal"), (small("autoencoder"), "dimensions")):
        with pytest.raises(BadValue, match="ordered by kl"):
            results.axes(other, kind, "kl")


@pytest.mark.parametrize("latent_dim", [2, 3])
def test_the_manifold_spans_the_data_with_the_highest_first(latent_dim):
    run = small(latent_dim=latent_dim)
    found = results.manifold(run, size=5)
    assert found.z.shape == (5, 5, latent_dim)
    assert found.x_hat.shape == (5, 5, 1, 8, 8)
    assert found.distance.shape == (5, 5)
    assert found.ys[0] > found.ys[-1]
    if latent_dim == 2:
        np.testing.assert_allclose(found.z[1, 3], [found.xs[3], found.ys[1]], rtol=1e-6)


def test_a_manifold_takes_any_two_directions_and_says_what_it_cannot_take(run):
    found = results.manifold(run, np.array([1.0, 0, 0]), np.array([1.0, 1, 0]), np.zeros(3), size=3)
    np.testing.assert_allclose(found.z[..., 2], 0)
    with pytest.raises(BadValue, match="2 to 40"):
        results.manifold(run, size=41)
    with pytest.raises(BadValue, match="one and the same"):
        results.manifold(small(latent_dim=1))


def test_a_direction_between_classes_takes_one_mean_to_the_other_and_says_what_else_it_does(run):
    found = results.class_direction(run, "round", 1, 0)
    codes = results.codes(run, "train")
    means = [codes.z[codes.labels == label].mean(axis=0) for label in (1, 0)]
    np.testing.assert_allclose(shift(means[0][None], np.array(found.vector), 1.0)[0], means[1], rtol=1e-4, atol=1e-5)
    assert found.source == "1 to 0 (train)"
    assert 0 < found.specificity < 1
    assert found.changes["0"] > 0 > found.changes["1"]
    assert found.weights == run.weights_id()


def test_a_direction_between_selections_knows_the_classes_they_are_mostly_of(run):
    codes = results.codes(run, "test")
    a, b = (codes.index[codes.labels == label] for label in (3, 8))
    found = results.direction(run, "mine", "test", a[:20], b[:20], "classifier_normal")
    assert found.source == "20 images to 20 (test)"
    assert found.changes[results.directions.GROUPS] > 0
    with pytest.raises(BadValue, match="the second group is empty"):
        results.direction(run, "none", "test", a, b[:0])
    with pytest.raises(UnknownName, match="mean_difference"):
        results.direction(run, "none", "test", a, b, "guess")


def test_a_direction_over_known_factors_counts_what_else_they_do():
    run = small("autoencoder", 4, "shapes", count=300)
    codes = results.codes(run, "train")
    x = data.load("shapes", {"count": 300}).columns["x"][codes.index]
    found = results.direction(run, "right", "train", codes.index[x < 0.4], codes.index[x > 0.6])
    assert {"x", "y", "scale", "rotation"} < set(found.changes)


@pytest.mark.parametrize(("a", "b", "said"), [(0, 10, "class number 10"), (-1, 0, "class number -1"), (4, 4, "twice")])
def test_classes_that_give_no_direction_are_named(run, a, b, said):
    with pytest.raises(BadValue, match=said):
        results.class_direction(run, "x", a, b)


def test_directions_are_kept_renamed_deleted_and_travel_with_the_run(run, tmp_path):
    first = results.class_direction(run, "rounder / größer", 1, 0)
    directions.save_direction(run, first)
    second = first.model_copy(update={"name": "other"})
    directions.save_direction(run, second)
    assert {found.name for found in directions.list_directions(run)} == {"rounder / größer", "other"}
    with pytest.raises(BadValue, match="called 'other' already"):
        directions.save_direction(run, second)
    with pytest.raises(BadValue, match="called 'other' already"):
        directions.rename_direction(run, first.name, "other")
    directions.rename_direction(run, first.name, "../up")
    archive.export_run(run, tmp_path / "run.zip")
    back = archive.import_run(tmp_path / "run.zip")
    assert directions.find_direction(back, "../up") == first.model_copy(update={"name": "../up"})
    for name in ("other", "../up"):
        directions.delete_direction(run, name)
    assert directions.list_directions(run) == []
    with pytest.raises(UnknownName, match="none yet"):
        directions.find_direction(run, "other")


def test_a_direction_of_another_code_is_refused(run):
    with pytest.raises(BadValue, match=r"has 2 numbers, but this run.s codes have 3"):
        directions.save_direction(run, directions.Direction(name="x", vector=(1, 2), method="mean_difference"))


def test_a_file_that_holds_no_direction_is_named(run):
    folder = run.path / directions.FOLDER
    folder.mkdir()
    (folder / "bad.json").write_text("[" * 100_000)
    with pytest.raises(BadFile, match=r"bad\.json"):
        directions.list_directions(run)


@pytest.mark.parametrize("variant", ["vae", "cvae", "vq_vae"])
def test_every_sampler_of_a_run_draws_images_and_names_the_most_alike(variant):
    run = small(variant)
    images = data.load("digits").images
    for sampler in results.samplers_of(run):
        label = 4 if sampler.name == "class" else None
        request = SampleRequest(sampler=sampler.name, components=3, count=6, label=label)
        found, again = (results.samples(run, request) for _ in range(2))
        np.testing.assert_array_equal(found.x_hat, again.x_hat)
        assert found.x_hat.shape == (6, 1, 8, 8)
        expected = np.square(images[found.nearest] / 255 - found.x_hat).mean(axis=(1, 2, 3))
        np.testing.assert_allclose(found.distance, expected, rtol=1e-4)
        assert (found.nearest < 1438).all()
    assert ("prior" in {sampler.name for sampler in results.samplers_of(run)}) == (variant != "vq_vae")


def test_a_sample_without_temperature_beside_an_image_is_that_images_reconstruction(run):
    found = results.samples(run, SampleRequest(sampler="jitter", temperature=0, count=9))
    codes = results.known_codes(run)
    for z, x_hat in zip(found.z, found.x_hat, strict=True):
        row = np.abs(codes.z - z).sum(axis=1).argmin()
        np.testing.assert_array_equal(codes.z[row], z)
        np.testing.assert_allclose(results.decode_codes(run, codes.z[row : row + 1])[0], x_hat, atol=1e-6)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"sampler": "dream"}, "there are: mixture"),
        ({"count": 401}, "at most 400"),
        ({"temperature": -1}, "at least 0"),
        ({"sampler": "class"}, "choose the class"),
        ({"sampler": "class", "label": 10}, "class number 10"),
        ({"sampler": "mixture", "label": 1}, "'mixture' draws from all classes; for one, draw from 'class'"),
        ({"sampler": "prior", "label": 1}, "draw from 'class'"),
    ],
)
def test_a_request_that_cannot_be_met_says_why(run, asked, said):
    with pytest.raises(BadValue, match=said):
        results.samples(run, SampleRequest.parse(asked))


@pytest.mark.parametrize(
    ("left", "said"), [(1, "there is 1 image of the class 7; sampling it takes 2"), (0, "there are no images")]
)
def test_a_class_of_too_few_images_is_named(run, left, said, monkeypatch):
    digits = data.load("digits")
    rows = digits.rows("train")[digits.labels[digits.rows("train")] == 7]
    labels = digits.labels.copy()
    labels[rows[left:]] = -1
    monkeypatch.setattr("aeviz.data.load", lambda *_: dataclasses.replace(digits, labels=labels))
    with pytest.raises(BadValue, match=said):
        results.samples(run, SampleRequest(sampler="class", label=7))


def test_a_score_stands_beside_what_real_images_reach(run):
    request = SampleRequest(sampler="jitter", count=4)
    found = results.sample_score(run, request)
    assert (found["features"], found["n"]) == ("classifier", 359)
    assert set(found) == {"features", "n", "frechet", "precision", "recall", "floor"}
    assert 0 < found["floor"]["frechet"] < found["frechet"]
    assert found["floor"]["recall"] > 0.5
    assert results.kept_sample_score(run, request.model_copy(update={"count": 9})) == found
    json.dumps(found, allow_nan=False)


def test_a_class_is_judged_beside_its_own_images(run):
    found = results.sample_score(run, SampleRequest(sampler="class", label=2))
    labels = data.load("digits").labels
    assert found["n"] == (labels[1438:] == 2).sum()


def test_a_set_without_classes_is_judged_by_the_run_s_own_encoder(run, monkeypatch):
    digits = data.load("digits")
    unlabelled = dataclasses.replace(digits, labels=np.full(len(digits), -1))
    monkeypatch.setattr("aeviz.data.load", lambda *_: unlabelled)
    found = results.sample_score(run, SampleRequest(sampler="gaussian"))
    assert found["features"] == "encoder"
    assert found["frechet"] > 0


def test_the_mean_of_images_is_taken_in_pixels_and_in_codes(run):
    pixels = data.load("digits").images[:7]
    found = results.average(run, pixels)
    np.testing.assert_allclose(found.x, pixels.mean(axis=0) / 255, rtol=1e-5)
    np.testing.assert_allclose(found.z, results.encode_images(run, pixels).mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(found.x_hat, results.decode_codes(run, found.z[None])[0], rtol=1e-5)
    with pytest.raises(BadValue, match="no images"):
        results.average(run, pixels[:0])


def test_where_only_test_images_came_with_a_run_they_stand_in(moved):
    run = moved(with_kept=True)
    stops = results.codes(run, "test").z[:2]
    assert results.walk(run, stops, "data", 5).distance[0] == 0
    assert results.samples(run, SampleRequest(components=3, count=4)).distance.shape == (4,)
    assert results.axes(run).kl.shape == (3,)
    with pytest.raises(MissingData, match="0"):
        results.sample_score(run, SampleRequest(components=3))


def test_a_run_without_any_images_still_walks_straight_and_draws_from_its_prior(moved):
    run, stops = moved(with_kept=False), np.eye(2, 3, dtype=np.float32)
    assert results.walk(run, stops, "spherical", 5).distance is None
    assert results.samples(run, SampleRequest(sampler="prior", count=4)).nearest is None
    for ask in (
        lambda: results.walk(run, stops, "data", 5),
        lambda: results.samples(run, SampleRequest()),
        lambda: results.axes(run),
        lambda: results.class_direction(run, "x", 0, 1),
    ):
        with pytest.raises(MissingData, match="digits"):
            ask()


def test_a_run_that_has_learned_nothing_yet_says_so():
    run = training.prepare(Recipe())
    for ask in (results.paths_of, results.samplers_of, results.manifold):
        with pytest.raises(AevizError, match="train it first"):
            ask(run)


@pytest.fixture
def say(capsys):
    """Run a line with --json; the object in its last line."""

    def line(*arguments):
        assert main([*arguments, "--json"]) == 0
        return json.loads(capsys.readouterr().out.splitlines()[-1], parse_constant=pytest.fail)

    return line


@pytest.fixture
def pictures(tmp_path):
    """Three digits as files."""
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    for number, path in enumerate(paths):
        Image.fromarray(data.load("digits").images[number][0]).save(path)
    return [str(path) for path in paths]


def test_samples_are_written_as_one_picture_or_as_a_folder(run, say, tmp_path):
    asked = ["sample", run.id, "--count", "5", "--components", "3", "--seed", "2"]
    told = say(*asked, "--temperature", "0.5", "--out", str(tmp_path / "a" / "all.png"))
    request = {"sampler", "components", "temperature", "label", "seed", "count"}
    assert set(told) == {"run", "out", "nearest", "distance", "score"} | request
    assert (told["sampler"], told["seed"], told["count"], told["score"]) == ("mixture", 2, 5, None)
    assert len(told["nearest"]) == len(told["distance"]) == 5
    assert Image.open(told["out"]).size == (3 * 16 + 2, 2 * 16 + 1)
    say(*asked, "--out", str(tmp_path / "each"))
    assert [Image.open(path).size for path in sorted((tmp_path / "each").iterdir())] == [(8, 8)] * 5


def test_samples_are_scored_on_the_command_line(run, say, capsys):
    told = say("sample", run.id, "--from", "prior", "--score")
    assert told["score"]["n"] == 359
    assert told["nearest"] is None
    assert main(["sample", run.id, "--from", "prior", "--score"]) == 0
    assert "precision" in capsys.readouterr().out


def test_walks_are_written_as_films_and_as_arrays(run, say, pictures, tmp_path):
    for ending in ("png", "gif", "webp", "npz"):
        told = say("walk", run.id, *pictures, "--road", "data", "--steps", "7", "--out", str(tmp_path / f"w.{ending}"))
        assert set(told) == {"run", "road", "steps", "out", "distance"}
        assert len(told["distance"]) == 7
    assert Image.open(tmp_path / "w.gif").n_frames == 7
    with np.load(tmp_path / "w.npz") as arrays:
        assert {name: arrays[name].shape for name in arrays} == {
            "z": (7, 3), "x_hat": (7, 1, 8, 8), "distance": (7,),
        }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sample", "last"], "--out"),
        (["sample", "last", "--out", "x.gif"], "x.gif"),
        (["sample", "last", "--out", "x.png", "--count", "0"], "count = 0"),
        (["sample", "last", "--out", "x.png", "--from", "dream"], "dream"),
        (["sample", "last", "--out", "x.png", "--from", "class", "--class", "zebra"], "zebra"),
        (["walk", "last", "{0}", "--out", "w.png"], "not 1"),
        (["walk", "last", "{0}", "nowhere.png", "--out", "w.png"], "nowhere.png"),
        (["walk", "last", "{0}", "{1}", "--out", "w.bmp"], "w.bmp"),
        (["walk", "last", "{0}", "{1}", "--out", "w.png", "--road", "flight"], "flight"),
        (["walk", "last", "{0}", "{1}", "--out", "w.png", "--steps", "65"], "65"),
    ],
)
def test_a_mistake_is_one_clear_line(run, arguments, said, pictures, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([argument.format(*pictures) for argument in arguments]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told


def test_samplers_and_paths_have_their_own_words():
    for register in (SAMPLERS, {path.name: path for path in results.paths_of(small())}):
        assert len({entry.label for entry in register.values()}) == len(register)
        assert all(entry.help.endswith((".", ")")) for entry in register.values())


def test_a_run_s_folder_holds_its_directions_beside_its_results(run):
    directions.save_direction(run, results.class_direction(run, "x", 0, 1))
    assert [path.suffix for path in (run.path / "directions").iterdir()] == [".json"]
    assert runs.find("last") == run
