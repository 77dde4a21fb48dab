"""The command line's pictures: what each axis does, directions and analogies, means, and how images are fitted."""

import json

import numpy as np
import pytest
from PIL import Image

from aeviz import data, results
from aeviz.__main__ import main
from aeviz.runs import directions
from tests import making


@pytest.fixture
def run():
    recipe = {
        "data": {"name": "digits"},
        "model": {"variant": "vae", "latent_dim": 3, "body": {"name": "dense", "widths": [16]}},
        "training": {"epochs": 1, "device": "cpu"},
    }
    return making.trained(recipe)


@pytest.fixture
def say(run, capsys):
    """A line about the run with --json; the object in its last line, and what was said beside."""

    def line(command, *arguments, code=0):
        assert main([command, run.id, *map(str, arguments), "--json"]) == code
        told = capsys.readouterr()
        return (json.loads(told.out.splitlines()[-1], parse_constant=pytest.fail) if told.out else None), told.err

    return line


@pytest.fixture
def digit(tmp_path):
    """A test image as people draw it: dark on white."""
    digits = data.load("digits")
    path = tmp_path / "dark_on_white.png"
    Image.fromarray(255 - digits.images[digits.rows("test")[3]][0]).save(path)
    return path


def arrays_of(path):
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays}


def test_a_drawing_is_turned_round_as_in_the_app_and_that_is_said(say, digit, tmp_path):
    (own, said), (as_it_is, quiet), (asked, also_quiet) = (
        say("reconstruct", digit, "--out", tmp_path / "out", *options)
        for options in ([], ["--no-invert"], ["--invert"])
    )
    assert "dark_on_white.png" in said
    assert "--no-invert" in said
    assert quiet == also_quiet == ""
    assert own["images"][0]["mse"] == asked["images"][0]["mse"] != as_it_is["images"][0]["mse"]


def test_every_line_that_reads_images_fits_them_alike(run, say, digit, tmp_path):
    say("encode", "--images", digit, "--out", tmp_path / "z.npz")
    say("walk", digit, 3, "--out", tmp_path / "w.npz")
    results.project(run, results.MapRequest())
    _, said = say("place", digit, "--fit", "pad")
    assert "dark_on_white.png" in said
    walked = arrays_of(tmp_path / "w.npz")["z"]
    np.testing.assert_allclose(walked[0], arrays_of(tmp_path / "z.npz")["z"][0], atol=1e-6)
    np.testing.assert_allclose(walked[0], walked[-1], atol=1e-5)  # test image 3 is what was drawn


def test_axes_are_swept_by_their_names_on_screen(run, say, tmp_path):
    told, _ = say("traverse", 3, "--order", "kl", "--steps", 5, "--out", tmp_path / "t.npz")
    assert sorted(row["axis"] for row in told["axes"]) == ["z1", "z2", "z3"]
    found = arrays_of(tmp_path / "t.npz")
    assert {name: values.shape for name, values in found.items()} == {
        "axis": (3,), "value": (3, 5), "z": (3, 5, 3), "x_hat": (3, 5, 1, 8, 8),
    }  # fmt: skip
    for name, values, codes in zip(found["axis"], found["value"], found["z"], strict=True):
        np.testing.assert_allclose(codes[:, int(name[1:]) - 1], values, rtol=1e-5)
    say("traverse", "--axes", "principal", "--count", 2, "--out", tmp_path / "t.png")
    scale = 112 // 8
    assert Image.open(tmp_path / "t.png").size == (9 * 8 * scale + 8 * 2, 2 * 8 * scale + 2)


def test_a_manifold_lies_over_any_two_named_axes(run, say, tmp_path):
    directions.save_direction(run, results.class_direction(run, "round", 1, 0))
    told, _ = say(
        "manifold", "--across", "z2", "--up", "round", "--through", 3, "--size", 4, "--out", tmp_path / "m.npz"
    )
    found = arrays_of(tmp_path / "m.npz")
    assert found["x_hat"].shape == (4, 4, 1, 8, 8)
    assert found["distance"].shape == (4, 4)
    assert (told["x"], told["y"]) == ([found["xs"][0], found["xs"][-1]], [found["ys"][-1], found["ys"][0]])
    np.testing.assert_allclose(np.ptp(found["z"], axis=1)[:, [0, 2]], 0, atol=1e-5)  # only z2 changes along a row
    say("manifold", "--size", 3, "--out", tmp_path / "m.png")
    assert Image.open(tmp_path / "m.png").size[0] > 3 * 8


def test_the_means_of_classes_are_pictures_and_codes(run, say, tmp_path):
    told, _ = say("mean", "--out", tmp_path / "m.npz")
    found = arrays_of(tmp_path / "m.npz")
    codes = results.codes(run, "test")
    assert found["label"].tolist() == [row["label"] for row in told["classes"]] == list("0123456789")
    np.testing.assert_allclose(found["z"][4], codes.z[codes.labels == 4].mean(axis=0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(results.decode_codes(run, found["z"]), found["x_hat"], atol=1e-5)
    one, _ = say("mean", "--class", "7", "--out", tmp_path / "seven.png")
    assert one["classes"] == [{"label": "7", "count": int(found["count"][7])}]


def test_a_direction_is_made_kept_applied_and_listed(run, say, tmp_path):
    made, _ = say("direction", "--from", "1", "--to", "0", "--name", "round")
    again, _ = say("direction", "--name", "round", "--apply", 3, "--steps", 5, "--out", tmp_path / "d.npz")
    assert made == again | {"out": None}
    found = arrays_of(tmp_path / "d.npz")
    np.testing.assert_allclose(found["vector"], directions.find_direction(run, "round").vector, rtol=1e-6)
    np.testing.assert_allclose(found["z"][3] - found["z"][2], found["vector"], atol=1e-5)
    listed, _ = say("direction")
    assert [row["name"] for row in listed["directions"]] == ["round"]
    along = ["--method", "classifier_normal", "--apply", 3, "--steps", 5, "--out", tmp_path / "d.png"]
    say("direction", "--from", "3", "--to", "8", *along)
    assert Image.open(tmp_path / "d.png").size[0] > 5 * 8


def test_an_analogy_begins_at_c_and_passes_its_answer(run, say, tmp_path):
    told, _ = say("analogy", 3, 4, 5, "--out", tmp_path / "a.npz")
    digits = data.load("digits")
    a, b, c = results.encode_images(run, digits.images[digits.rows("test")[3:6]])
    found = arrays_of(tmp_path / "a.npz")
    assert told["amounts"][4] == 1
    np.testing.assert_allclose(found["z"][0], c, atol=1e-6)
    np.testing.assert_allclose(found["z"][4], c + b - a, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["traverse", "99999", "--out", "t.png"], "359"),
        (["traverse", "--out", "t.gif"], ".png, .npz"),
        (["manifold", "--across", "z4", "--out", "m.png"], "PC 1"),
        (["mean", "--class", "zebra", "--out", "m.png"], "0 0, 1 1"),
        (["direction", "--from", "1"], "--to"),
        (["direction", "--from", "1", "--to", "77"], "77"),
        (["direction", "--name", "nobody"], "none yet"),
        (["direction", "--from", "1", "--to", "0", "--apply", "3"], "--out"),
        (["analogy", "3", "4", "nowhere.png", "--out", "a.png"], "nowhere.png"),
        (["analogy", "3", "4", "5", "--out", "a.bmp"], ".npz"),
    ],
)
def test_a_mistake_is_one_clear_line(say, arguments, said):
    _, told = say(*arguments, code=2)
    assert said in told
    assert "Traceback" not in told
