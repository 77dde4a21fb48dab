import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness as scikit_trustworthiness
from torch import nn

from aeviz.latent.encode import decode, encode, reconstruct
from aeviz.latent.neighbours import nearest, own_nearest
from aeviz.latent.quality.trustworthiness import continuity, knn_accuracy, trustworthiness


class Halves(nn.Module):
    """A fake model: the code is the first two pixels, and an image of them repeated comes back."""

    sample_shape = (1, 4, 4)
    latent_dim = 2

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.drop = nn.Dropout(0.5)

    def code(self, x):
        return self.drop(x.flatten(1)[:, :2]) * self.scale

    def decode(self, z):
        return z.repeat(1, 8).reshape(-1, 1, 4, 4)


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, size=(50, 1, 4, 4), dtype=np.uint8)


@pytest.fixture
def codes():
    return np.random.default_rng(1).normal(size=(300, 5)).astype(np.float32)


def test_encoding_gives_the_rows_asked_for_in_order_and_as_floats_in_0_1(images):
    rows = np.array([7, 3, 49])
    z = encode(Halves(), images, rows, batch_size=2)
    assert z.dtype == np.float32
    np.testing.assert_allclose(z, images[rows].reshape(3, -1)[:, :2] / 255, rtol=1e-6)


def test_encoding_nothing_gives_no_codes(images):
    assert encode(Halves(), images, np.array([], dtype=np.int64)).shape == (0, 2)


def test_encoding_reads_read_only_memory(images):
    images.flags.writeable = False
    assert encode(Halves(), images, np.arange(50)).shape == (50, 2)


def test_encoding_uses_evaluation_mode_and_leaves_the_mode_as_it_was(images):
    model = Halves()
    encode(model, images, np.arange(5))
    assert model.training
    model.eval()
    encode(model, images, np.arange(5))
    assert not model.training


def test_encoding_can_be_cancelled_between_batches(images):
    seen = []

    def on_step(done, total):
        seen.append((done, total))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode(Halves(), images, np.arange(50), batch_size=10, on_step=on_step)
    assert seen == [(10, 50)]


def test_reconstruction_streams_images_codes_and_what_came_back(images):
    model = Halves()
    batches = list(reconstruct(model, images, np.arange(50), batch_size=20))
    assert [len(batch.rows) for batch in batches] == [20, 20, 10]
    assert batches[0].x.dtype == np.uint8
    z = np.concatenate([batch.z for batch in batches])
    np.testing.assert_array_equal(z, encode(model, images, np.arange(50)))
    np.testing.assert_array_equal(np.concatenate([batch.x_hat for batch in batches]), decode(model, z, batch_size=7))


def test_a_stream_does_not_leave_its_caller_in_inference_mode(images):
    for _ in reconstruct(Halves(), images, np.arange(3)):
        assert not torch.is_inference_mode_enabled()


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_nearest_neighbours_are_those_of_the_whole_distance_matrix(codes, metric):
    queries = np.random.default_rng(2).normal(size=(40, 5))
    if metric == "euclidean":
        every = np.linalg.norm(codes[None] - queries[:, None], axis=2)
    else:
        unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (queries, codes.astype(np.float64))]
        every = 1 - unit[0] @ unit[1].T
    distances, rows = nearest(codes, queries, 4, metric)
    np.testing.assert_array_equal(rows, np.argsort(every, axis=1)[:, :4])
    np.testing.assert_allclose(distances, np.sort(every, axis=1)[:, :4], atol=1e-12)


def test_own_neighbours_leave_the_row_itself_out_even_among_equals():
    distances, rows = own_nearest(np.zeros((6, 3)), 10)
    assert rows.shape == (6, 5)
    assert not (rows == np.arange(6)[:, None]).any()
    assert not distances.any()


def test_equal_distances_come_in_row_order():
    assert nearest(np.array([[1.0], [-1.0], [1.0], [5.0]]), np.zeros((1, 1)), 3)[1].tolist() == [[0, 1, 2]]


def test_tight_groups_far_from_the_centre_are_told_apart():
    codes = np.concatenate([np.full((50, 2), 1000.0), np.full((50, 2), -1000.0)])
    codes[:, 0] += np.arange(100) * 1e-5
    np.testing.assert_array_equal(own_nearest(codes, 1)[1][[0, 49, 50, 99], 0], [1, 48, 51, 98])


# From 257 features on, distances are float32, and those equal to seven digits count as ties.
@pytest.mark.parametrize(("features", "tolerance"), [(6, 1e-9), (300, 1e-4)])
def test_trustworthiness_is_scikit_learns(features, tolerance):
    rng = np.random.default_rng(4)
    high, low = rng.normal(size=(200, features)), rng.normal(size=(200, 2))
    for k in (5, 15):
        expected = scikit_trustworthiness(high, low, n_neighbors=k)
        assert trustworthiness(high, low, k).value == pytest.approx(expected, abs=tolerance)
        assert continuity(low, high, k).value == pytest.approx(expected, abs=tolerance)


def test_trustworthiness_of_one_swapped_pair_is_as_derived_by_hand():
    # On the line 0 1 2.1 3.3 4.6 the first and the third change places; k = 1, n = 5.
    high = np.array([[0.0], [1.0], [2.1], [3.3], [4.6]])
    low = high[[2, 1, 0, 3, 4]]
    # Nearest on the map, with its rank on the line: 0 -> 1 (1), 1 -> 2 (2), 2 -> 1 (1), 3 -> 0 (4), 4 -> 3 (1).
    # What goes beyond k: 0 1 0 3 0.
    assert trustworthiness(high, low, 1).value == pytest.approx(1 - 2 / (5 * 1 * (2 * 5 - 3 - 1)) * (1 + 3))


def test_a_faithful_map_is_trusted_fully_even_with_duplicates():
    high = np.repeat(np.random.default_rng(5).normal(size=(20, 4)), 10, axis=0)
    assert trustworthiness(high, high * 2).value == pytest.approx(1)
    assert continuity(high, high * 2).value == pytest.approx(1)


def test_a_collapsed_map_is_trusted_no_more_than_chance():
    high = np.sort(np.random.default_rng(6).normal(size=(400, 1)), axis=0)
    assert 0.4 < trustworthiness(high, np.zeros((400, 2))).value < 0.6


def test_quality_says_how_many_rows_and_neighbours_it_used():
    x = np.random.default_rng(7).normal(size=(10_050, 2))
    assert trustworthiness(x, x)[1:] == (10_000, 15)
    assert trustworthiness(x[:11], x[:11]) == (1.0, 11, 5)
    assert trustworthiness(x[:2], x[:2]).value is None
    assert trustworthiness(x[:50], np.full((50, 2), np.nan)).value is None


def test_neighbours_tell_separate_classes_apart_and_unknown_labels_are_left_out():
    rng = np.random.default_rng(8)
    labels = rng.integers(0, 3, 300)
    x = labels[:, None] * 50 + rng.normal(size=(300, 2))
    half_known = np.where(np.arange(300) % 2, labels, -1)
    assert knn_accuracy(x, labels) == 1.0
    assert knn_accuracy(x, half_known) == 1.0


def test_neighbour_accuracy_needs_two_known_classes():
    x = np.random.default_rng(9).normal(size=(40, 2))
    assert knn_accuracy(x, np.zeros(40, dtype=int)) is None
    assert knn_accuracy(x, np.full(40, -1)) is None
    assert knn_accuracy(x, np.arange(40)) is None


def test_classes_with_few_members_are_no_obstacle():
    x = np.concatenate([np.zeros((30, 2)), np.ones((2, 2)) * 9, np.ones((1, 2)) * 99])
    accuracy = knn_accuracy(x, np.repeat([0, 1, 2], [30, 2, 1]), k=1)
    assert accuracy == pytest.approx(32 / 33)


def test_neighbours_know_the_digits():
    digits = load_digits()
    assert 0.97 < knn_accuracy(digits.data[:600], digits.target[:600], k=5) <= 1
