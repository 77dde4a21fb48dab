"""What the browser is given of a map: packed figures, densities, thumbnails, links, and answers to what it asks."""

import asyncio
import io
import json
import re
import struct
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from starlette.requests import Request

from aeviz import data, plots, results
from aeviz.data import pictures
from aeviz.errors import BadValue
from aeviz.export.page import scene
from aeviz.latent.projections.polygon import within
from aeviz.plots.packed import pack, pack_figure
from aeviz.ui import show
from aeviz.ui.components.map.controls import find
from aeviz.ui.components.map.link import _view
from aeviz.ui.serve import thumbnails
from aeviz.ui.serve.blobs import Blobs, keep
from aeviz.ui.serve.density import density, pack_points
from aeviz.ui.serve.routes import routes
from aeviz.ui.serve.scripts import loader
from tests import making

pytestmark = pytest.mark.usefixtures("clear_caches")


@pytest.fixture
def run():
    """A run that has seen the digits once."""
    recipe = {
        "model": {"latent_dim": 3, "body": {"name": "dense", "widths": [16]}},
        "training": {"epochs": 1, "device": "cpu"},
    }
    return making.trained(recipe)


def unpacked(content):
    """What `static/map/base.js` reads."""
    (length,) = struct.unpack_from("<I", content)
    begin = 8 * -(-(4 + length) // 8)
    kinds = {"f4": np.float32, "i4": np.int32, "u1": np.uint8}

    def filled(value):
        if isinstance(value, dict) and "$" in value:
            kind, offset, count = value["$"]
            assert (begin + offset) % 4 == 0
            return np.frombuffer(content, kinds[kind], count, begin + offset)
        if isinstance(value, dict):
            return {name: filled(item) for name, item in value.items()}
        return [filled(item) for item in value] if isinstance(value, list) else value

    return filled(json.loads(content[4 : 4 + length]))


def ask(path, query="", method="GET", body=b""):
    """What the server answers, by the routes themselves."""
    scope = {
        "type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": [(b"host", b"localhost:8501")],
    }  # fmt: skip

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    for route in routes():
        found, more = route.matches(scope)
        if found.name == "FULL":
            request = Request(scope | more, receive)
            answer = route.endpoint(request)
            with ThreadPoolExecutor() as apart:  # a browser test before this one leaves its loop in the main thread
                return apart.submit(asyncio.run, answer).result() if asyncio.iscoroutine(answer) else answer
    raise AssertionError(f"nothing answers at {path}")


def test_a_component_fetches_its_script_once_by_its_content():
    script = "export default () => 1 // map {braces}"
    path = re.search(r'"(/aeviz/script/[^"]+)"', loader(script))[1]
    answer = ask(path)
    assert answer.body.decode() == script
    assert answer.media_type == "text/javascript"
    assert "immutable" in answer.headers["cache-control"]
    assert loader(script + " ") != loader(script)
    assert ask("/aeviz/script/none.js").status_code == 404
    assert len(loader(scene.script())) < 300


def test_a_value_with_arrays_comes_back_whole():
    value = {
        "a": np.arange(3),
        "b": [{"c": np.array([0.5, np.nan])}, "text"],
        "d": b"\x01\x02",
        "e": np.array([True, False]),
    }
    found = unpacked(pack(value))
    np.testing.assert_array_equal(found["a"], [0, 1, 2])
    np.testing.assert_array_equal(found["b"][0]["c"], np.array([0.5, np.nan], np.float32))
    assert found["b"][1] == "text"
    assert found["d"].tolist() == [1, 2]
    assert found["e"].tolist() == [1, 0]


def test_a_packed_figure_holds_every_dot_under_its_row():
    points, labels, rows = np.random.default_rng(0).normal(size=(50, 2)), np.arange(50) % 3, np.arange(100, 150)
    figure = unpacked(pack_figure(plots.latent_scatter(points, labels, class_names=["a", "b", "c"], index=rows)))
    places = {
        row: (x, y)
        for trace in figure["data"]
        for row, x, y in zip(trace["customdata"], trace["x"], trace["y"], strict=True)
    }
    assert sorted(places) == rows.tolist()
    np.testing.assert_allclose([places[row] for row in rows], points, rtol=1e-6)


def test_the_least_used_bytes_make_room():
    shelf = Blobs(most=25)
    for name in "abc":
        shelf.put(name, bytes(10))
        shelf.get("a")
    assert shelf.get("b") is None
    assert shelf.get("a") is not None
    shelf.put("large", bytes(100))
    assert shelf.get("large") is not None, "what was asked for last is always there"


def test_bytes_are_made_once_and_fetched_by_their_address():
    made = []
    addresses = {keep("a run's map", lambda: made.append(1) or b"points") for _ in range(3)}
    assert len(addresses) == len(made) == 1
    assert ask(addresses.pop()).body == b"points"
    assert ask("/aeviz/blob/0000").status_code == 404


def test_a_density_counts_every_point_in_sight_once():
    points = np.random.default_rng(0).uniform(0, 1, (5000, 2)).astype(np.float32)
    found = density(pack_points(points), None, x0=0, x1=1, y0=0, y1=1, width=10, height=5)
    assert found["shown"] == 5000
    half = density(pack_points(points), None, x0=0, x1=0.5, y0=0, y1=1, width=10, height=5)
    assert half["shown"] == (points[:, 0] < 0.5).sum()
    assert found["shades"].max() == 255


def test_a_cell_has_the_colour_most_of_its_points_have_and_up_is_up():
    points = np.array([[0.1, 0.9]] * 3 + [[0.9, 0.1]], np.float32)
    colours = np.array([2, 1, 2, 1], np.uint8).tobytes()
    found = density(pack_points(points), colours, x0=0, x1=1, y0=0, y1=1, width=2, height=2)
    assert found["numbers"].tolist() == [2, 0, 0, 1]
    assert (found["shades"] > 0).tolist() == [True, False, False, True]


def test_numbers_of_colours_stand_for_the_maps_own_colours():
    numbers, palette = plots.numbered_colours(np.array([0, 1, -1, 11]), None, 4)
    assert (
        palette[numbers[0]]
        == palette[0]
        == plots.latent_scatter(np.zeros((1, 2)), np.zeros(1, int)).data[0].marker.color
    )
    assert palette[numbers[3]] == palette[1], "colours repeat after ten"
    assert palette[numbers[2]] not in palette[:2]
    numbers, palette = plots.numbered_colours(np.array([0.0, 1.0, np.nan]), None, 4)
    assert numbers.tolist() == [0, 3, 4]


def test_points_within_an_outline_are_those_a_polygon_holds():
    points = np.random.default_rng(1).uniform(-2, 2, (2000, 2))
    diamond = np.array([[0, 1], [1, 0], [0, -1], [-1, 0]])
    assert within(points, diamond).tolist() == np.flatnonzero(np.abs(points).sum(axis=1) < 1).tolist()


def test_a_tile_shows_every_image_with_its_reconstruction_label_and_error(run):
    dataset = data.load("digits")
    count = scene.per_tile(dataset.shape)
    found = unpacked(ask(f"/aeviz/tile/{run.id}/{run.weights_id()}/1").body)
    rows = np.arange(count, min(2 * count, len(dataset)))
    assert found["labels"].tolist() == dataset.labels[rows].tolist()
    rebuilt = results.rebuild(run, np.ascontiguousarray(dataset.images[rows]))
    np.testing.assert_allclose(found["mse"], rebuilt.numbers()["mse"], rtol=1e-4)
    picture = np.asarray(Image.open(io.BytesIO(found["x"].tobytes())))
    height, width = dataset.shape[1:]
    place = 5
    top, left = place // found["columns"] * height, place % found["columns"] * width
    np.testing.assert_array_equal(picture[top : top + height, left : left + width, 0], dataset.images[rows[place]][0])


def test_a_sheet_has_the_rows_that_were_asked_for_in_their_order(run):
    dataset, rows = data.load("digits"), np.array([400, 3, 77])
    picture = np.asarray(Image.open(io.BytesIO(thumbnails.sheet(run, rows))))
    np.testing.assert_array_equal(picture[:8, 8:16, 0], dataset.images[3][0])
    with pytest.raises(BadValue):
        thumbnails.sheet(run, np.array([10**6]))


def test_large_images_are_shrunk_by_whole_numbers():
    images = np.zeros((1, 1, 100, 100), np.uint8)
    images[:, :, :, 50:] = 200
    small = scene.downsampled(images, 48)
    assert small.shape == (1, 1, 50, 50)
    assert small[0, 0, 0].tolist() == [0] * 25 + [200] * 25


def test_the_server_decodes_as_the_network_does(run):
    z = np.random.default_rng(0).normal(size=(4, 3)).astype("<f4")
    path = f"/aeviz/decode/{run.id}/{run.weights_id()}"
    answer = ask(path, method="POST", body=z.tobytes())
    expected = np.rint(results.decode_codes(run, z) * 255).astype(np.uint8)
    np.testing.assert_array_equal(np.frombuffer(answer.body, np.uint8).reshape(expected.shape), expected)
    assert ask(path, method="POST", body=b"12345").status_code == 400


@pytest.mark.parametrize("path", ["tile/nobody/1-a/0", "tile/{run}/0-old/0", "near/{run}/{mark}/test/0"])
def test_what_an_address_got_wrong_is_said_and_nothing_breaks(run, path):
    answer = ask("/aeviz/" + path.format(run=run.id, mark=run.weights_id()))
    assert answer.status_code == 404
    assert json.loads(answer.body)["error"]


def test_the_nearest_of_a_row_are_never_itself(run):
    row = int(results.codes(run, "test").index[7])
    found = json.loads(ask(f"/aeviz/near/{run.id}/{run.weights_id()}/test/{row}").body)
    assert len(found["latent"]) == len(found["pixels"]) == 8
    assert row not in found["latent"] + found["pixels"]


def test_a_search_finds_a_row_a_label_or_a_file_on_the_map_only(run):
    dataset = data.load("digits")
    index = dataset.rows("test")
    assert find(dataset, index, dataset.classes, f"#{index[3]}").tolist() == [index[3]]
    assert set(dataset.labels[find(dataset, index, dataset.classes, "7")]) == {7}
    assert not len(find(dataset, index, dataset.classes, "#0")), "row 0 was trained on, and is not on this map"
    assert not len(find(dataset, index, dataset.classes, "   "))
    assert not len(find(dataset, index, dataset.classes, "nothing"))


@pytest.mark.parametrize(
    "view",
    [
        None,
        3,
        "x",
        [],
        {"x": [1]},
        {"x": ["a", "b"]},
        {"x": [1, float("nan")]},
        {"outline": [1, 2]},
        {"camera": {"eye": 3}},
    ],
)
def test_a_view_that_our_script_would_not_write_is_none(view):
    assert _view(view) is None


def test_a_view_keeps_what_it_knows():
    point = {"x": 1, "y": 2, "z": 3}
    view = {
        "x": [0, 1],
        "y": [2.5, 3],
        "outline": [0, 0, 1, 0, 1, 1],
        "camera": {"eye": point, "center": point, "up": point},
    }
    assert _view(view | {"hidden": ["a"], "other": "<script>"}) == view | {"hidden": ["a"]}


def test_a_style_comes_with_its_script():
    path = re.search(r'"(/aeviz/script/[^"]+)"', loader("export default function ({ data }) {\n}", "p { top: 1px }"))[1]
    script = ask(path).body.decode()
    assert '"p { top: 1px }"' in script
    assert script.count("export default") == 1
    with pytest.raises(ValueError, match="once"):
        loader("export default 1", "p {}")


def test_a_picture_of_many_runs_of_a_page_is_fetched_by_its_content(monkeypatch):
    shown, content = [], pictures.encode_webp(np.zeros((8, 8), np.uint8))
    monkeypatch.setattr(st, "image", lambda address, **how: shown.append(address))
    for url in ("https://here.example:8501/map?run=1", None):
        monkeypatch.setattr(type(st.context), "url", url)
        show.cached_picture(content, "A picture")
    assert shown[1] == show.address(content)
    assert shown[0].startswith("https://here.example:8501/aeviz/blob/")
    answer = ask(shown[0].removeprefix("https://here.example:8501"))
    assert (answer.body, answer.media_type) == (content, "image/webp")
