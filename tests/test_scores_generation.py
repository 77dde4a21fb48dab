"""How good samples are: distances of Gaussians that can be derived, and sets that are known to overlap or not."""

import numpy as np
import pytest
import torch

from aeviz.scores.classifier import FEATURES, train_classifier
from aeviz.scores.generation import frechet, precision_recall

RNG = np.random.default_rng


def with_moments(mean, covariance, n=500, seed=0):
    """Rows (n, F) of exactly this mean and covariance."""
    x = RNG(seed).normal(size=(n, len(mean)))
    x -= x.mean(axis=0)
    white = x @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T))).T
    return white @ np.linalg.cholesky(covariance).T + mean


def test_the_frechet_distance_of_two_gaussians_is_the_formula_s():
    # Of diagonal covariances: |difference|² + sum of (s - t)².
    a = with_moments([0.0, 0], np.diag([4.0, 9]))
    b = with_moments([1.0, 2], np.diag([1.0, 25]), n=300, seed=1)
    assert frechet(a, b) == pytest.approx(1 + 4 + (2 - 1) ** 2 + (3 - 5) ** 2)
    assert frechet(b, a) == pytest.approx(frechet(a, b))


def test_the_frechet_distance_does_not_depend_on_the_axes():
    turn, _ = np.linalg.qr(RNG(2).normal(size=(3, 3)))
    a, b = RNG(0).normal(size=(100, 3)), RNG(1).normal(size=(100, 3)) * [1, 3, 0.1]
    assert frechet(a @ turn, b @ turn) == pytest.approx(frechet(a, b))


def test_a_set_has_no_distance_to_itself_even_with_features_that_never_change():
    a = np.pad(RNG(0).normal(size=(50, 2)), ((0, 0), (0, 3)))
    assert frechet(a, a) == pytest.approx(0, abs=1e-6)


def test_a_set_covers_itself_and_nothing_far_away():
    a = RNG(0).normal(size=(200, 5)).astype(np.float32)
    assert precision_recall(a, a) == (1, 1)
    assert precision_recall(a, a + 100) == (0, 0)


def test_fakes_of_half_the_truth_are_precise_but_do_not_recall():
    real = RNG(0).uniform(size=(2000, 1))
    found = precision_recall(real, RNG(1).uniform(high=0.5, size=(2000, 1)))
    assert found.precision > 0.98
    assert found.recall == pytest.approx(0.5, abs=0.03)


def test_what_cannot_be_judged_has_no_number():
    a = RNG(0).normal(size=(10, 2))
    for b in (a[:1], a[:0], np.full((10, 2), np.nan)):
        assert frechet(a, b) is None
        assert precision_recall(a, b) == (None, None)


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 9)])
def test_a_classifier_learns_dark_from_bright_and_is_the_same_again(shape):
    rng = RNG(0)
    labels = np.where(np.arange(600) % 7 == 6, -1, np.arange(600) % 2)
    bright = np.where(labels > 0, 150, 0)[:, None, None, None]
    images = (bright + rng.integers(0, 100, (600, *shape))).astype(np.uint8)
    before = torch.random.get_rng_state()
    classifier = train_classifier(images, labels, np.arange(600), 2)
    assert torch.equal(torch.random.get_rng_state(), before)
    with torch.no_grad():
        said = classifier(torch.from_numpy(images).float() / 255).argmax(1).numpy()
    assert (said == labels)[labels >= 0].mean() > 0.95
    features = classifier.features(images[:9])
    assert features.shape == (9, FEATURES)
    np.testing.assert_allclose(classifier.features(images[:9] / np.float32(255)), features, rtol=1e-4, atol=1e-5)
    again = train_classifier(images, labels, np.arange(600), 2)
    np.testing.assert_array_equal(again.features(images[:9]), features)
