"""Paths between codes: where they lead, how far from the data, and what they cost by the decoder's metric."""

import numpy as np
import pytest
import torch
from torch import nn

from aeviz.errors import BadValue
from aeviz.latent.paths.geodesic import NODES, Metric, geodesic
from aeviz.latent.paths.neighbour_graph import NeighbourGraph
from aeviz.latent.paths.paths import PATHS, Context, distance_to_data, lerp, neighbour_distance, slerp
from aeviz.models import VARIANTS, build, model_config


class Bump(nn.Module):
    """A fake decoder over the plane whose pictures are its places and how high they lie on a hill at the origin."""

    latent_dim = 2

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def decode(self, z):
        hill = 10 * torch.exp(-z.square().sum(1, keepdim=True) * 4)
        return torch.cat([z, hill], 1)[:, :, None, None] * self.scale  # (B, 3, 1, 1)


@pytest.fixture
def half_circle():
    """Codes (400, 2) on the upper half of the unit circle, from (-1, 0) to (1, 0)."""
    angle = np.linspace(np.pi, 0, 400)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


def context(dim, model=None, seed=0):
    return Context(np.random.default_rng(seed).normal(size=(60, dim)).astype(np.float32), model)


def small_vae(dim=3):
    torch.manual_seed(0)
    return build(
        model_config(
            {"variant": "vae", "sample_shape": (1, 4, 4), "latent_dim": dim, "body": {"name": "dense", "widths": [8]}}
        )
    )


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize("stops", [2, 3, 4])
def test_a_path_passes_its_stops_exactly(path, stops):
    ends = np.random.default_rng(1).normal(size=(stops, 3)).astype(np.float32)
    z = path.walk(ends, 8, context(3, small_vae()))
    assert z.shape == (8, 3)
    assert z.dtype == np.float32
    np.testing.assert_array_equal(z[np.rint(np.linspace(0, 7, stops)).astype(int)], ends)


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize(("stops", "steps"), [(1, 8), (5, 8), (2, 2), (2, 65), (4, 3)])
def test_a_path_says_what_it_cannot_pass(path, stops, steps):
    with pytest.raises(BadValue, match="a path"):
        path.walk(np.eye(5, 3)[:stops], steps, context(3, small_vae()))


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_a_path_from_a_code_to_itself_stays_there(path):
    z = np.float32([[0.3, -1, 2]] * 2)
    np.testing.assert_allclose(path.walk(z, 5, context(3, small_vae()))[[0, -1]], z)


@pytest.mark.parametrize("name", VARIANTS)
def test_only_vaes_are_walked_by_their_decoder(name):
    values = {"variant": name, "sample_shape": (1, 4, 4), "latent_dim": 3, "body": {"name": "dense", "widths": [8]}}
    model = build(model_config(values))
    able = {path.name for path in PATHS.values() if path.available(model)}
    assert able - {"geodesic"} == {"straight", "spherical", "data"}
    assert ("geodesic" in able) == (name in ("vae", "beta_vae", "beta_tc_vae", "cvae"))


def test_the_straight_path_is_halfway_at_half_time():
    np.testing.assert_allclose(lerp(np.zeros(2), np.array([2.0, 4.0]), 3)[1], [1, 2])


def test_the_round_path_keeps_the_length_and_goes_through_45_degrees():
    codes = slerp(np.array([1.0, 0.0]), np.array([0.0, 1.0]), 3)
    np.testing.assert_allclose(codes[1], [0.5**0.5, 0.5**0.5], rtol=1e-6)


@pytest.mark.parametrize("b", [[2.0, 0.0], [-1.0, 0.0], [0.0, 0.0]], ids=["parallel", "opposite", "zero"])
def test_the_round_path_is_straight_where_there_is_no_circle(b):
    a = np.array([1.0, 0.0])
    np.testing.assert_array_equal(slerp(a, np.array(b), 5), lerp(a, np.array(b), 5))


def test_a_path_through_the_data_follows_a_half_circle_that_the_straight_one_leaves(half_circle):
    ends, around = half_circle[[0, -1]], Context(half_circle)
    data, straight = (PATHS[name].walk(ends, 21, around) for name in ("data", "straight"))
    np.testing.assert_allclose(np.linalg.norm(data, axis=1), 1, atol=1e-3)
    angles = np.arctan2(data[:, 1], data[:, 0])
    np.testing.assert_allclose(np.diff(angles), -np.pi / 20, rtol=0.02)  # evenly along it
    # The straight path passes the origin, 1 away from every code; neighbours are pi / 399 apart.
    assert distance_to_data(straight, half_circle).max() == pytest.approx(399 / np.pi, rel=1e-3)
    assert distance_to_data(data, half_circle).max() < 1


def test_a_path_leads_from_one_island_of_data_to_another_over_the_narrowest_place():
    xs = np.arange(20.0)
    islands = np.concatenate([np.stack([xs, 0 * xs], 1), np.stack([xs, 5 + xs], 1)])  # nearest at x = 0
    path = NeighbourGraph.of(islands, k=3).path(islands[19], islands[39], k=3)
    assert [0.0, 0.0] in path.tolist()
    assert [0.0, 5.0] in path.tolist()


def test_equal_codes_are_no_obstacle():
    codes = np.repeat([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]], 30, axis=0)
    z = PATHS["data"].walk(codes[[0, -1]], 5, Context(codes))
    np.testing.assert_allclose(z, [[0, 0], [0.5, 0], [1, 0], [1.5, 0], [2, 0]], atol=1e-6)
    assert neighbour_distance(codes) == 1
    assert neighbour_distance(codes[:30]) == 1


def test_codes_that_are_no_numbers_have_no_paths():
    with pytest.raises(BadValue, match="numbers"):
        PATHS["data"].walk(np.zeros((2, 2)), 5, Context(np.full((9, 2), np.nan)))


def test_the_distance_to_the_data_is_in_neighbours_distances():
    known = np.arange(100.0)[:, None] * 3
    np.testing.assert_allclose(distance_to_data(np.array([[-6.0], [1.5], [30.0]]), known), [2, 0.5, 0])


def test_a_geodesic_has_less_energy_than_the_line_and_goes_around_the_hill():
    known = np.stack(np.meshgrid(*[np.linspace(-2, 2, 41)] * 2), axis=-1).reshape(-1, 2)
    metric = Metric.of(Bump(), known, unit=1.0)
    a, b = np.float32([-1, 0.05]), np.float32([1, 0.05])
    curve = geodesic(metric, a, b)
    assert curve.shape == (NODES, 2)
    np.testing.assert_allclose(curve[[0, -1]], [a, b], atol=1e-6)
    assert metric.energy(curve) < 0.5 * metric.energy(lerp(a, b, NODES))
    assert np.linalg.norm(curve, axis=1).min() > 0.5


def test_a_geodesic_of_a_flat_space_is_the_line():
    class Flat(Bump):
        def decode(self, z):
            return (z * self.scale)[:, :, None, None]

    everywhere = lerp(np.float32([-1, 0]), np.float32([1, 0]), NODES)
    metric = Metric.of(Flat(), everywhere, 1.0)
    # Speed 2 in pixels on the data, so the energy is 4.
    assert metric.energy(everywhere) == pytest.approx(4)
    np.testing.assert_allclose(geodesic(metric, everywhere[0], everywhere[-1]), everywhere, atol=1e-3)


def test_energy_grows_away_from_the_data():
    metric = Metric.of(Bump(), np.zeros((1, 2)), 1.0)
    near, far = (np.stack([np.full(NODES, x), np.linspace(0, 1, NODES)], 1) for x in (5.0, 10.0))
    # Both pictures change by 1, at a mean squared distance of x² + 1/3, to which 1 is added.
    assert metric.energy(far) / metric.energy(near) == pytest.approx((101 + 1 / 3) / (26 + 1 / 3), rel=1e-3)


def test_looking_for_a_geodesic_leaves_the_shared_model_alone():
    model = small_vae()
    PATHS["geodesic"].walk(np.float32([[0, 0, 0], [1, 1, 1]]), 5, context(3, model))
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())
