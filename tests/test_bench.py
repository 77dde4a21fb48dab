"""The benchmarks run, and both sides do the same work; how fast is for `make bench` to say."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from aeviz import data
from aeviz.latent.tsne import TSNESettings
from bench import measure, projection, training

SETUP = measure.Setup("cpu", threads=1, repeats=1)


@pytest.fixture
def dataset():
    return measure.cut(data.load("digits"), 500)


def test_without_real_data_the_carried_shapes_are_taken(monkeypatch):
    monkeypatch.setattr(measure, "CARRIED_IMAGES", 50)
    assert measure.choose_data().name == "shapes"


def test_both_loops_stand_in_the_table_and_learn_alike(dataset):
    (found,) = training.compare(dataset, SETUP, ["dense"], [32], epochs=8, say=lambda message: None)
    (ours,), (theirs,) = found.aeviz, found.tutorial
    mean_image_mse = float((dataset.images[:] / 255.0).var(axis=0).mean())
    assert max(ours.test_mse, theirs.test_mse) < 0.9 * mean_image_mse, "the mean image would do as well"
    assert ours.val_mse == pytest.approx(theirs.val_mse, rel=0.15)
    assert ours.test_mse == pytest.approx(theirs.test_mse, rel=0.15)
    table = training.table([found], dataset, SETUP, epochs=8)
    assert [row[2] for row in table.rows] == ["aeviz", "tutorial"]
    assert table.rows[1][-1] == "1.00"
    assert dataset.label in table.markdown()


def test_both_maps_stand_in_the_table_and_are_alike(dataset):
    codes, labels = projection.trained_codes(dataset, 150, SETUP)
    settings = TSNESettings(iterations=300, perplexity=10)
    found = projection.compare(codes, labels, SETUP, settings)
    table = projection.table(found, dataset, SETUP, settings)
    assert [row[0] for row in table.rows] == ["aeviz", "scikit-learn"]
    assert float(table.rows[0][2]) == pytest.approx(float(table.rows[1][2]), abs=0.05)
    assert float(table.rows[0][4]) == pytest.approx(float(table.rows[1][4]), rel=0.3)


def test_runs_of_a_benchmark_leave_nothing_behind(tmp_path, dataset):
    with measure.temporary_runs():
        training.train_ours(training.make_recipe("dense", 64, 1, SETUP), dataset)
    assert not (tmp_path / "runs").exists()


def test_the_divergence_is_that_of_its_definition():
    rng = np.random.default_rng(0)
    points, joint = rng.normal(size=(6, 2)), np.triu(rng.random((6, 6)), 1)
    joint = (joint + joint.T) / (2 * joint.sum())
    kernel = 1 / (1 + np.square(points[:, None] - points[None]).sum(axis=2))
    np.fill_diagonal(kernel, 0)
    off = ~np.eye(6, dtype=bool)
    expected = (joint[off] * np.log(joint[off] / (kernel / kernel.sum())[off])).sum()
    assert projection.kl_divergence(csr_matrix(joint), points) == pytest.approx(expected, rel=1e-6)
