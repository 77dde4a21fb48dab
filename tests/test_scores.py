import json
import warnings

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA as ScikitPCA
from torch import nn

from aeviz.scores.baseline import PCABaseline
from aeviz.scores.images import mse, percentile, psnr, ssim
from aeviz.scores.probe import knn_probe, linear_probe
from aeviz.scores.score import errors_per_image, score_model

SIX = ["mse", "psnr", "ssim", "knn", "linear", "trustworthiness"]
PROBES = pytest.mark.parametrize("probe", [knn_probe, linear_probe])


class Linear(nn.Module):
    """A fake model: two pixels as the code, decoded into a constant image of their mean."""

    sample_shape = (1, 8, 8)
    latent_dim = 2
    n_classes = 0

    def __init__(self, scale=1.0):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(scale))

    def code(self, x):
        return x.flatten(1)[:, [0, 63]] * self.scale

    def decode(self, z):
        return z.mean(1)[:, None, None, None].expand(-1, 1, 8, 8)


class Set:
    """A fake data set: two classes, bright and dark images."""

    def __init__(self, n=120, labelled=True, seed=0):
        rng = np.random.default_rng(seed)
        self.labels = rng.integers(0, 2, n)
        bright = self.labels[:, None, None, None] * 150
        self.images = (bright + rng.integers(0, 100, (n, 1, 8, 8))).astype(np.uint8)
        if not labelled:
            self.labels = np.full(n, -1)

    def rows(self, split):
        n = len(self.images)
        return {"train": np.arange(n // 2), "val": np.arange(0), "test": np.arange(n // 2, n)}[split]


def test_mse_of_a_constant_offset_is_its_square():
    x = np.random.default_rng(0).random((4, 3, 8, 8)).astype(np.float32)
    np.testing.assert_allclose(mse(x, x + np.float32(0.1)), np.full(4, 0.01), rtol=1e-5)
    np.testing.assert_allclose(mse(torch.from_numpy(x), torch.from_numpy(x)), np.zeros(4))


def test_psnr_of_a_hundredth_is_20_db_and_of_no_error_no_number():
    assert psnr(0.01) == pytest.approx(20)
    assert psnr(1.0) == 0
    assert [psnr(value) for value in (0.0, float("nan"), float("inf"), None)] == [None] * 4


@pytest.mark.parametrize("side", [1, 2, 5, 8, 12, 28])
def test_ssim_is_finite_at_any_size_and_one_for_the_same_image(side):
    x = np.random.default_rng(0).random((3, 3, side, side)).astype(np.float32)
    np.testing.assert_allclose(ssim(x, x), np.ones(3), atol=1e-6)
    other = ssim(x, x[::-1].copy())
    assert np.isfinite(other).all()
    assert other[0] < 0.9


@pytest.mark.parametrize("shape", [(3, 28, 28), (1, 16, 21), (1, 8, 8)])
def test_ssim_is_that_of_torchmetrics(shape):
    from torchmetrics.functional.image import structural_similarity_index_measure

    x, x_hat = torch.rand((2, 5, *shape), generator=torch.Generator().manual_seed(0))
    sigma = 1.5 * min(16, *shape[1:]) / 16
    theirs = structural_similarity_index_measure(x, x_hat, sigma=sigma, data_range=1.0, reduction="none")
    np.testing.assert_allclose(ssim(x, x_hat), theirs.numpy(), atol=1e-5)


def test_ssim_of_two_flat_images_is_the_luminance_term():
    # Without variance: (2ab + C1) / (a² + b² + C1), C1 = 0.01².
    a, b = np.full((1, 1, 28, 28), 0.2, np.float32), np.full((1, 1, 28, 28), 0.6, np.float32)
    assert ssim(a, b)[0] == pytest.approx((2 * 0.2 * 0.6 + 1e-4) / (0.04 + 0.36 + 1e-4), abs=1e-4)


def test_ssim_does_not_depend_on_how_images_are_batched():
    rng = np.random.default_rng(0)
    x, x_hat = rng.random((2, 40, 3, 200, 200)).astype(np.float32)
    np.testing.assert_allclose(ssim(x, x_hat)[-2:], ssim(x[-2:], x_hat[-2:]), rtol=1e-5)
    assert ssim(x[:0], x_hat[:0]).shape == (0,)


def test_a_percentile_counts_what_is_below_and_half_of_what_is_equal():
    assert percentile(np.array([1.0, 2, 3, 4]), 2.5) == 50
    assert percentile(np.array([1.0, 2, 2, 4]), 2) == 50
    assert percentile(np.array([1.0, np.nan]), 9) == 100
    assert percentile(np.array([]), 1) is None
    assert percentile(np.array([1.0]), float("nan")) is None


@PROBES
def test_a_probe_reads_separate_classes_without_an_error(probe):
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 3
    codes = np.eye(3)[labels] * 20 + rng.normal(size=(200, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert probe(codes[:100], labels[:100], codes[100:], labels[100:]) == 1.0


@PROBES
def test_a_probe_leaves_unknown_labels_out(probe):
    codes = np.array([[0.0], [0.1], [9.0], [9.1], [4.0]] * 4)
    labels = np.array([0, 0, 1, 1, -1] * 4)
    assert probe(codes, labels, codes, labels) == 1.0


@PROBES
def test_a_probe_without_classes_or_numbers_has_no_answer(probe):
    codes = np.random.default_rng(0).normal(size=(10, 2))
    labels = np.arange(10) % 2
    unknown = np.full(10, -1)
    assert probe(codes, np.zeros(10, dtype=int), codes, labels) is None
    assert probe(codes, unknown, codes, labels) is None
    assert probe(codes, labels, codes, unknown) is None
    assert probe(codes * np.nan, labels, codes, labels) is None


def test_the_baseline_is_scikit_learns_pca():
    images = Set().images
    x = images.reshape(120, -1) / 255
    ours, theirs = PCABaseline.fit(images, np.arange(120), 5), ScikitPCA(5, svd_solver="full").fit(x)
    overlap = np.abs(ours.components @ theirs.components_.T)
    np.testing.assert_allclose(overlap, np.eye(5), atol=1e-4)
    x_hat = theirs.inverse_transform(theirs.transform(x)).clip(0, 1).reshape(120, 1, 8, 8)
    np.testing.assert_allclose(ours.decode(ours.code(x.reshape(120, 1, 8, 8))), x_hat, atol=1e-5)
    np.testing.assert_allclose(ours.encode(images, np.arange(120)), ours.code(x), atol=1e-5)


def test_the_baseline_of_large_images_says_how_many_rows_it_was_fitted_on(monkeypatch):
    monkeypatch.setattr("aeviz.scores.baseline.MAX_SAMPLE_NUMBERS", 40 * 1200)
    rng = np.random.default_rng(0)
    low_rank = (rng.random((90, 2)) @ rng.random((2, 1200)) * 127).astype(np.uint8).reshape(90, 3, 20, 20)
    baseline = PCABaseline.fit(low_rank, np.arange(90), 2)
    assert baseline.fitted_on == 40
    assert mse(low_rank / 255, baseline.decode(baseline.code(low_rank / 255))).max() < 1e-4


@pytest.mark.parametrize("n", [1, 3])
def test_the_baseline_has_no_more_components_than_rows(n):
    baseline = PCABaseline.fit(Set().images, np.arange(n), 32)
    assert baseline.components.shape == (n, 64)
    assert np.isfinite(baseline.decode(baseline.encode(Set().images, np.arange(4)))).all()


def test_a_score_has_the_six_numbers_and_those_of_its_rival():
    score = score_model(Linear(), Set())
    assert list(score) == ["split", "n", *SIX, "pca"]
    assert list(score["pca"]) == SIX
    assert (score["split"], score["n"]) == ("test", 60)
    assert score["psnr"] == pytest.approx(-10 * np.log10(score["mse"]))
    assert score["knn"] == score["linear"] == score["pca"]["knn"] == 1.0
    assert score["pca"]["mse"] < score["mse"]
    assert score["pca"]["trustworthiness"] > 0.6
    json.dumps(score, allow_nan=False)


def test_a_score_agrees_with_the_errors_of_its_images():
    data, model = Set(), Linear()
    errors = errors_per_image(model, data.images, data.rows("test"))
    assert errors.shape == (60,)
    assert errors.mean() == pytest.approx(score_model(model, data)["mse"])


def test_a_score_without_labels_has_no_probes():
    score = score_model(Linear(), Set(labelled=False))
    assert score["knn"] is score["linear"] is score["pca"]["linear"] is None
    assert score["trustworthiness"] is not None


def test_a_diverged_model_scores_nothing_and_its_rival_still_does():
    score = score_model(Linear(scale=float("nan")), Set())
    assert [score[name] for name in SIX] == [None] * 6
    assert None not in score["pca"].values()
    json.dumps(score, allow_nan=False)


def test_an_empty_split_scores_nothing():
    score = score_model(Linear(), Set(), split="val")
    assert score["n"] == 0
    assert {score[name] for name in SIX} == {None}


def test_scores_of_the_same_model_are_the_same():
    assert score_model(Linear(), Set()) == score_model(Linear(), Set())


def test_scoring_reports_its_progress_and_can_be_cancelled():
    seen = []
    score_model(Linear(), Set(), on_step=lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == seen[-1][1]

    def cancel(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_model(Linear(), Set(), on_step=cancel)
