"""Every projection keeps one contract; what is special to each stands below."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from sklearn.datasets import load_digits

from aeviz.errors import BadValue, MissingPackage, NotNow, Stopped, UnknownName
from aeviz.latent.neighbours import own_nearest
from aeviz.latent.principal_axes import variance_ratio
from aeviz.latent.projections import inverse
from aeviz.latent.projections.base import ignore_step
from aeviz.latent.projections.dimensions import Axes
from aeviz.latent.projections.lda import LDA
from aeviz.latent.projections.neighbour_map import NeighbourMap
from aeviz.latent.projections.own_axes import Directions
from aeviz.latent.projections.pca import PCA, PCASettings
from aeviz.latent.projections.register import PROJECTIONS, projection
from aeviz.latent.projections.tsne.attraction import Attraction, Kernels, kernels, similarities
from aeviz.latent.projections.tsne.initialisation import start_points
from aeviz.latent.projections.tsne.optimiser import Descent
from aeviz.latent.projections.tsne.placement import joint_similarities, place_by_descent
from aeviz.latent.projections.tsne.repulsion import GridRepulsion, TreeRepulsion, barnes_hut
from aeviz.latent.projections.tsne.tsne import TSNE, TSNESettings, has_converged, usable_perplexity
from aeviz.latent.quality.trustworthiness import knn_accuracy

HERE = [pytest.param(cls, marks=pytest.mark.skipif(bool(cls.missing()), reason=f"{cls.missing()}"), id=name)
        for name, cls in PROJECTIONS.items()]  # fmt: skip
EVERY = pytest.mark.parametrize("cls", HERE)
BY_NEIGHBOURS = pytest.mark.parametrize("cls", [each for each in HERE if issubclass(each.values[0], NeighbourMap)])
LINEAR = pytest.mark.parametrize("cls", [cls for cls in PROJECTIONS.values() if cls.linear], ids=lambda cls: cls.name)


@pytest.fixture
def codes():
    rng = np.random.default_rng(0)
    return (rng.normal(size=(120, 6)) * [5, 3, 2, 1, 1, 1]).astype(np.float32)


def make(cls, width=6, **settings):
    """A projection whose settings fit codes of this width, and that is soon done."""
    quick = {
        "tsne": {"iterations": 60, "perplexity": 10},
        "custom": {"directions": [np.arange(1.0, width + 1).tolist()]},
    }
    return cls(cls.Settings.parse({**quick.get(cls.name, {}), **settings}))


def fit(projection, codes, on_step=ignore_step):
    """The points of codes, of which every fourth has no label."""
    return projection.fit(codes, on_step, np.arange(len(codes)) % 4 - 1)


@EVERY
@pytest.mark.parametrize("dims", [2, 3])
def test_a_map_gives_every_code_a_finite_point(cls, dims, codes):
    points = fit(make(cls, dims=dims), codes)
    assert points.shape == (120, dims)
    assert points.dtype == np.float32
    assert np.isfinite(points).all()


@EVERY
def test_the_same_codes_and_seed_give_the_same_map(cls, codes):
    np.testing.assert_array_equal(fit(make(cls), codes), fit(make(cls), codes.copy()))


@EVERY
def test_a_known_code_is_placed_on_its_own_dot(cls, codes):
    projection = make(cls)
    points = fit(projection, codes)
    np.testing.assert_array_equal(projection.place(codes), points)


@EVERY
def test_training_codes_encoded_anew_land_within_two_percent_of_their_dots(cls, codes):
    projection = make(cls)
    points = fit(projection, codes)
    again = codes * (1 + np.random.default_rng(1).normal(scale=1e-6, size=codes.shape)).astype(np.float32)
    apart = np.linalg.norm(projection.place(again) - points, axis=1)
    assert np.mean(apart < 0.02 * np.ptp(points[:, 0])) >= 0.95


@BY_NEIGHBOURS
@pytest.mark.parametrize("dims", [2, 3])
def test_codes_the_map_does_not_hold_land_where_it_would_have_them(cls, dims):
    codes = load_digits().data[:500].astype(np.float32)
    whole = cls(cls.Settings(dims=dims))
    points = whole.fit(codes)
    apart = []
    for row in range(0, 500, 10):
        per_code = {name: array for name, array in whole.state().items() if len(array) == 500}
        without = {name: np.delete(array, row, axis=0) for name, array in per_code.items()}
        placed = cls.from_state(whole.settings, whole.state() | without).place(codes[row : row + 1])[0]
        apart.append(np.linalg.norm(placed - points[row]))
    assert np.mean(np.array(apart) < 0.02 * np.ptp(points[:, 0])) >= 0.95


@EVERY
def test_a_code_is_placed_alike_to_the_last_bit_whatever_comes_with_it(cls, codes):
    projection = make(cls)
    fit(projection, codes)
    fresh = np.random.default_rng(1).normal(size=(300, 6)).astype(np.float32)
    alone = np.concatenate([projection.place(code[None]) for code in fresh])
    np.testing.assert_array_equal(projection.place(fresh), alone)
    np.testing.assert_array_equal(projection.place(fresh[::-1][:7]), alone[::-1][:7])


@EVERY
def test_a_map_read_back_from_its_arrays_places_inverts_and_tells_the_same(cls, codes):
    before = make(cls)
    points = fit(before, codes)
    after = cls.from_state(before.settings, before.state())
    np.testing.assert_array_equal(after.place(codes[:7] + 0.1), before.place(codes[:7] + 0.1))
    np.testing.assert_array_equal(after.invert(points[:7] + 0.1), before.invert(points[:7] + 0.1))
    assert after.notes() == before.notes()


@EVERY
def test_what_on_step_raises_ends_the_fit_at_once(cls, codes):
    calls = []

    def on_step(step):
        calls.append(step)
        raise Stopped("stopped as asked")

    with pytest.raises(Stopped):
        fit(make(cls), codes, on_step)
    assert len(calls) == 1


@EVERY
def test_progress_ends_with_the_whole_and_its_points(cls, codes):
    seen = []
    points = fit(make(cls), codes, seen.append)
    assert seen[0].points.shape == (120, 2), "the first step shows something"
    assert seen[-1].done == seen[-1].total
    np.testing.assert_array_equal(seen[-1].points, points)
    assert [step.done for step in seen] == sorted(step.done for step in seen)


@EVERY
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_codes_that_are_not_finite_are_refused_with_their_number(cls, bad, codes):
    codes[[3, 5], 2] = bad
    with pytest.raises(BadValue, match="2 of 120 codes"):
        fit(make(cls), codes)
    with pytest.raises(BadValue, match="at least one image"):
        fit(make(cls), codes[:0])


@EVERY
@pytest.mark.parametrize("dims", [2, 3])
def test_hard_codes_still_make_a_finite_map(cls, dims, codes):
    many_twins = np.repeat(codes[:6], 20, axis=0)
    for hard in (np.zeros((40, 6)), codes[:, :1], many_twins, codes * 1e6, codes * 1e-12, codes[:5]):
        projection = make(cls, hard.shape[1], dims=dims, **({"perplexity": 2} if cls is TSNE else {}))
        points = fit(projection, hard)
        assert np.isfinite(points).all()
        assert np.isfinite(projection.invert(points)).all()


@EVERY
def test_a_place_on_the_map_has_a_code_near_the_codes_of_its_dots(cls, codes):
    projection = make(cls)
    found = inverse.grid(projection, fit(projection, codes), codes, size=12)
    assert (found.codes.shape, found.distance.shape) == ((12, 12, 6), (12, 12))
    assert found.codes.dtype == found.distance.dtype == np.float32
    corner = projection.invert(np.array([[found.x1, found.y0]]))
    np.testing.assert_allclose(found.codes[0, -1], corner[0], rtol=1e-5, atol=1e-5)
    assert found.distance.min() < found.distance[0, 0]
    own = projection.invert(projection.place(codes))
    assert np.square(own - codes).sum() < np.square(codes - codes.mean(0)).sum(), "better than the mean code"


@EVERY
def test_settings_carry_their_help_and_refuse_what_they_do_not_know(cls):
    assert all(field.description for field in cls.Settings.model_fields.values())
    with pytest.raises(BadValue, match="dims"):
        make(cls, dims=4)
    with pytest.raises(BadValue, match="colour"):
        make(cls, colour=1)


@EVERY
def test_only_a_map_that_iterates_can_go_on(cls, codes):
    projection = make(cls)
    fit(projection, codes)
    if cls is TSNE:
        assert projection.resume().shape == (120, 2)
        return
    with pytest.raises(NotNow, match=f"{cls.label} is complete"):
        projection.resume()


@LINEAR
def test_a_linear_map_is_inverted_exactly(cls, codes):
    for dims in (2, 3):
        projection = make(cls, dims=dims)
        points = fit(projection, codes)
        np.testing.assert_allclose((codes - projection.mean) @ projection.components.T, points, rtol=1e-4, atol=1e-4)
        there = projection.invert(points)
        np.testing.assert_allclose(projection.place(there), points, rtol=1e-3, atol=1e-3)
        null = np.eye(6) - np.linalg.pinv(projection.components) @ projection.components
        np.testing.assert_allclose((there - projection.mean) @ null, 0, atol=1e-4)  # nothing beyond what is needed


def test_an_unknown_projection_is_answered_with_the_known_ones():
    assert projection("pca") is PCA
    with pytest.raises(UnknownName, match=r"'magic'.*pca, tsne"):
        projection("magic")


def test_a_method_whose_package_is_missing_names_the_line_that_installs_it(codes):
    class Absent(PCA):
        label = "Absent"
        needs = ("numpy", "no-such-package")

    assert PCA.missing() is None
    assert Absent.missing() == "python -m pip install no-such-package"
    with pytest.raises(MissingPackage, match=r"Absent is not installed here; .* pip install no-such-package"):
        Absent().fit(codes)


def test_pca_finds_the_axes_of_an_ellipse_and_their_share():
    t = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    codes = np.stack([np.cos(t), 3 * np.sin(t)], axis=1) + 7
    pca = PCA()
    points = pca.fit(codes)
    np.testing.assert_allclose(pca.components, [[0, 1], [1, 0]], atol=1e-9)
    np.testing.assert_allclose(points, codes[:, ::-1] - 7, atol=1e-5)
    np.testing.assert_allclose(pca.notes()["explained_variance_ratio"], [0.9, 0.1])
    np.testing.assert_allclose(variance_ratio(codes), [0.9, 0.1])


def test_pca_shows_the_components_that_are_chosen(codes):
    whole = PCA(PCASettings(dims=3)).fit(codes)
    pca = PCA(PCASettings(x=3, y=1))
    np.testing.assert_allclose(pca.fit(codes), whole[:, [2, 0]], atol=1e-5)
    assert pca.notes()["axes"] == ["PC 3", "PC 1"]
    with pytest.raises(BadValue, match="both number 2"):
        PCA(PCASettings(x=2)).fit(codes)
    with pytest.raises(BadValue, match="no component 7: the codes have 6"):
        PCA(PCASettings(x=7)).fit(codes)


def test_pca_of_one_dimension_leaves_the_second_at_zero():
    codes = np.arange(10.0)[:, None]
    points = PCA().fit(codes)
    np.testing.assert_allclose(points[:, 0], codes[:, 0] - 4.5, atol=1e-6)
    assert not points[:, 1].any()


def test_pca_of_one_code_or_equal_codes_is_the_origin():
    for codes in (np.ones((1, 4)), np.ones((9, 4))):
        pca = PCA()
        assert not pca.fit(codes).any()
        assert pca.notes() == {"axes": ["PC 1", "PC 2"], "explained_variance_ratio": [0.0, 0.0]}
    assert variance_ratio(np.ones((9, 4))).tolist() == [0, 0, 0, 0]


def test_tsne_keeps_digits_apart_better_than_pca():
    digits = load_digits()
    pixels, labels = digits.data[:500], digits.target[:500]
    tsne = TSNE(TSNESettings(iterations=300, perplexity=20))
    assert knn_accuracy(tsne.fit(pixels), labels) > knn_accuracy(PCA().fit(pixels), labels) + 0.2
    assert 0 < tsne.notes()["kl_divergence"] < 3


def test_perplexity_is_lowered_to_what_the_codes_allow_and_fewer_than_five_are_refused():
    assert usable_perplexity(30, 1000) == 30
    assert usable_perplexity(30, 61) == 20
    assert usable_perplexity(30, 22) == 7
    assert usable_perplexity(30, 5) == pytest.approx(4 / 3)
    with pytest.raises(BadValue, match="at least 5 codes, here are 4"):
        usable_perplexity(2, 4)


def test_tsne_by_cosine_does_not_mind_the_length_of_codes(codes):
    lengths = np.random.default_rng(2).uniform(1, 9, size=(120, 1)).astype(np.float32)
    tsne = make(TSNE, metric="cosine")
    points = tsne.fit(codes)
    np.testing.assert_allclose(tsne.place(codes * lengths), points, atol=1e-2)


def test_tsne_shows_its_start_before_it_looks_for_neighbours(codes, monkeypatch):
    seen = []

    def search(*_):
        assert len(seen) == 1
        raise Stopped("stopped as asked")

    monkeypatch.setattr("aeviz.latent.projections.tsne.tsne.own_nearest", search)
    tsne = make(TSNE)
    with pytest.raises(Stopped):
        tsne.fit(codes, seen.append)
    flat, start = PCA().fit(codes), seen[0].points
    assert abs(np.corrcoef(flat[:, 0], start[:, 0])[0, 1]) > 0.99
    assert tsne.so_far() is None, "nothing has moved yet"


def test_a_stopped_tsne_keeps_its_points_and_goes_on_from_them(codes):
    def on_step(step):
        if step.done >= 30:
            raise Stopped("stopped as asked")

    tsne = make(TSNE, iterations=80)
    with pytest.raises(Stopped):
        tsne.fit(codes, on_step)
    kept = tsne.so_far()
    assert tsne.notes()["stopped_at"] == tsne.notes()["iterations"] == 30
    again = TSNE.from_state(tsne.settings, tsne.state())
    seen = []
    points = again.resume(seen.append)
    np.testing.assert_array_equal(seen[0].points, kept)
    assert (seen[0].done, seen[-1].done, seen[-1].total) == (30, 80, 80)
    assert "stopped_at" not in again.notes()
    again.resume()
    assert again.notes()["iterations"] == 160, "as many again, once it was finished"
    assert again.notes()["kl_divergence"] < seen[-1].kl
    assert not np.array_equal(again.points, points)


def test_a_random_start_gives_another_map_by_its_seed(codes):
    first, second = (fit(make(TSNE, start="random", seed=seed), codes) for seed in (0, 1))
    assert not np.allclose(first, second)


def test_similarities_have_the_perplexity_that_was_asked_for(codes):
    distances, _ = own_nearest(codes, 60)
    p = similarities(distances, kernels(distances, 20))
    np.testing.assert_allclose(p.sum(1), 1)
    np.testing.assert_allclose(np.exp(-(p * np.log(np.maximum(p, 1e-300))).sum(1)), 20, rtol=1e-6)
    equal = np.ones((3, 5))
    np.testing.assert_allclose(similarities(equal, kernels(equal, 2)), 0.2)
    np.testing.assert_allclose(similarities(0 * equal, kernels(0 * equal, 2)), 0.2)


def test_a_new_code_is_as_alike_as_if_it_had_been_there_when_the_kernels_were_found(codes):
    distances, rows = own_nearest(codes, 60)
    every = kernels(distances, 20)
    seen_by = every.heights(distances[0][:, None].repeat(120, 1).T)[rows[0], np.arange(60)] / every.total[rows[0]]
    total = every.total.copy()
    total[rows[0]] *= 1 - seen_by  # the sums without the code itself
    first = Kernels(*(each[:1] for each in every))
    joint = joint_similarities(distances[:1], first, rows[:1], every._replace(total=total))
    np.testing.assert_allclose(joint[0], similarities(distances, every)[0] + seen_by)


def test_a_new_code_settles_where_its_share_of_the_divergence_is_least():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(80, 2)) + np.repeat([[0, 0], [12, 0]], 40, axis=0)
    rows, similar = np.arange(30, 50), rng.uniform(size=20) / 800  # half of them in either group
    normaliser = float((1 / (1 + cdist(points, points) ** 2)).sum()) - 80
    x, y = np.meshgrid(np.linspace(-4, 16, 401), np.linspace(-4, 4, 161))
    places = np.stack([x.ravel(), y.ravel()], axis=1)
    squared = cdist(places, points) ** 2
    cost = 2 * np.log1p(squared[:, rows]) @ similar + 2 * (1 / (1 + squared)).sum(1) / normaliser
    np.testing.assert_allclose(place_by_descent(points, rows, similar, normaliser), places[cost.argmin()], atol=0.03)


@pytest.mark.parametrize(("cls", "dims"), [(GridRepulsion, 2), (TreeRepulsion, 3)])
@pytest.mark.parametrize("width", [0.01, 1.0, 40.0])
def test_repulsion_is_the_sum_over_all_pairs(cls, dims, width):
    points = torch.randn(400, dims, generator=torch.Generator().manual_seed(0)) * width
    apart = points[:, None].double() - points[None].double()
    near = 1 / (1 + apart.square().sum(2))
    forces, normaliser = cls()(points)
    expected = (apart * near[..., None] ** 2).sum(1)
    assert float((forces - expected).norm() / expected.norm()) < 0.04
    assert normaliser == pytest.approx(float(near.sum()) - 400, rel=0.01)


def test_opentsne_still_has_the_private_gradient_that_repulsion_uses():
    moved = "openTSNE moved its private Barnes-Hut gradient: adapt barnes_hut() in projections/tsne/repulsion.py"
    try:
        from openTSNE import _tsne
    except ImportError:
        pytest.fail(moved)
    assert hasattr(_tsne, "estimate_negative_gradient_bh"), moved
    forces = np.zeros((2, 3))
    try:
        normaliser = barnes_hut(np.array([[0.0, 0, 0], [1, 0, 0]]), forces)
    except TypeError as error:
        pytest.fail(f"{moved} ({error})")
    assert normaliser == pytest.approx(1), moved  # two pairs of 1 / (1 + 1²)
    np.testing.assert_allclose(forces, [[0.25, 0, 0], [-0.25, 0, 0]], err_msg=moved)


def test_the_divergence_is_that_of_the_whole_matrices_and_falls(codes):
    distances, rows = own_nearest(codes, 30)
    similar = similarities(distances, kernels(distances, 10))
    p = np.zeros((120, 120))
    np.put_along_axis(p, rows, similar, axis=1)
    p = (p + p.T) / 240
    descent = Descent(Attraction(rows, similar), torch.from_numpy(start_points(codes, 2, "pca", 0, 1.0)).float())
    start = descent.points.double().numpy()
    q = 1 / (1 + cdist(start, start) ** 2)
    np.fill_diagonal(q, 0)
    descent.step(1.0, 0.5)
    expected = (p[p > 0] * np.log(p[p > 0] / (q / q.sum())[p > 0])).sum()
    assert descent.divergence() == pytest.approx(expected, rel=1e-3)
    before = descent.divergence()
    for _ in range(50):
        descent.step(1.0, 0.5)
    assert descent.divergence() < before - 0.1


def test_a_divergence_that_no_longer_falls_has_converged():
    falling = [2 - 0.001 * step for step in range(30)]
    assert not has_converged(falling)
    assert not has_converged([1.0] * 5), "too soon to tell"
    assert has_converged([2.0, *[1.0] * 11])


def test_dimensions_are_the_codes_own_numbers(codes):
    axes = Axes()
    np.testing.assert_array_equal(axes.fit(codes), codes[:, :2])  # those of largest variance
    assert axes.notes()["axes"] == ["Dimension 1", "Dimension 2"]
    assert make(Axes, y=1).fit(codes)[3].tolist() == codes[3, [1, 0]].tolist()
    assert make(Axes, x=5, y=2, z=6, dims=3).fit(codes)[3].tolist() == codes[3, [4, 1, 5]].tolist()
    with pytest.raises(BadValue, match="no dimension 9: the codes have 6"):
        make(Axes, x=9).fit(codes)
    with pytest.raises(BadValue, match="both number 4"):
        make(Axes, x=4, y=4).fit(codes)


def test_the_discriminant_finds_the_direction_in_which_classes_differ():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, -1], 200)
    codes = rng.normal(size=(600, 4)) * [1, 9, 1, 1]
    codes[:, 2] += np.where(labels == 1, 8, 0)
    lda = LDA()
    points = lda.fit(codes, labels=labels)
    direction = lda.components[0] / np.linalg.norm(lda.components[0])
    np.testing.assert_allclose(np.abs(direction), [0, 0, 1, 0], atol=0.05)
    assert points[labels == 0, 0].std() == pytest.approx(1, abs=0.1)
    second = lda.components[1] / np.linalg.norm(lda.components[1])
    np.testing.assert_allclose(np.abs(second), [0, 1, 0, 0], atol=0.05)  # the largest variance of the rest
    for few in (None, np.full(600, -1), np.zeros(600, int)):
        with pytest.raises(BadValue, match=r"at least 2 classes, here are [01]"):
            LDA().fit(codes, labels=few)


def test_directions_are_measured_in_the_codes_own_units(codes):
    given = [[0, 2, 0, 0, 0, 0], [0, 1, 1, 0, 0, 0]]
    centred = codes - codes.mean(0)
    points = make(Directions, directions=given).fit(codes)
    np.testing.assert_allclose(
        points, np.stack([centred[:, 1], (centred[:, 1] + centred[:, 2]) / 2**0.5], 1), atol=1e-5
    )
    points = make(Directions, directions=given, orthogonal=True).fit(codes)
    np.testing.assert_allclose(points, centred[:, [1, 2]], atol=1e-5)
    one = make(Directions, directions=given[:1])
    one.fit(codes)
    np.testing.assert_allclose(one.components @ one.components.T, np.eye(2), atol=1e-9)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"directions": []}, "no directions given"),
        ({"directions": [[1, 2, 3]]}, "direction 1 has 3 numbers, but the codes have 6"),
        ({"directions": [[0] * 6]}, "direction 1 is zero"),
        ({"directions": [[1] * 6, [2] * 6], "orthogonal": True}, "direction 2 is a combination"),
    ],
)
def test_directions_that_make_no_axis_are_refused(settings, said, codes):
    with pytest.raises(BadValue, match=said):
        make(Directions, **settings).fit(codes)


def test_of_many_dots_some_tell_how_far_apart_all_are():
    side = np.arange(150.0, dtype=np.float32) / 2
    points = np.stack(np.meshgrid(side, side), -1).reshape(-1, 2)
    assert len(points) > inverse.MAX_SPACED
    assert inverse.distance_to_data(points, np.array([[-1, 0], [0, 0]])).tolist() == [2, 0]


def test_a_dot_is_as_far_from_data_as_zero_and_empty_land_is_far():
    points = np.stack(np.meshgrid(np.arange(5.0), np.arange(5.0)), -1).reshape(-1, 2).astype(np.float32)
    assert inverse.distance_to_data(points, np.array([[2, 2], [2.5, 2], [4, 14]])).tolist() == [0, 0.5, 10]
    codes = points @ np.array([[1.0, 0, 2], [0, 1, 0]], np.float32)
    between = inverse.invert_by_neighbours(points, codes, np.array([[1.5, 1.5]]))
    np.testing.assert_allclose(between, [[1.5, 1.5, 3]], atol=0.1)  # of the 8 nearest, 4 lie around it
