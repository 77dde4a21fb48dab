"""The truth layer, clusters and class places, against numbers that can be derived."""

import numpy as np
import pytest
import torch
from torch import nn

from aeviz.errors import BadValue, Stopped
from aeviz.latent import clusters
from aeviz.latent.clusters import hdbscan, k_means
from aeviz.latent.projections.label_positions import label_positions
from aeviz.latent.quality.pointwise import decoder_stretch, neighbour_preservation, round_trip
from aeviz.models import BODIES, LOSSES, VARIANTS, build, model_config

N = 600


class Linear(nn.Module):
    """A fake model that decodes by a matrix (F, D) and encodes by its pseudo-inverse."""

    def __init__(self, matrix, twist=1.0):
        super().__init__()
        self.matrix = nn.Parameter(torch.tensor(matrix))
        self.twist = twist
        self.latent_dim = matrix.shape[1]
        self.drop = nn.Dropout(0.5)

    def decoder_input(self, z):
        return z

    def decode_fed(self, fed):
        return self.drop(fed @ self.matrix.T)

    def decode(self, z):
        return self.decode_fed(self.decoder_input(z))

    def code(self, x):
        return self.twist * x @ torch.linalg.pinv(self.matrix).T


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def matrix(rng, features, dim):
    return rng.normal(size=(features, dim)).astype(np.float32)


def make(name, loss="mse", **settings):
    torch.manual_seed(0)
    values = {"variant": name, "sample_shape": (1, 8, 8), "latent_dim": 3, "body": {"name": "dense", "widths": [16]}}
    return build(model_config({**values, **settings}), loss).eval()


def jacobian_norms(model, z):
    """The stretch (N,) by the whole Jacobian, backwards; of what is fed, only the code counts."""
    fed = model.decoder_input(torch.tensor(z)).detach()
    whole = [torch.autograd.functional.jacobian(model.decode_fed, row[None]) for row in fed]
    return [jacobian.flatten(end_dim=-2)[:, : model.latent_dim].norm().item() for jacobian in whole]


def test_a_turned_and_enlarged_map_keeps_every_neighbour(rng):
    codes = rng.normal(size=(N, 2))
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    np.testing.assert_array_equal(neighbour_preservation(codes, 7 * codes @ turn + 3), 1)


def test_a_shuffled_map_keeps_neighbours_by_chance_only(rng):
    codes = rng.normal(size=(N, 4))
    kept = neighbour_preservation(codes, rng.permutation(codes)[:, :2], k=15)
    # The mean of N k draws of chance k / (N - 1); four standard errors, were they independent.
    assert kept.mean() == pytest.approx(15 / (N - 1), abs=4 * np.sqrt(15 / N / (N * 15)))


def test_one_torn_off_dot_loses_its_neighbours_alone():
    codes = np.arange(12.0)[:, None]
    points = np.c_[codes, np.zeros(12)]
    points[0] = [100, 0]  # its two nearest are now 10 and 11; it was the second nearest of 1 only
    # 1 had 0 and 2, and now has 2 and 3: one of two is left. All others keep theirs, by distances, not by row numbers.
    np.testing.assert_array_equal(neighbour_preservation(codes, points, k=2), [0, 0.5] + [1] * 10)


def test_equal_codes_are_no_fault_of_the_map(rng):
    codes = np.repeat(np.eye(4), 30, axis=0)
    points = codes[:, :2] * 50 + codes[:, 2:] * 20 + rng.normal(size=(120, 2))
    np.testing.assert_array_equal(neighbour_preservation(codes, points, k=15), 1)


def test_neighbours_are_cut_to_those_there_are():
    np.testing.assert_array_equal(neighbour_preservation(np.eye(3), np.eye(3)[:, :2], k=15), 1)
    assert np.isnan(neighbour_preservation(np.zeros((1, 3)), np.zeros((1, 2)))).all()


@pytest.mark.parametrize("dim", [1, 5, 64])
def test_a_linear_decoder_is_stretched_by_the_frobenius_norm_of_its_matrix(rng, dim):
    model = Linear(matrix(rng, 30, dim))
    stretch = decoder_stretch(model, rng.normal(size=(7, dim)), batch_size=3)
    np.testing.assert_allclose(stretch, np.linalg.norm(model.matrix.detach()), rtol=1e-5)
    assert model.training


def test_beyond_64_numbers_the_stretch_is_estimated_alike_each_time_and_without_bias(rng):
    model = Linear(matrix(rng, 40, 128))
    codes = np.zeros((1, 128))
    squares = [decoder_stretch(model, codes, seed=seed)[0] ** 2 for seed in range(40)]
    true = float(np.linalg.norm(model.matrix.detach())) ** 2
    assert decoder_stretch(model, codes)[0] ** 2 == squares[0]
    assert np.std(squares) < 0.2 * true
    assert np.mean(squares) == pytest.approx(true, abs=4 * np.std(squares) / np.sqrt(40))


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_s_stretch_is_the_norm_of_its_jacobian(name):
    model = make(name)
    z = model.code(torch.rand(5, 1, 8, 8)).detach().numpy()
    stretch = decoder_stretch(model, z)
    assert (stretch > 0).all()
    np.testing.assert_allclose(stretch, jacobian_norms(model, z), rtol=1e-4)


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("loss", LOSSES)
def test_every_body_s_stretch_is_the_norm_of_its_jacobian(body, loss, rng):
    model = make("autoencoder", loss, body={"name": body})
    z = rng.normal(size=(3, 3)).astype(np.float32)
    np.testing.assert_allclose(decoder_stretch(model, z), jacobian_norms(model, z), rtol=1e-4)


def test_there_and_back_by_an_exact_inverse_is_no_way_at_all(rng):
    model, z = Linear(matrix(rng, 30, 4)), rng.normal(size=(9, 4)).astype(np.float32)
    np.testing.assert_allclose(round_trip(model, z, batch_size=2), 0, atol=1e-5)
    model.twist = 3.0
    np.testing.assert_allclose(round_trip(model, z), 2 * np.linalg.norm(z, axis=1), rtol=1e-4)


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_s_codes_go_there_and_back(name, rng):
    model, z = make(name), rng.normal(size=(5, 3)).astype(np.float32)
    with torch.no_grad():
        back = model.code(model.decode(torch.tensor(z))).numpy()
    np.testing.assert_allclose(round_trip(model, z, batch_size=2), np.linalg.norm(back - z, axis=1), rtol=1e-4)


@pytest.mark.parametrize(
    "work",
    [
        lambda codes, on_step: neighbour_preservation(codes, codes[:, :2], on_step=on_step),
        lambda codes, on_step: decoder_stretch(Linear(np.eye(3, dtype=np.float32)), codes, on_step=on_step),
        lambda codes, on_step: round_trip(Linear(np.eye(3, dtype=np.float32)), codes, on_step=on_step),
        lambda codes, on_step: hdbscan(codes, 5, on_step=on_step),
    ],
    ids=["preservation", "stretch", "round trip", "hdbscan"],
)
def test_slow_work_tells_how_far_it_is_and_can_be_cancelled(work, rng):
    codes, seen = rng.normal(size=(N, 3)), []
    work(codes, lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1]

    def stop(done, total):
        raise Stopped("stopped as asked")

    with pytest.raises(Stopped):
        work(codes, stop)


def islands(rng, sizes=(50, 120, 80)):
    """Codes in three round islands far apart, in mixed order, and the number of each one's island."""
    where = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return np.eye(4)[where] * 100 + rng.normal(size=(len(where), 4)), where


@pytest.mark.parametrize("find", [lambda z: k_means(z, 3), lambda z: hdbscan(z, 10)[0]], ids=["k-means", "hdbscan"])
def test_islands_are_clusters_the_largest_first(find, rng):
    codes, where = islands(rng)
    found = find(codes)
    order = np.array([2, 0, 1])[where]  # by size: 120, 80, 50
    assert (found == order).mean() > 0.9
    assert set(found[found != order]) <= {-1}
    np.testing.assert_array_equal(found, find(codes))


def test_loners_are_in_no_cluster(rng):
    codes, _ = islands(rng)
    found, _ = hdbscan(np.concatenate([codes, [[900, 900, 0, 0], [-900, 0, 0, 900]]]), 10)
    assert found[-2:].tolist() == [-1, -1]


def test_many_codes_are_clustered_by_a_sample_that_the_others_follow(rng, monkeypatch):
    monkeypatch.setattr(clusters, "MAX_FITTED", 100)
    codes, where = islands(rng)
    found, fitted = hdbscan(codes, 10)
    assert fitted == 100
    for island in range(3):
        numbers = found[(where == island) & (found >= 0)]
        assert len(numbers) > 0.8 * (where == island).sum()
        assert len(np.unique(numbers)) == 1


def test_clusters_that_cannot_be_are_refused_with_the_numbers():
    with pytest.raises(BadValue, match=r"k = 9 clusters .* 5 codes"):
        k_means(np.eye(5), 9)
    with pytest.raises(BadValue, match=r"min_cluster_size = 9 .* 5 codes"):
        hdbscan(np.eye(5), 9)
    with pytest.raises(BadValue, match="1 of 5 codes are not finite"):
        k_means(np.where(np.eye(5) * [1, 0, 0, 0, 0], np.nan, 0), 2)


def test_there_are_no_more_clusters_than_different_codes():
    found = k_means(np.eye(3)[np.arange(20) % 2], 4)
    np.testing.assert_array_equal(found, np.arange(20) % 2)


def test_a_class_is_named_where_its_dots_lie_most_densely(rng):
    torn = rng.normal(size=(400, 2))
    torn[300:, 0] += 50
    ring = np.array([[np.cos(t), np.sin(t)] for t in rng.uniform(0, 2 * np.pi, 400)]) * 10 + [0, 200]
    points = np.concatenate([torn, ring, [[1e6, 1e6]], [[7.0, 7.0]]])
    labels = np.repeat([0, 1, -1, 5], [400, 400, 1, 1])
    places = label_positions(points, labels)
    assert set(places) == {0, 1, 5}
    assert np.linalg.norm(places[0]) < 2  # the mean would be at (12.5, 0), among no dots
    assert np.linalg.norm(np.subtract(places[1], [0, 200])) == pytest.approx(10)  # on the ring, not in its middle
    assert places[5] == (7.0, 7.0)
    order = rng.permutation(len(points))
    assert label_positions(points[order], labels[order]) == places


def test_a_far_outlier_does_not_draw_the_name_away(rng):
    points = np.concatenate([rng.normal(size=(500, 2)), [[1e5, 1e5]]])
    assert np.linalg.norm(label_positions(points, np.zeros(501))[0]) < 1
