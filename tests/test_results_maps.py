"""Maps of a run: kept, watched while they are computed, stopped, gone on with, judged, and placed on."""

import math
import time

import numpy as np
import pytest

from aeviz import jobs, results, training
from aeviz.errors import BadValue, NotNow, Stopped
from aeviz.latent.projections.register import PROJECTIONS
from aeviz.results import MapRequest

TSNE = MapRequest(method="tsne", limit=150, settings={"iterations": 90, "perplexity": 10})


@pytest.fixture
def run():
    recipe = {
        "data": {"name": "digits"},
        "model": {"latent_dim": 4, "body": {"name": "dense", "widths": [32]}},
        "training": {"epochs": 1, "device": "cpu"},
    }
    made = training.prepare(training.Recipe.parse(recipe))
    with jobs.hold_job(made) as worker:
        training.work(made, worker)
    return made


def stop_at(iteration):
    def report(done, total, message):
        if message == "Computing t-SNE" and done >= iteration:
            raise Stopped("stopped as asked")

    return report


def test_frames_tell_iteration_divergence_and_seconds_left(run):
    frames = []
    drawn = results.project(run, TSNE, on_frame=frames.append)
    assert [frames[0].iteration, frames[0].iterations] == [0, 90]
    assert math.isnan(frames[0].kl)
    assert math.isnan(frames[0].seconds_left)
    assert all(frame.points.shape == (150, 2) and frame.points.dtype == np.float32 for frame in frames)
    assert all(frame.kl > 0 and frame.seconds_left >= 0 for frame in frames[1:])
    assert (frames[-1].iteration, frames[-1].seconds_left) == (90, 0)
    np.testing.assert_array_equal(frames[-1].points, drawn.points)
    shown = []
    again = results.project(run, TSNE, on_frame=shown.append)
    assert not shown, "a kept map is read, not computed"
    np.testing.assert_array_equal(again.points, drawn.points)


def test_a_stop_keeps_what_is_there_and_going_on_takes_it_up(run):
    with pytest.raises(Stopped):
        results.project(run, TSNE, report=stop_at(30))
    kept = results.kept_map(run, TSNE)
    assert kept.notes["stopped_at"] == kept.notes["iterations"] == 30
    frames = []
    results.quality(run, TSNE)
    whole = results.resume_map(run, TSNE, on_frame=frames.append)
    assert results.kept_quality(run, TSNE) is None, "what was said of the points before is forgotten"
    np.testing.assert_array_equal(frames[0].points, kept.points)
    assert whole.notes["iterations"] == 90
    assert "stopped_at" not in whole.notes
    assert whole.seconds > kept.seconds
    np.testing.assert_array_equal(results.kept_map(run, TSNE).points, whole.points)
    assert results.resume_map(run, TSNE).notes["iterations"] == 180


def test_a_stop_before_anything_moved_writes_nothing(run):
    with pytest.raises(Stopped):
        results.project(run, TSNE, report=stop_at(0))
    assert results.kept_map(run, TSNE) is None
    assert results.resume_map(run, TSNE).notes["iterations"] == 90, "there is nothing to go on from, so it begins"


def test_a_job_s_latest_frame_is_read_from_its_folder(run, monkeypatch):
    assert results.map_frame(run, TSNE) is None
    job = jobs.create(results.map_job(run, TSNE).path.parent, results.map_job(run, TSNE).path.name)
    monkeypatch.setattr("aeviz.results.maps.frames.SECONDS_BETWEEN", 60.0)
    file = results.FrameFile(job.path)
    points = np.ones((5, 2))
    file.write(results.Frame(10, 90, 1.5, 2.0, points))
    file.write(results.Frame(20, 90, 1.4, 1.0, points))
    seen = results.map_frame(run, TSNE)
    assert (seen.iteration, seen.iterations, seen.kl, seen.seconds_left) == (10, 90, 1.5, 2.0), "the next was too soon"
    assert seen.points.dtype == np.float32
    results.FrameFile(job.path).write(results.Frame(30, 90, float("nan"), float("nan"), points))
    assert results.map_frame(run, TSNE).iteration == 30
    assert math.isnan(results.map_frame(run, TSNE).kl)
    results.drop_frame(run, TSNE)
    assert results.map_frame(run, TSNE) is None
    results.drop_frame(run, TSNE)
    (job.path / "frame.npz").write_bytes(b"torn")
    assert results.map_frame(run, TSNE) is None


@pytest.mark.parametrize("name", [name for name, cls in PROJECTIONS.items() if not cls.missing()])
def test_images_of_the_map_land_on_their_dots_alone_or_together(run, name):
    settings = {"tsne": TSNE.settings, "custom": {"directions": [[1, 2, 3, 4]]}}.get(name, {})
    request = MapRequest(method=name, limit=150, settings=settings)
    drawn = results.project(run, request)
    pixels = np.asarray(results.dataset_of(run).images[drawn.index])
    placed = results.place(run, request, pixels)
    width = float(np.ptp(drawn.points, axis=0).max())
    assert np.mean(np.linalg.norm(placed.points - drawn.points, axis=1) < 0.02 * width) >= 0.95
    assert np.mean(placed.neighbours[:, 0] == np.arange(150)) > 0.9
    assert (placed.neighbours.shape, placed.z.shape) == ((150, 5), (150, 4))
    assert (np.diff(placed.distances, axis=1) >= 0).all()
    alone = [results.place(run, request, pixels[row : row + 1]).points[0] for row in (0, 7, 149)]
    np.testing.assert_array_equal(placed.points[[0, 7, 149]], alone)


def test_placing_on_a_map_that_was_not_made_names_the_line_that_makes_it(run):
    request = TSNE.model_copy(update={"settings": {"perplexity": 12.0, "dims": 2}})
    line = rf"no such t-SNE map yet; create it with: python -m aeviz project {run.id} --method tsne .*perplexity=12\.0"
    with pytest.raises(NotNow, match=line):
        results.place(run, request, np.zeros((1, 1, 8, 8), np.uint8))
    assert "--set" not in MapRequest(method="pca").options()


def test_a_large_map_is_judged_on_a_sample_that_is_told(run, monkeypatch):
    monkeypatch.setattr("aeviz.results.maps.maps.MAX_ROWS", 100)
    judged = results.quality(run, MapRequest(method="pca"))
    assert judged["judged"] == 100
    assert 0.5 < judged["trustworthiness"] <= 1
    assert results.quality(run, MapRequest(method="pca", limit=60))["judged"] == 60


def test_the_discriminant_of_a_set_without_labels_says_so(run, monkeypatch):
    codes = results.codes(run)
    unlabelled = results.Codes(codes.z, np.full_like(codes.labels, -1), codes.index)
    monkeypatch.setattr("aeviz.results.maps.maps.codes", lambda *_: unlabelled)
    with pytest.raises(BadValue, match="at least 2 classes, here are 0"):
        results.project(run, MapRequest(method="lda"))
    assert results.quality(run, MapRequest(method="pca"))["knn_map"] is None


def test_a_job_writes_frames_and_keeps_what_is_there_when_it_is_asked_to_stop(run):
    request = MapRequest(method="tsne", settings={"iterations": 5000})
    job = results.map_job(run, request)
    job = jobs.create(job.path.parent, job.path.name)
    jobs.start(job, "project", run.id, *request.options(), "--job", str(job.path))
    end = time.monotonic() + 60
    while (time.monotonic() < end and not (frame := results.map_frame(run, request))) or frame.iteration == 0:
        time.sleep(0.05)
    job.ask("stop")
    while job.status().state in jobs.LIVE:
        time.sleep(0.05)
    assert job.status().state == "stopped"
    assert results.kept_map(run, request).notes["stopped_at"] >= frame.iteration > 0
