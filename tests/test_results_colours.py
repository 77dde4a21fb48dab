"""What a run's dots can be coloured by, who is near whom, and what groups have in common."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from aeviz import jobs, results, training
from aeviz.__main__ import main
from aeviz.data import Dataset
from aeviz.errors import AevizError, BadValue, MissingData, Stopped, UnknownName
from aeviz.latent.quality.pointwise import decoder_stretch, neighbour_preservation, round_trip
from aeviz.models import build
from aeviz.models.weights import save_model
from aeviz.results import COLOURS, MapRequest
from aeviz.runs import stored_images
from aeviz.training import Recipe

PCA = MapRequest(method="pca", settings={"dims": 2})
SETTINGS = {"factor": {"column": "scale"}, "hdbscan": {"min_cluster_size": 3}}


def untrained(data, **model):
    """A run whose weights are those a network begins with."""
    body = {"name": "dense", "widths": [16]}
    run = training.prepare(Recipe.parse({"data": data, "model": {"latent_dim": 3, "body": body, **model}}))
    torch.manual_seed(0)
    save_model(build(run.config().model), run.weights, {"step": 0})
    return run


@pytest.fixture
def run():
    """A run on 200 shapes, with factors known: 144 train, 16 val, 40 test."""
    return untrained({"name": "shapes", "params": {"count": 200}})


def colour(run, name, split="test", **changes):
    return results.colour(run, split, name, **{"settings": SETTINGS.get(name), "map_request": PCA, **changes})


def test_clusters_are_lowered_to_what_few_codes_allow_and_say_so(run):
    found = colour(run, "kmeans", settings={"k": 45})
    assert len(found.names) == 40
    assert found.note == "Lowered from 45 clusters: there are 40 codes."
    found = colour(run, "hdbscan", settings={"min_cluster_size": 100})
    assert "Minimum size lowered from 100 to 10: there are 40 codes." in found.note


@pytest.mark.parametrize("name", COLOURS)
@pytest.mark.parametrize("split", ["test", "train"])
def test_every_colour_has_one_value_per_image_of_its_kind(name, split, run):
    found = colour(run, name, split, map_request=MapRequest(split=split))
    assert found.values.shape == (len(results.codes(run, split).z),)
    assert found.kind in ("class", "scale", "sign")
    assert found.label
    if found.kind == "class":
        assert found.values.dtype == np.int64
        assert found.values.max(initial=-1) < len(found.names)
        assert found.n_known == (found.values >= 0).sum()
    else:
        assert found.values.dtype == np.float32
        assert found.n_known == len(found.values) == np.isfinite(found.values).sum()
        assert (found.values.min() >= 0) == (found.kind == "scale")


@pytest.mark.parametrize("name", [name for name, colour in COLOURS.items() if colour.kept])
def test_a_colour_is_computed_once_and_found_again_by_its_settings(name, run, monkeypatch):
    assert results.kept_colour(run, "test", name, SETTINGS.get(name), PCA) is None
    first = colour(run, name)

    def never(*_):
        raise AssertionError("computed twice")

    monkeypatch.setitem(COLOURS, name, replace(COLOURS[name], of=never))
    again = colour(run, name)
    np.testing.assert_array_equal(again.values, first.values)
    assert replace(again, values=None) == replace(first, values=None)
    np.testing.assert_array_equal(results.kept_colour(run, "test", name, SETTINGS.get(name), PCA).values, first.values)


@pytest.mark.parametrize("name", [name for name, colour in COLOURS.items() if colour.kept])
def test_a_cancelled_colour_leaves_nothing_behind(name, run):
    results.codes(run, "test")

    def stop(*_):
        raise Stopped("stopped as asked")

    with pytest.raises(Stopped):
        colour(run, name, report=stop)
    assert results.kept_colour(run, "test", name, SETTINGS.get(name), PCA) is None


def test_colours_are_what_they_are_called(run):
    coded, dataset = results.codes(run), results.dataset_of(run)
    rows, model = dataset.rows("test"), results.model_of(run)
    drawn = results.project(run, PCA)
    np.testing.assert_array_equal(colour(run, "label").values, dataset.labels[rows])
    assert colour(run, "label").names == dataset.classes
    np.testing.assert_array_equal(colour(run, "factor").values, dataset.columns["scale"][rows])
    np.testing.assert_allclose(colour(run, "error").values, results.errors(run), rtol=1e-6)
    np.testing.assert_array_equal(colour(run, "dimension", settings={"d": 2}).values, coded.z[:, 1])
    np.testing.assert_allclose(colour(run, "stretch").values, decoder_stretch(model, coded.z), rtol=1e-5)
    np.testing.assert_allclose(colour(run, "round_trip").values, round_trip(model, coded.z), rtol=1e-5)
    kept_neighbours = neighbour_preservation(coded.z, drawn.points)
    np.testing.assert_allclose(colour(run, "preservation").values, kept_neighbours, rtol=1e-6)


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_distance_is_to_the_nearest_other_training_code(split, run):
    train, z = results.codes(run, "train").z.astype(np.float64), results.codes(run, split).z.astype(np.float64)
    away = np.linalg.norm(z[:, None] - train[None], axis=2)
    if split == "train":
        np.fill_diagonal(away, np.inf)
    np.testing.assert_allclose(colour(run, "distance", split).values, away.min(axis=1), rtol=1e-5)


def test_neighbours_kept_are_those_of_the_very_map_and_unknown_beside_it(run):
    few = MapRequest(method="pca", limit=10, settings={"dims": 2})
    found = colour(run, "preservation", map_request=few)
    assert found.n_known == 10
    shown = np.isin(results.codes(run).index, results.project(run, few).index)
    np.testing.assert_array_equal(np.isfinite(found.values), shown)
    for wrong in (None, MapRequest(split="train")):
        with pytest.raises(BadValue, match="a map of the test images"):
            colour(run, "preservation", map_request=wrong)


def test_a_map_matters_to_no_other_colour(run):
    first = results.colour_job(run, "test", "stretch", None, PCA)
    assert first == results.colour_job(run, "test", "stretch")
    assert results.colour_job(run, "test", "preservation", None, PCA) not in (
        first, results.colour_job(run, "test", "preservation", None, MapRequest(limit=10)),
    )  # fmt: skip


def test_there_are_usually_as_many_clusters_as_classes(run):
    assert colour(run, "kmeans").names == ("Cluster 1", "Cluster 2", "Cluster 3", "Cluster 4")
    assert len(colour(run, "kmeans", settings={"k": 7}).names) == 7
    assert results.colour_job(run, "test", "kmeans") == results.colour_job(run, "test", "kmeans", {"k": 4})


@pytest.mark.parametrize(
    ("name", "settings", "error", "said"),
    [
        ("mood", {}, UnknownName, r"'mood'.*label, factor"),
        ("factor", {"column": "mood"}, UnknownName, r"'mood'.*scale, rotation"),
        ("factor", {}, BadValue, "column is missing"),
        ("dimension", {"d": 4}, BadValue, "d = 4 .* 1 to 3"),
        ("kmeans", {"k": 1}, BadValue, "k = 1"),
        ("stretch", {"k": 4}, BadValue, "no setting k"),
    ],
)
def test_what_cannot_be_coloured_by_is_said(name, settings, error, said, run):
    with pytest.raises(error, match=said):
        colour(run, name, settings=settings)


def test_a_run_offers_every_colour_and_each_factor_by_its_name(run):
    offered = results.colours_of(run)
    factors = [info.label for info in offered if info.name == "factor"]
    assert factors == ["scale", "rotation", "x", "y"]
    assert list(dict.fromkeys(info.name for info in offered)) == list(COLOURS)
    assert next(info.settings for info in offered if info.name == "kmeans") == {"k": 4}
    for info in offered:
        found = results.colour(run, "test", info.name, info.settings, PCA)
        assert found.kind in (info.kind, "scale" if info.kind == "sign" else info.kind)
        assert info.help.endswith(".")


def test_what_is_not_here_is_not_offered(run, monkeypatch):
    def gone(*_):
        raise MissingData("the shapes are gone")

    nothing = results.dataset_of(run)
    monkeypatch.setattr("aeviz.results.maps.colours.dataset_of", gone)
    assert results.colours_of(run) == []
    results.codes(run)
    names = {info.name for info in results.colours_of(run)}
    assert names == set(COLOURS) - {"factor", "error", "distance"}
    unlabelled = run.config().data.model_copy(update={"classes": ()})
    run.write_config(run.config().model_copy(update={"data": unlabelled}))
    assert "label" not in {info.name for info in results.colours_of(run, dataset=nothing)}


def test_a_run_that_travelled_with_test_images_has_no_distance_to_training(run, monkeypatch):
    stored_images.store_images(run, results.dataset_of(run))
    travelled = stored_images.load_stored_images(run)
    names = [info.name for info in results.colours_of(run, dataset=travelled)]
    assert names == [name for name in COLOURS if name not in ("factor", "distance")]


def with_column(values):
    """A fake set whose first three images are the test split."""
    rows = np.arange(len(values))
    return Dataset(
        name="", label="", params={}, images=np.zeros((len(values), 1, 2, 2), np.uint8), labels=rows, classes=(),
        columns={"mood": values}, splits={"train": rows[3:], "val": rows[:0], "test": rows[:3]}, hash="",
    )  # fmt: skip


def test_texts_are_classes_numbered_over_the_whole_set_and_rare_ones_share_one(run, monkeypatch):
    texts = np.array(["glad", "", "sad", *["sad"] * 3, *["glad"] * 2, None], dtype=object)
    monkeypatch.setattr("aeviz.results.maps.colouring.dataset_of", lambda _: with_column(texts))
    found = colour(run, "factor", settings={"column": "mood"})
    assert (found.kind, found.names, found.label) == ("class", ("sad", "glad"), "mood")
    assert (found.values.tolist(), found.n_known) == ([1, -1, 0], 2)
    many = np.array([f"{number // 2:02}" for number in range(50)][::-1], dtype=object)
    monkeypatch.setattr("aeviz.results.maps.colouring.dataset_of", lambda _: with_column(many))
    found = colour(run, "factor", settings={"column": "mood"})
    assert len(found.names) == 20
    assert found.names[-1] == "other"
    assert found.values.tolist() == [19, 19, 19]


def test_near_images_are_the_nearest_by_code_and_by_pixel(run):
    dataset, coded = results.dataset_of(run), results.codes(run)
    row = int(coded.index[7])
    found = results.nearest_images(run, "test", row, k=5)
    pixels = dataset.images[coded.index].reshape(40, -1) / 255.0
    by_code = np.linalg.norm(coded.z - coded.z[7], axis=1).astype(np.float64)
    by_pixel = np.square(pixels - pixels[7]).mean(axis=1)
    by_code[7] = by_pixel[7] = np.inf
    np.testing.assert_array_equal(found.latent_rows, coded.index[np.argsort(by_code)[:5]])
    np.testing.assert_array_equal(found.pixel_rows, coded.index[np.argsort(by_pixel)[:5]])
    np.testing.assert_allclose(found.latent_distances, np.sort(by_code)[:5], rtol=1e-4)
    np.testing.assert_allclose(found.pixel_distances, np.sort(by_pixel)[:5], rtol=1e-9)
    assert len(results.nearest_images(run, "test", row, k=100).pixel_rows) == 39


@pytest.mark.parametrize("row", [0, 10_000])
def test_an_image_outside_the_split_has_no_neighbours_in_it(row, run):
    with pytest.raises(BadValue, match=f"image {row} is not among the 40 images of the split test"):
        results.nearest_images(run, "test", row)
    with pytest.raises(BadValue, match=f"image {row}"):
        results.selection(run, "test", np.array([160, row]))


def test_class_means_are_means_in_pixels_and_in_codes(run):
    means, dataset, coded = results.class_means(run), results.dataset_of(run), results.codes(run)
    assert means.labels.tolist() == np.unique(coded.labels).tolist()
    assert means.counts.sum() == 40
    for place, label in enumerate(means.labels):
        of_class = coded.labels == label
        np.testing.assert_allclose(
            means.images[place], dataset.images[coded.index[of_class]].mean(axis=0) / 255, atol=1e-6
        )
        decoded = results.decode_codes(run, coded.z[of_class].mean(axis=0)[None])[0]
        np.testing.assert_allclose(means.decoded[place], decoded, atol=1e-5)
    np.testing.assert_array_equal(results.class_means(run).images, means.images)


def test_a_selection_is_counted_and_averaged(run):
    dataset, coded = results.dataset_of(run), results.codes(run)
    found = results.selection(run, "test", coded.index[[3, 30, 8]])
    z = coded.z[[3, 30, 8]]
    labels, counts = np.unique(coded.labels[[3, 30, 8]], return_counts=True)
    assert found.counts == dict(zip(labels.tolist(), counts.tolist(), strict=True))
    np.testing.assert_allclose(found.image, dataset.images[coded.index[[3, 30, 8]]].mean(axis=0) / 255, atol=1e-6)
    np.testing.assert_allclose(found.code, z.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(found.decoded, results.decode_codes(run, found.code[None])[0], atol=1e-5)
    # The root of the summed variances is that of the mean squared distance to the mean.
    assert found.spread == pytest.approx(np.sqrt(z.var(axis=0).sum()), rel=1e-5)


def test_nothing_selected_is_a_sentence(run):
    with pytest.raises(AevizError, match="nothing is selected"):
        results.selection(run, "test", np.empty(0, np.int64))


def test_a_colour_is_said_on_the_command_line_and_kept_for_the_app(run, capsys):
    assert main(["colour", run.id, "--name", "stretch", "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    kept_values = results.kept_colour(run, "test", "stretch").values
    assert set(told) == {"run", "name", "n", "mean", "min", "max"}
    assert (told["run"], told["name"], told["n"]) == (run.id, "stretch", 40)
    assert told["mean"] == pytest.approx(kept_values.mean())
    assert (told["min"], told["max"]) == (kept_values.min(), kept_values.max())
    assert main(["colour", run.id, "--name", "kmeans", "--set", "k=3", "--split", "train", "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["n"], told["mean"]) == (144, None)
    assert results.kept_colour(run, "train", "kmeans", {"k": 3}) is not None


def test_a_slow_colour_is_a_job_that_the_app_finds_by_its_name(run):
    job = results.colour_job(run, "test", "preservation", None, MapRequest(limit=20, settings={"dims": 3}))
    jobs.create(job.path.parent, job.path.name)
    assert (
        main(["colour", run.id, "--name", "preservation", "--limit", "20", "--dims", "3", "--job", str(job.path)]) == 0
    )
    assert job.status().state == "done"
    assert (
        results.kept_colour(run, "test", "preservation", None, MapRequest(limit=20, settings={"dims": 3})).n_known == 20
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--name", "mood"], "'mood'"),
        (["--name", "kmeans", "--set", "k=99"], "k = 99"),
        (["--name", "preservation", "--method", "magic"], "magic"),
        (["--name", "stretch", "--split", "all"], "all"),
    ],
)
def test_a_mistake_about_colours_is_one_line(arguments, said, run, capsys):
    assert main(["colour", run.id, *arguments]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told
