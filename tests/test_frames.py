"""The film of a training: fixed probes, few frames, both ends; and its maps laid over each other."""

import dataclasses
import io

import numpy as np
import pytest
import torch
from PIL import Image

from aeviz import data, training
from aeviz.errors import BadFile
from aeviz.latent.projections import align as alignment
from aeviz.latent.projections.align import Aligner, align
from aeviz.models import build
from aeviz.runs import frames as film
from aeviz.training import Recipe
from aeviz.training.doctor.measurements import observe
from aeviz.training.logs.frames import MOST_FRAMES, FrameWriter


@pytest.fixture
def digits():
    return data.load("digits", {})


@pytest.fixture
def run():
    model = {"latent_dim": 3, "body": {"name": "dense", "widths": [8]}}
    return training.prepare(Recipe.parse({"model": model, "training": {"device": "cpu"}}))


@pytest.fixture
def model(run):
    torch.manual_seed(0)
    return build(run.config().model)


def test_a_frame_holds_the_codes_of_fixed_probes_validation_first(run, digits, model):
    writer = FrameWriter(run, digits, "cpu")
    model.train()
    writer.snap(model, 0)
    writer.snap(model, 12)
    assert model.training
    frames = film.read_frames(run)
    n_val = len(digits.rows("val"))
    assert frames.steps.tolist() == [0, 12]
    assert frames.codes[1].shape == (n_val + len(digits.rows("train")), 3)
    assert frames.codes[1].dtype == np.float16
    assert sorted(frames.index[:n_val]) == digits.rows("val").tolist()
    assert np.array_equal(frames.labels, digits.labels[frames.index])
    with torch.no_grad():
        x = torch.from_numpy(digits.images[frames.index]).float() / 255
        assert np.allclose(frames.codes[1], model.eval().code(x), atol=1e-2)
    again = FrameWriter(run, digits, "cpu")
    assert np.array_equal(again.index, frames.index)


def test_codes_at_hand_are_taken_as_they_are(run, digits, model):
    writer = FrameWriter(run, digits, "cpu")
    codes = observe(model, writer)[1]
    writer.snap(model, 0)
    writer.snap(model, 1, codes)
    first, second = film.read_frames(run).codes
    assert np.allclose(first, second, atol=1e-3)
    writer.snap(model, 2, torch.full_like(codes, 1e9))
    assert np.isfinite(film.read_codes(run, 2)).all(), "float16 ends at 65504"


def test_the_same_eight_images_are_shown_in_every_frame(run, digits, model):
    FrameWriter(run, digits, "cpu").snap(model, 5)
    originals = Image.open(io.BytesIO(film.originals_path(run).read_bytes()))
    rebuilt = Image.open(io.BytesIO(film.picture_path(run, 5).read_bytes()))
    assert originals.size == rebuilt.size == (8 * 56 + 7, 56)


def test_samples_that_are_no_images_are_filmed_without_pictures(run, digits, model):
    flat = dataclasses.replace(digits, images=np.asarray(digits.images).reshape(len(digits), 64))
    model.config = model.config.model_copy(update={"sample_shape": (64,)})
    FrameWriter(run, flat, "cpu").snap(model, 5)
    assert film.frame_steps(run) == [5]
    assert not film.picture_path(run, 5).exists()
    assert not film.originals_path(run).exists()


def filmed(writer, model, steps):
    codes = torch.zeros(len(writer.index), 3)
    for step in steps:
        writer.snap(model, step, codes)


@pytest.fixture
def quick(monkeypatch):
    """Frames without pictures, written without waiting for the disk."""
    monkeypatch.setattr(FrameWriter, "_is_picture", lambda self: False)
    monkeypatch.setattr("aeviz.files.write_bytes", lambda path, content: path.write_bytes(content))
    monkeypatch.setattr("aeviz.training.logs.frames.MOST_FRAMES", 40)
    return 40


def test_a_long_film_keeps_both_ends_and_even_gaps(run, digits, model, quick):
    writer = FrameWriter(run, digits, "cpu")
    rng = np.random.default_rng(0)
    steps = np.cumsum(rng.integers(90, 110, 700)).tolist()
    for at in range(0, 700, 50):
        filmed(writer, model, steps[at : at + 50])
        kept = film.frame_steps(run)
        assert kept == writer.steps
        assert (kept[0], kept[-1]) == (steps[0], steps[at + 49])
        assert len(kept) <= quick
    gaps = np.diff(kept[:-1])
    assert len(kept) > quick / 3
    assert gaps.max() < 4 * gaps.min()


def test_the_film_goes_on_with_its_gaps_after_a_pause(run, digits, model, quick):
    filmed(FrameWriter(run, digits, "cpu"), model, range(0, 5000, 10))
    before = film.frame_steps(run)
    writer = FrameWriter(run, digits, "cpu")
    filmed(writer, model, range(5000, 5500, 10))
    kept = film.frame_steps(run)
    assert kept[: len(before) - 1] == before[:-1]
    gaps = np.diff(kept[:-1])
    assert gaps.min() >= np.diff(before[:-1]).min()


def test_frames_of_steps_that_will_be_taken_again_are_cut(run, digits, model):
    writer = FrameWriter(run, digits, "cpu")
    for step in (0, 10, 20):
        writer.snap(model, step)
    writer = FrameWriter(run, digits, "cpu")
    writer.cut(10)
    assert film.frame_steps(run) == [0, 10]
    assert not film.picture_path(run, 20).exists()
    writer.snap(model, 15)
    assert film.frame_steps(run) == [0, 10, 15]


def test_wide_codes_are_filmed_with_fewer_frames(run, digits, model, quick, monkeypatch):
    monkeypatch.setattr("aeviz.training.logs.frames.FILM_BYTES", 0)
    filmed(FrameWriter(run, digits, "cpu"), model, range(100))
    assert len(film.frame_steps(run)) <= 30 < MOST_FRAMES


def test_nothing_filmed_is_no_frames_and_a_vanished_frame_is_passed_over(run, digits, model, monkeypatch):
    nothing = film.read_frames(run)
    assert (nothing.steps.shape, nothing.codes, nothing.labels.shape) == ((0,), [], (0,))
    writer = FrameWriter(run, digits, "cpu")
    writer.snap(model, 1)
    writer.snap(model, 2)
    monkeypatch.setattr(film, "frame_steps", lambda run: [1, 2, 3])
    assert film.read_frames(run).steps.tolist() == [1, 2]
    film.codes_path(run, 2).write_bytes(b"no array")
    with pytest.raises(BadFile, match="000000002"):
        film.read_frames(run)


# Laying maps over each other.


def cloud(dims=2, n=300):
    return np.random.default_rng(0).normal(size=(n, dims)) * np.linspace(3, 1, dims)


def turned(codes, angle):
    rotation = np.eye(codes.shape[1])
    rotation[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return codes @ rotation


def test_turned_mirrored_and_moved_codes_lie_still():
    codes = cloud(5)
    frames = [codes, turned(codes, 2.0) + 7.0, codes * [-1, 1, 1, 1, -1]]
    points = align(frames)
    assert points.shape == (3, 300, 2)
    assert points.dtype == np.float32
    assert np.allclose(points[1], points[0], atol=1e-4)
    assert np.allclose(points[2], points[0], atol=1e-4)


def test_growth_stays_visible_and_fits_the_canvas():
    codes = cloud()
    points = align([codes, 4 * codes])
    assert np.allclose(points[1], 4 * points[0], atol=1e-4)
    assert np.mean(np.hypot(*points[1].T) <= 1.0) == pytest.approx(0.99, abs=0.005)


def test_frames_that_come_one_by_one_lie_as_they_would_together():
    frames = [turned(cloud(4), angle) for angle in (0, 1, 2)]
    aligner = Aligner()
    live = np.stack([aligner.add(frame) for frame in frames])
    assert np.allclose(live / aligner.radius, align(frames), atol=1e-5)


def test_codes_of_one_dimension_lie_on_a_line():
    line = cloud(1)
    points = align([line, -2 * line])
    assert not points[..., 1].any()
    assert np.allclose(points[1], 2 * points[0], atol=1e-5)


def test_a_change_of_latent_dim_keeps_the_map_in_place():
    codes = cloud(4)
    points = align([codes, codes[:, :2], np.hstack([codes, np.zeros((300, 3))])])
    assert np.allclose(points[1], points[0], atol=0.1)
    assert np.allclose(points[2], points[0], atol=0.1)


def test_degenerate_frames_lie_at_the_centre_and_disturb_no_other():
    codes = cloud(3)
    half = codes.copy()
    half[::2] = np.nan
    points = align([codes, np.ones((300, 3)), np.full((300, 3), np.nan), half, turned(codes, 1.0)])
    assert not points[1:3].any()
    assert not points[3, ::2].any()
    assert np.isfinite(points).all()
    assert np.abs(points[4] - points[0]).max() < 0.2
    assert align([]).shape == (0, 0, 2)
    assert not align([np.ones((300, 3))]).any()


def test_wide_codes_are_laid_out_by_the_same_axes(monkeypatch):
    codes = cloud(20)
    narrow = align([codes])
    monkeypatch.setattr(alignment, "WIDE", 3)
    assert np.allclose(align([codes]), narrow, atol=1e-4)
