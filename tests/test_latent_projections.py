import numpy as np
import pytest
from sklearn.datasets import load_digits

from aeviz.errors import BadValue, Stopped, UnknownName
from aeviz.latent.pca import PCA, PCASettings, variance_ratio
from aeviz.latent.project import PROJECTIONS, projection
from aeviz.latent.quality import knn_accuracy
from aeviz.latent.tsne import TSNE, TSNESettings, usable_perplexity

EVERY = pytest.mark.parametrize("cls", PROJECTIONS.values(), ids=PROJECTIONS)
QUICK = {"tsne": {"iterations": 60, "perplexity": 10}}


@pytest.fixture
def codes():
    rng = np.random.default_rng(0)
    return (rng.normal(size=(120, 6)) * [5, 3, 2, 1, 1, 1]).astype(np.float32)


def make(cls, **settings):
    return cls(cls.Settings.parse({**QUICK.get(cls.name, {}), **settings}))


@EVERY
@pytest.mark.parametrize("dims", [2, 3])
def test_a_map_gives_every_code_a_finite_point(cls, dims, codes):
    points = make(cls, dims=dims).fit(codes)
    assert points.shape == (120, dims)
    assert points.dtype == np.float32
    assert np.isfinite(points).all()


@EVERY
def test_the_same_codes_and_seed_give_the_same_map(cls, codes):
    np.testing.assert_array_equal(make(cls).fit(codes), make(cls).fit(codes.copy()))


@EVERY
def test_a_known_code_is_placed_on_its_own_dot(cls, codes):
    projection = make(cls)
    points = projection.fit(codes)
    np.testing.assert_allclose(projection.place(codes), points, atol=1e-5 if cls is PCA else 1e-3)


@EVERY
def test_a_code_is_placed_alike_whatever_comes_with_it(cls, codes):
    projection = make(cls)
    projection.fit(codes)
    fresh = np.random.default_rng(1).normal(size=(9, 6)).astype(np.float32)
    alone = np.concatenate([projection.place(code[None]) for code in fresh])
    np.testing.assert_allclose(projection.place(fresh), alone, atol=1e-5)


@EVERY
def test_a_map_read_back_from_its_arrays_places_and_tells_the_same(cls, codes):
    before = make(cls)
    before.fit(codes)
    after = cls.from_state(before.settings, before.state())
    np.testing.assert_array_equal(after.place(codes[:7] + 0.1), before.place(codes[:7] + 0.1))
    assert after.notes() == before.notes()


@EVERY
def test_what_on_step_raises_ends_the_fit_at_once(cls, codes):
    calls = []

    def on_step(done, total, points):
        calls.append(done)
        raise Stopped("stopped as asked")

    with pytest.raises(Stopped):
        make(cls).fit(codes, on_step)
    assert len(calls) == 1


@EVERY
def test_progress_ends_with_the_whole_and_its_points(cls, codes):
    seen = []
    points = make(cls).fit(codes, lambda *step: seen.append(step))
    done, total, last = seen[-1]
    assert done == total
    np.testing.assert_array_equal(last, points)
    assert [step[0] for step in seen] == sorted(step[0] for step in seen)


@EVERY
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_codes_that_are_not_finite_are_refused_with_their_number(cls, bad, codes):
    codes[[3, 5], 2] = bad
    with pytest.raises(BadValue, match="2 of 120 codes"):
        make(cls).fit(codes)


@EVERY
@pytest.mark.parametrize("dims", [2, 3])
def test_hard_codes_still_make_a_finite_map(cls, dims, codes):
    many_twins = np.repeat(codes[:6], 20, axis=0)
    for hard in (np.zeros((40, 6)), codes[:, :1], many_twins, codes * 1e6, codes * 1e-12, codes[:5]):
        settings = {"perplexity": 2} if cls is TSNE else {}
        assert np.isfinite(make(cls, dims=dims, **settings).fit(hard)).all()


@EVERY
def test_settings_carry_their_help_and_refuse_what_they_do_not_know(cls):
    assert all(field.description for field in cls.Settings.model_fields.values())
    with pytest.raises(BadValue, match="dims"):
        make(cls, dims=4)
    with pytest.raises(BadValue, match="colour"):
        make(cls, colour=1)


def test_an_unknown_projection_is_answered_with_the_known_ones():
    assert projection("pca") is PCA
    with pytest.raises(UnknownName, match=r"'magic'.*pca, tsne"):
        projection("magic")


def test_pca_finds_the_axes_of_an_ellipse_and_their_share():
    t = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    codes = np.stack([np.cos(t), 3 * np.sin(t)], axis=1) + 7
    pca = PCA()
    points = pca.fit(codes)
    np.testing.assert_allclose(pca.components, [[0, 1], [1, 0]], atol=1e-9)
    np.testing.assert_allclose(points, codes[:, ::-1] - 7, atol=1e-5)
    np.testing.assert_allclose(pca.notes()["explained_variance_ratio"], [0.9, 0.1])
    np.testing.assert_allclose(variance_ratio(codes), [0.9, 0.1])


def test_pca_inverts_exactly_in_its_own_plane(codes):
    pca = PCA(PCASettings(dims=3))
    points = pca.fit(codes)
    np.testing.assert_allclose(pca.place(pca.invert(points)), points, atol=1e-4)
    assert make(TSNE).invert(points) is None


def test_pca_of_one_dimension_leaves_the_second_at_zero():
    codes = np.arange(10.0)[:, None]
    points = PCA().fit(codes)
    np.testing.assert_allclose(points[:, 0], codes[:, 0] - 4.5, atol=1e-6)
    assert not points[:, 1].any()


def test_pca_of_one_code_or_equal_codes_is_the_origin():
    for codes in (np.ones((1, 4)), np.ones((9, 4))):
        pca = PCA()
        assert not pca.fit(codes).any()
        assert pca.notes() == {"explained_variance_ratio": [0.0, 0.0]}
    assert variance_ratio(np.ones((9, 4))).tolist() == [0, 0, 0, 0]


def test_tsne_keeps_digits_apart_better_than_pca():
    digits = load_digits()
    pixels, labels = digits.data[:500], digits.target[:500]
    tsne = TSNE(TSNESettings(iterations=300, perplexity=20))
    assert knn_accuracy(tsne.fit(pixels), labels) > knn_accuracy(PCA().fit(pixels), labels) + 0.2
    assert 0 < tsne.notes()["kl_divergence"] < 3


def test_perplexity_is_cut_to_what_the_codes_allow_and_refused_beyond():
    assert usable_perplexity(30, 1000) == 30
    assert usable_perplexity(30, 61) == 20
    with pytest.raises(BadValue, match=r"perplexity = 30 .* 22 codes; use 7\.0 or less"):
        usable_perplexity(30, 22)
    with pytest.raises(BadValue, match="at least 5 codes, here are 4"):
        usable_perplexity(2, 4)


def test_tsne_by_cosine_does_not_mind_the_length_of_codes(codes):
    lengths = np.random.default_rng(2).uniform(1, 9, size=(120, 1)).astype(np.float32)
    tsne = make(TSNE, metric="cosine")
    points = tsne.fit(codes)
    np.testing.assert_allclose(tsne.place(codes * lengths), points, atol=1e-2)


def test_tsne_can_be_stopped_while_it_looks_for_neighbours_and_while_it_moves(codes):
    for last in (0, 20):

        def on_step(done, total, points, last=last):
            if done >= last:
                raise Stopped("stopped as asked")

        with pytest.raises(Stopped):
            make(TSNE).fit(codes, on_step)
