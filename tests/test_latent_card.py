"""What t-SNE does on a card, on the processor under the name `cpu:0`, against what it does there by itself."""

import numpy as np
import pytest
import torch

from aeviz.latent.neighbours import own_nearest
from aeviz.latent.projections.tsne.attraction import kernels, similarities, symmetrised, symmetrised_on_device
from aeviz.latent.projections.tsne.repulsion import GridRepulsion, LateExtent
from aeviz.latent.projections.tsne.tsne import TSNE, TSNESettings
from aeviz.latent.quality.trustworthiness import trustworthiness

CODES = np.random.default_rng(0).normal(size=(300, 5)) + 4 * (np.arange(300) % 3)[:, None]


class Event:
    """An event of a card that has nothing else to do."""

    def record(self, stream):
        """Now."""

    def synchronize(self):
        """It is over already."""


@pytest.fixture
def idle_card(monkeypatch):
    monkeypatch.setattr("torch.cuda.Event", Event)
    monkeypatch.setattr("torch.cuda.current_stream", lambda device: None)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_neighbours_found_there_are_the_same(metric, monkeypatch):
    monkeypatch.setattr("aeviz.latent.neighbours.CHUNK_ON_GPU", 300 * 7)
    ours, theirs = (own_nearest(CODES, 9, metric, device=device) for device in ("cpu", "cpu:0"))
    np.testing.assert_allclose(theirs[0], ours[0], rtol=1e-12)
    np.testing.assert_array_equal(theirs[1], ours[1])


def test_equal_distances_keep_the_order_of_the_rows_there_too():
    square = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    np.testing.assert_array_equal(own_nearest(square, 3, device="cpu:0")[1], own_nearest(square, 3)[1])


def test_similarities_of_both_sides_joined_there_are_the_same():
    distances, rows = own_nearest(CODES, 9)
    similar = similarities(distances, kernels(distances, 3.0))
    ours, theirs = (torch.zeros(len(CODES), len(CODES)) for _ in range(2))
    for whole, (p, others, offsets) in (
        (ours, symmetrised(rows, similar)),
        (theirs, symmetrised_on_device(rows, similar, "cpu:0")),
    ):
        assert (p.dtype, others.dtype, offsets.dtype) == (torch.float32, torch.int64, torch.int64)
        whole[torch.arange(len(CODES)).repeat_interleave(offsets.diff()), others] = p
    torch.testing.assert_close(theirs, ours)
    assert float(ours.sum()) == pytest.approx(1)


def test_a_map_drawn_there_keeps_as_much():
    values = []
    for device in ("cpu", "cpu:0"):
        tsne = TSNE(TSNESettings(iterations=250, perplexity=10))
        tsne.device = device
        values.append(trustworthiness(CODES, tsne.fit(CODES)).value)
    assert values[1] == pytest.approx(values[0], abs=0.01)


def test_a_grid_for_a_map_of_a_step_ago_holds_the_map_of_now(idle_card):
    points = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    late, exact = GridRepulsion(LateExtent(10.0)), GridRepulsion()
    for grown in (1.0, 2.0, 3.0):  # less than 10 to a step
        forces, normaliser = late(grown * points)
        wanted, sum_of_all = exact(grown * points)
        torch.testing.assert_close(forces, wanted, rtol=0.05, atol=0.05 * float(wanted.abs().mean()))
        torch.testing.assert_close(normaliser, sum_of_all, rtol=1e-3, atol=0.0)
    assert late._shape > exact._shape
