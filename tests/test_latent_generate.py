"""Sweeps, directions and samplers, against numbers that can be derived."""

import numpy as np
import pytest
import torch
from torch import nn

from aeviz.errors import BadValue
from aeviz.latent.directions import METHODS, analogy, classifier_normal, mean_difference, shift, specificity
from aeviz.latent.paths.traversals import (
    coordinates,
    effect,
    grid,
    kl_by_dimension,
    plane_ranges,
    principal_axes,
    ranges,
    traverse,
)
from aeviz.latent.sampling.mixture import Mixture
from aeviz.latent.sampling.samplers import SAMPLERS, SampleSettings
from aeviz.models import VARIANTS, build, model_config

RNG = np.random.default_rng


def make(name, dim=3):
    torch.manual_seed(0)
    values = {"variant": name, "sample_shape": (1, 4, 4), "latent_dim": dim, "body": {"name": "dense", "widths": [8]}}
    return build(model_config(values | ({"n_classes": 3} if name == "cvae" else {}))).eval()


class Stretch(nn.Module):
    """A fake decoder: two pixels, the first ten times as sensitive as the second."""

    sample_shape = (2, 1, 1)
    latent_dim = 2

    def decode(self, z):
        return (z * torch.tensor([1.0, 0.1]))[:, :, None, None]


def test_an_axis_is_swept_from_the_first_to_the_99th_percentile():
    codes = np.stack([np.arange(101.0), 2 * np.arange(101.0)], 1)
    np.testing.assert_allclose(ranges(codes), [[1, 99], [2, 198]])
    with pytest.raises(BadValue, match="no codes"):
        ranges(codes[:0])


def test_a_sweep_changes_one_number_only_and_takes_the_values_themselves():
    z = traverse(np.array([5.0, 6, 7]), np.array([0, 1, 0]), np.array([-1.0, 0, 3]))
    np.testing.assert_allclose(z, [[5, -1, 7], [5, 0, 7], [5, 3, 7]])


def test_a_sweep_along_any_axis_is_at_its_values_in_lengths_of_the_axis():
    axis = np.array([3.0, 4.0])
    z = traverse(np.array([1.0, -2]), axis, np.array([-1.0, 0.5]))
    np.testing.assert_allclose(coordinates(z, axis[None])[:, 0], [-1, 0.5], rtol=1e-6)
    np.testing.assert_allclose(z @ [-4, 3], [-10, -10], rtol=1e-6)  # and stays where it was across it


def test_principal_directions_have_the_variances_of_what_was_drawn():
    turn, _ = np.linalg.qr(RNG(0).normal(size=(4, 4)))
    codes = RNG(1).normal(size=(50_000, 4)) * [4, 2, 1, 0] @ turn
    axes, variances = principal_axes(codes)
    np.testing.assert_allclose(variances, [16, 4, 1, 0], rtol=0.03, atol=1e-9)
    np.testing.assert_allclose(np.abs(axes @ turn.T)[:3], np.eye(4)[:3], atol=0.02)
    np.testing.assert_allclose(coordinates(codes, axes).var(axis=0), variances, rtol=1e-3, atol=1e-9)
    with pytest.raises(BadValue, match="1 codes"):
        principal_axes(codes[:1])


def test_the_effect_is_the_mean_squared_pixel_change_over_the_reach():
    found = effect(Stretch(), np.zeros((3, 2)), np.eye(2), np.array([[-1.0, 1], [-1, 1]]))
    np.testing.assert_allclose(found, [4 / 2, 0.04 / 2], rtol=1e-5)


def test_the_kl_of_each_dimension_is_the_posteriors_own():
    model = make("vae")
    images = RNG(0).integers(0, 256, (20, 1, 4, 4), dtype=np.uint8)
    with torch.no_grad():
        expected = model.encode(torch.from_numpy(images[3:9]).float() / 255).kl().mean(0)
    np.testing.assert_allclose(kl_by_dimension(model, images, np.arange(3, 9)), expected, rtol=1e-5)
    with pytest.raises(BadValue, match="only the codes of a VAE"):
        kl_by_dimension(make("autoencoder"), images, np.arange(3))


def test_a_grid_is_where_its_directions_say():
    z = grid(
        np.array([1.0, 1, 1]), np.array([2.0, 0, 0]), np.array([0, 1.0, 1]), np.array([0, 1]), np.array([5, 0, -5])
    )
    assert z.shape == (3, 2, 3)
    np.testing.assert_allclose(z[0, 1], [3, 6, 6])
    np.testing.assert_allclose(z[1, 0], [1, 1, 1])


def test_a_plane_reaches_as_far_as_the_data_even_over_slanted_directions():
    across, up = np.array([1.0, 0, 0]), np.array([1.0, 1, 0])
    x, y = np.meshgrid(np.linspace(-2, 2, 101), np.linspace(0, 8, 101))
    codes = x.reshape(-1, 1) * across + y.reshape(-1, 1) * up + [7, 7, 7]
    np.testing.assert_allclose(
        plane_ranges(codes, np.full(3, 7.0), across, up), [[-1.96, 1.96], [0.08, 7.92]], atol=0.01
    )
    with pytest.raises(BadValue, match="one and the same"):
        plane_ranges(codes, np.zeros(3), across, 2 * across)


def groups(seed=0):
    """Two groups of codes (300, 3) that differ by 4 in the first number only, the second being wide."""
    noise = RNG(seed).normal(size=(2, 300, 3)) * [1, 5, 1]
    return noise[0], noise[1] + [4, 0, 0]


@pytest.mark.parametrize("method", [function for _, function in METHODS.values()], ids=METHODS)
def test_a_slider_at_one_takes_the_first_mean_to_the_second(method):
    a, b = groups()
    vector = method(a, b, 0)
    moved = shift(a.mean(axis=0)[None], vector, 1.0)[0]
    np.testing.assert_allclose(moved @ vector, b.mean(axis=0) @ vector, rtol=1e-5)
    np.testing.assert_allclose(shift(shift(a, vector, 0.7), vector, -0.7), a, atol=1e-5)


def test_the_difference_of_means_is_the_difference_of_means():
    a, b = groups()
    np.testing.assert_allclose(
        shift(a.mean(axis=0)[None], mean_difference(a, b), 1.0)[0], b.mean(axis=0), rtol=1e-5, atol=1e-6
    )


def test_a_classifier_finds_the_number_that_tells_groups_apart():
    vector = classifier_normal(*groups(), 0)
    assert vector[0] == pytest.approx(4, rel=0.1)
    assert np.abs(vector[1:]).max() < 0.2


def test_a_classifier_follows_what_differs_widely_not_what_hardly_varies():
    a, b = RNG(0).normal(size=(2, 500, 2)) * [1, 0.01]
    b += [10, 0.1]  # either number alone tells the groups apart
    assert classifier_normal(a, b)[0] == pytest.approx(10, rel=0.02)


@pytest.mark.parametrize("method", [function for _, function in METHODS.values()], ids=METHODS)
def test_a_direction_needs_somebody_on_either_side_and_one_is_enough(method):
    a, b = groups()
    for first, second, name in ((a[:0], b, "first"), (a, b[:0], "second")):
        with pytest.raises(BadValue, match=f"the {name} group is empty"):
            method(first, second, 0)
    np.testing.assert_allclose(method(a[:1], b[:1], 0) @ (b[0] - a[0]) > 0, True)


def test_a_classifier_says_when_groups_are_the_same():
    with pytest.raises(BadValue, match="same mean"):
        classifier_normal(np.ones((3, 2)), np.ones((4, 2)), 0)


def test_a_direction_is_as_specific_as_the_share_of_its_changes_that_is_wanted():
    codes = RNG(0).normal(size=(20_000, 3))
    attributes = {"size": 10 * codes[:, 0], "tilt": codes[:, 1] + 4, "still": np.ones(len(codes))}
    found = specificity(np.array([3.0, 1, 5]), codes, attributes, ["size"])
    # In deviations, size changes by 3 and tilt by 1: 9 of 10.
    assert found.value == pytest.approx(0.9, abs=5e-3)
    assert found.changes == {"size": pytest.approx(3, rel=0.01), "tilt": pytest.approx(1, rel=0.02)}
    assert specificity(np.zeros(3), codes, attributes, ["size"]).value is None


def test_what_is_unknown_of_some_images_is_read_off_the_others():
    codes = RNG(0).normal(size=(2000, 2))
    size = np.where(np.arange(2000) % 2, codes[:, 0], np.nan)
    assert specificity(np.array([1.0, 0]), codes, {"size": size}, ["size"]).value == 1
    assert specificity(np.array([1.0, 0]), codes, {"size": np.full(2000, np.nan)}, ["size"]).value is None


def test_an_analogy_completes_the_parallelogram():
    np.testing.assert_allclose(analogy(np.array([1.0, 1]), np.array([2.0, 5]), np.array([10.0, 0])), [11, 4])


def test_mixture_samples_have_the_mixtures_moments():
    rng, parts = RNG(0), []
    for mean, spread, count in (([0, 0], [1, 0.5], 3000), ([9, 3], [0.5, 2], 1000)):
        parts.append(rng.normal(size=(count, 2)) * spread + mean)
    codes = np.concatenate(parts)
    mixture = Mixture.fit(codes, 2)
    np.testing.assert_allclose(sorted(mixture.weights), [0.25, 0.75], atol=0.005)
    drawn = mixture.draw(100_000, 1.0, seed=1)
    np.testing.assert_allclose(drawn.mean(axis=0), codes.mean(axis=0), atol=0.05)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(codes.T), rtol=0.03)
    assert not np.array_equal(drawn[:5], mixture.draw(5, 1.0, seed=2))


def test_temperature_shrinks_each_gaussian_towards_its_mean():
    mixture = Mixture(np.array([0.5, 0.5]), np.array([[0.0], [10]]), np.ones((2, 1, 1)))
    for temperature in (0.0, 0.5, 2.0):
        drawn = mixture.draw(20_000, temperature, 0)[:, 0]
        around = drawn[drawn < 5] if temperature < 2 else drawn - np.where(drawn < 5, 0, 10)
        assert around.std() == pytest.approx(temperature, rel=0.03, abs=1e-6)


@pytest.mark.parametrize(
    ("codes", "components", "said"),
    [
        (np.zeros((0, 2)), 10, "0 codes"),
        (np.eye(3), 10, "10 Gaussians cannot be fitted to 3 codes"),
        (np.eye(1), 1, "use 2 codes"),
        (np.ones((50, 2)), 3, "all equal"),
        (np.full((50, 2), np.nan), 3, "not finite"),
    ],
)
def test_a_mixture_that_cannot_be_fitted_says_so(codes, components, said):
    with pytest.raises(BadValue, match=said):
        Mixture.fit(codes, components)


@pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_sampler_draws_codes_that_its_model_decodes(variant, sampler):
    model, labels = make(variant), np.arange(90) % 3
    codes = RNG(0).normal(size=(90, 3)).astype(np.float32) + labels[:, None]
    settings = SampleSettings(components=3, label=1 if sampler.name == "class" else None, count=7)
    if not sampler.available(model, labels):
        with pytest.raises(BadValue, match="has no prior"):
            sampler.sample(codes, labels, model, settings)
        return
    z, drawn_labels = sampler.sample(codes, labels, model, settings)
    assert z.shape == (7, 3)
    assert z.dtype == np.float32
    told = () if drawn_labels is None else (torch.from_numpy(drawn_labels),)
    assert model.decode(torch.from_numpy(z), *told).shape == (7, 1, 4, 4)
    np.testing.assert_array_equal(sampler.sample(codes, labels, model, settings).z, z)
    other = sampler.sample(codes, labels, model, settings.model_copy(update={"seed": 1}))
    assert not np.array_equal(other.z, z)


def test_one_gaussian_has_the_moments_of_all_codes():
    codes = RNG(0).normal(size=(5000, 2)) @ np.array([[2.0, 1], [0, 0.5]]) + 3
    fitted = SAMPLERS["gaussian"].fit(codes, np.zeros(5000), None, SampleSettings())
    z = SAMPLERS["gaussian"].draw(fitted, SampleSettings(), 100_000).z
    np.testing.assert_allclose(z.mean(axis=0), codes.mean(axis=0), atol=0.03)
    np.testing.assert_allclose(np.cov(z.T), np.cov(codes.T), rtol=0.03)


def test_the_prior_is_a_standard_normal_times_the_temperature():
    drawn = SAMPLERS["prior"].draw(
        {"dimensions": np.array(2), "known": np.empty(0)}, SampleSettings(temperature=0.5), 50_000
    )
    np.testing.assert_allclose(np.cov(drawn.z.T), 0.25 * np.eye(2), atol=0.01)
    assert drawn.labels is None


def test_a_conditional_vae_is_told_classes_as_often_as_they_come_or_the_one_asked_for():
    labels, codes = np.repeat([0, 2, -1], [30, 10, 20]), np.zeros((60, 3), np.float32)
    model = make("cvae")
    fitted = SAMPLERS["prior"].fit(codes, labels, model, SampleSettings())
    shares = np.bincount(SAMPLERS["prior"].draw(fitted, SampleSettings(), 10_000).labels) / 10_000
    np.testing.assert_allclose(shares, [0.75, 0, 0.25], atol=0.02)
    for name in ("prior", "class"):
        assert set(SAMPLERS[name].sample(codes, labels, model, SampleSettings(label=2)).labels) == {2}
        with pytest.raises(BadValue, match="no image is of the class"):
            SAMPLERS[name].sample(codes, labels, model, SampleSettings(label=1))


def test_jitter_stays_between_neighbours_and_without_temperature_at_a_code():
    codes = np.concatenate([RNG(0).normal(size=(50, 2)), RNG(1).normal(size=(50, 2)) + 100]).astype(np.float32)
    labels = np.zeros(100)
    z = SAMPLERS["jitter"].sample(codes, labels, None, SampleSettings(count=400)).z
    assert ((z < 10) | (z > 90)).all()
    cold = SAMPLERS["jitter"].sample(codes, labels, None, SampleSettings(temperature=0)).z
    assert {tuple(row) for row in cold} <= {tuple(row) for row in codes}
    with pytest.raises(BadValue, match="only 1 codes"):
        SAMPLERS["jitter"].sample(codes[:1], labels[:1], None, SampleSettings())


def test_one_class_is_drawn_from_where_it_lies():
    labels = np.arange(200) % 2
    codes = (RNG(0).normal(size=(200, 2)) + 50 * labels[:, None]).astype(np.float32)
    z = SAMPLERS["class"].sample(codes, labels, make("autoencoder", 2), SampleSettings(label=1)).z
    assert np.abs(z - 50).max() < 10


@pytest.mark.parametrize(("label", "said"), [(None, "choose the class"), (1, "1 codes"), (7, "0 codes")])
def test_a_class_with_nothing_to_fit_says_so(label, said):
    codes, labels = np.eye(5, 3, dtype=np.float32), np.array([0, 0, 0, 0, 1])
    with pytest.raises(BadValue, match=said):
        SAMPLERS["class"].sample(codes, labels, make("autoencoder"), SampleSettings(label=label))
