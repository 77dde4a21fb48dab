import base64
import html
import json

import numpy as np
import plotly.graph_objects as go
import pytest

from aeviz import plots
from aeviz.plots import counts_bars, latent_scatter, variance_bars
from aeviz.plots.theme import CLASS_COLOURS, CLASS_SYMBOLS, DIVERGING, UNKNOWN_COLOUR, class_marker, plain_text

LIGHT, DARK = "#ffffff", "#0e1117"
# Machado, Oliveira & Fernandes 2009, severity 1.0, on linear RGB.
DEUTERANOPIA = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
PROTANOPIA = [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]


@pytest.fixture
def points():
    return np.random.default_rng(0).normal(size=(90, 2)).astype(np.float32)


def linear_rgb(colour):
    channels = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(colour, background):
    """WCAG 2 contrast ratio."""
    a, b = sorted(linear_rgb(c) @ [0.2126, 0.7152, 0.0722] + 0.05 for c in (colour, background))
    return b / a


def oklab(rgb):
    lms = rgb @ np.array([[0.41222, 0.53633, 0.05145], [0.21190, 0.68070, 0.10740], [0.08830, 0.28172, 0.62998]]).T
    to_lab = [[0.21045, 0.79362, -0.00407], [1.97800, -2.42859, 0.45059], [0.02590, 0.78277, -0.80868]]
    return np.cbrt(lms) @ np.array(to_lab).T


@pytest.mark.parametrize("background", [LIGHT, DARK])
def test_every_class_colour_shows_on_both_backgrounds(background):
    assert min(contrast(colour, background) for colour in (*CLASS_COLOURS, *DIVERGING, UNKNOWN_COLOUR)) >= 2.2


def seen(colours, eyes):
    """Colours (n) in OKLab (n, 3), as eyes see them."""
    rgb = np.array([linear_rgb(colour) for colour in colours])
    return oklab(np.clip(rgb @ np.array(eyes).T, 0, 1))


@pytest.mark.parametrize("eyes", [np.eye(3), DEUTERANOPIA, PROTANOPIA], ids=["all", "deutan", "protan"])
def test_signs_grow_away_from_nothing_on_both_sides_for_all_kinds_of_eyes(eyes):
    lab = seen(DIVERGING, eyes)
    from_nothing = np.linalg.norm(lab - lab[2], axis=1)
    assert np.diff(from_nothing[2::-1]).min() > 0.05
    assert np.diff(from_nothing[2:]).min() > 0.05
    assert np.linalg.norm(lab[0] - lab[-1]) > 0.35
    assert np.linalg.norm(lab[1] - lab[-2]) > 0.2


@pytest.mark.parametrize(
    ("eyes", "least"), [(np.eye(3), 0.14), (DEUTERANOPIA, 0.11), (PROTANOPIA, 0.11)], ids=["all", "deutan", "protan"]
)
def test_ten_class_colours_stay_apart_for_all_kinds_of_eyes(eyes, least):
    lab = seen(CLASS_COLOURS, eyes)
    apart = np.linalg.norm(lab[:, None] - lab[None], axis=2)[np.triu_indices(10, 1)]
    assert len(CLASS_COLOURS) == 10
    assert apart.min() >= least


def test_classes_beyond_ten_repeat_the_colours_with_another_symbol():
    looks = {(class_marker(n)["color"], class_marker(n)["symbol"]) for n in range(50)}
    assert len(looks) == 10 * len(CLASS_SYMBOLS)
    assert class_marker(-1)["color"] == UNKNOWN_COLOUR


def test_a_map_of_classes_has_one_trace_each_with_its_rows_ids(points):
    labels = np.arange(90) % 3
    index = np.arange(90) + 1000
    figure = latent_scatter(points, labels, class_names=["cat", "dog", "owl"], index=index)
    assert [trace.name for trace in figure.data] == ["cat", "dog", "owl"]
    assert all(isinstance(trace, go.Scattergl) for trace in figure.data)
    for number, trace in enumerate(figure.data):
        np.testing.assert_array_equal(trace.customdata, index[labels == number])
        np.testing.assert_array_equal(trace.x, points[labels == number, 0])
        np.testing.assert_array_equal(trace.y, points[labels == number, 1])


def test_a_map_in_three_dimensions_uses_scatter3d(points):
    figure = latent_scatter(np.c_[points, points[:, :1]], axis_labels=("a", "b", "c"))
    assert isinstance(figure.data[0], go.Scatter3d)
    assert figure.layout.scene.zaxis.title.text == "c"


def test_numbers_go_to_the_browser_as_typed_arrays(points):
    trace = json.loads(latent_scatter(points, points[:, 0]).to_json())["data"][0]
    for values, kind in ((trace["x"], "f4"), (trace["customdata"], "i4"), (trace["marker"]["color"], "f4")):
        assert values["dtype"] == kind
        assert len(base64.b64decode(values["bdata"])) == 90 * 4


def test_unknown_labels_are_grey_below_and_last_in_the_legend(points):
    figure = latent_scatter(points, np.arange(90) % 3 - 1, class_names=["a", "b"])
    assert [trace.name for trace in figure.data] == ["no label", "a", "b"]
    assert figure.data[0].marker.color == UNKNOWN_COLOUR
    assert figure.data[0].legendrank > figure.data[2].legendrank


def test_floats_are_one_trace_with_a_colour_bar(points):
    (trace,) = latent_scatter(points, points[:, 0], colour_label="error").data
    assert trace.marker.showscale
    assert trace.marker.colorbar.title.text == "error"


def test_texts_become_classes_most_frequent_first_and_the_rest_other(points):
    texts = [f"t{min(number % 16, 12)}" for number in range(88)] + ["", None]
    names = [trace.name for trace in latent_scatter(points, np.array(texts, dtype=object)).data]
    assert names[:2] == ["no label", "t12"]
    assert names[-1] == "other"
    assert len(names) == 12


def test_unnamed_integers_are_classes_while_few_and_a_scale_when_many(points):
    assert [trace.name for trace in latent_scatter(points, np.arange(90) % 2).data] == ["0", "1"]
    assert len(latent_scatter(points, np.arange(90)).data) == 1


def test_labels_beyond_the_class_names_show_their_number(points):
    assert [trace.name for trace in latent_scatter(points, np.arange(90) % 2, class_names=["a"]).data] == ["a", "1"]


def test_an_empty_map_keeps_its_size_and_says_so():
    figure = latent_scatter(np.empty((0, 2)), np.empty(0, dtype=int), class_names=["a"])
    assert figure.layout.height == 640
    assert figure.layout.annotations[0].text == "No points to show yet"


def test_dots_are_finer_the_more_there_are():
    sizes = [latent_scatter(np.zeros((n, 2), np.float32)).data[0].marker.size for n in (10, 1000, 10_000, 100_000)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 3


def test_zoom_is_kept_by_a_stable_uirevision_and_equal_axes_can_be_asked_for(points):
    figure = latent_scatter(points, uirevision="run-1 tsne", equal_axes=True)
    assert figure.layout.uirevision == "run-1 tsne"
    assert figure.layout.yaxis.scaleanchor == "x"


@pytest.mark.parametrize("name", ['<a href="javascript:x">', "<b>", "&lt;", "a\nb"])
def test_names_people_gave_stay_text(name, points):
    for text in (
        latent_scatter(points, np.zeros(90, dtype=int), class_names=[name]).data[0].name,
        latent_scatter(points, axis_labels=(name, name)).layout.xaxis.title.text,
        latent_scatter(points, points[:, 0], colour_label=name).data[0].marker.colorbar.title.text,
        counts_bars([name], [3]).layout.yaxis.ticktext[0],
        counts_bars([name], [3]).data[0].customdata[0],
    ):
        assert text == " ".join(html.escape(name, quote=False).split())


def test_a_name_in_a_hover_template_is_only_referred_to(points):
    figure = latent_scatter(points, np.zeros(90, dtype=int), class_names=["%{x}"])
    assert figure.data[0].hovertemplate == "<b>%{fullData.name}</b><br>#%{customdata}<extra></extra>"


def test_long_names_are_cut():
    assert len(plain_text("x" * 100)) == 40
    assert plain_text("x" * 100).endswith("…")


def test_variance_bars_add_up():
    bars, line = variance_bars(np.array([0.5, 0.3, 0.2])).data
    np.testing.assert_allclose(bars.y, [50, 30, 20])
    np.testing.assert_allclose(line.y, [50, 80, 100])


def test_counts_keep_classes_of_equal_name_apart_in_their_map_colours():
    (bars,) = counts_bars(["a", "a"], [3, 5]).data
    assert list(bars.y) == [0, 1]
    assert list(bars.x) == [3, 5]
    assert list(bars.marker.color) == list(CLASS_COLOURS[:2])


def test_the_histogram_of_errors_counts_each_image_once_and_fades_what_is_outside():
    errors = np.array([0.0, 0.1, 0.1, 0.4, np.nan, 1.0])
    chosen = np.array([True, True, False, False, True, True])
    figure = plots.error_histogram(errors, chosen, (0.0, 0.5))
    everything, some = figure.data
    assert (everything.y.sum(), some.y.sum()) == (5, 3)
    strong = np.asarray(some.marker.opacity) > 0.5
    assert strong.tolist() == (np.asarray(some.x) < 0.5).tolist()
    assert plots.error_range(errors) == (0.0, 1.0)
    assert plots.error_range(np.full(3, 0.2))[1] > 0.2


def test_changes_are_drawn_furthest_first_with_a_colour_for_each_sign():
    (bars,) = plots.change_bars(["a", "b", "c"], [0.5, -2.0, 1.0], most=2).data
    assert list(bars.x) == [-2.0, 1.0]
    assert list(bars.customdata) == ["b", "c"]
    assert len(set(bars.marker.color)) == 2
    assert plots.change_bars([], []).layout.annotations[0].text


def test_a_figure_on_paper_stands_alone_and_leaves_the_one_on_screen():
    figure = plots.change_bars(["a", "b"], [1.0, -2.0], height=210)
    before = figure.to_json()
    paper = plots.on_paper(figure)
    assert figure.to_json() == before
    assert paper.layout.height is None
    assert contrast(paper.layout.font.color, paper.layout.paper_bgcolor) > 7
    assert "Source" not in paper.layout.font.family, "the page's own letters are not in a file"
    assert paper.data == figure.data
