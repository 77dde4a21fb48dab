"""Every way out of aeviz keeps the same contract, and nothing that people named does more than name."""

import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from aeviz import data, export, results
from aeviz.__main__ import main
from aeviz.errors import BadFile, MissingPackage, NotNow, UnknownName
from aeviz.export import EXPORTS, projector, text
from aeviz.export.base import Export
from aeviz.export.page import html
from aeviz.results import MapRequest
from tests.exports import MARKUP, hostile, untrained

READY = [name for name, way in EXPORTS.items() if way.missing() is None]


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("name", READY)
def test_every_way_out_writes_its_file_and_says_how_large_it_is(name, tmp_path, capsys):
    run, out = untrained(), tmp_path / "new" / f"taken{EXPORTS[name].ending}"
    assert main(["export", run.id, "--to", name, "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(told) == {"run", "to", "out", "bytes", "seconds", "note"}
    assert told["bytes"] == out.stat().st_size > 0
    assert list(out.parent.iterdir()) == [out], "nothing is left beside it"


@pytest.mark.parametrize("name", READY)
def test_a_run_with_hostile_names_can_be_taken_anywhere(name, tmp_path):
    out = tmp_path / f"taken{EXPORTS[name].ending}"
    export.write_export(name, hostile(), out)
    assert out.exists()


@pytest.mark.parametrize("name", EXPORTS)
def test_every_way_out_says_in_a_line_what_it_is(name):
    way = EXPORTS[name]
    assert way.name == name
    assert way.label
    assert way.help.endswith(".")
    assert "\n" not in way.help
    assert way.ending.startswith(".")


def test_a_way_that_lacks_a_package_names_the_line_that_installs_it(tmp_path, monkeypatch):
    way = Export("odd", "Odd", "Odd.", ".odd", lambda run, out, report: "", needs=("not_there_at_all", "numpy"))
    monkeypatch.setitem(EXPORTS, "odd", way)
    with pytest.raises(MissingPackage, match=r"python -m pip install not_there_at_all$"):
        export.write_export("odd", untrained(), tmp_path / "x")


def test_an_unknown_way_names_the_known_ones(tmp_path):
    with pytest.raises(UnknownName, match="no export is called 'gif'; there are: zip, onnx, projector, script, html"):
        export.write_export("gif", untrained(), tmp_path / "x")


def test_a_run_without_weights_cannot_be_taken_anywhere(tmp_path):
    run = untrained()
    run.weights.unlink()
    with pytest.raises(NotNow, match=f"the run {run.id} has no weights yet"):
        export.write_export("script", run, tmp_path / "x.py")


@pytest.mark.parametrize("place", ["", "file/x.py"])
def test_a_place_that_cannot_be_written_to_is_named(place, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(BadFile, match=str(tmp_path / place)):
        export.write_export("script", untrained(), tmp_path / place)


def test_the_projector_gets_a_line_a_cell_and_a_thumbnail_for_each_image(tmp_path):
    run = untrained({"latent_dim": 4})
    said = projector.write_projector(run, tmp_path / "p.zip", lambda *_: None)
    found, coded = members(tmp_path / "p.zip"), results.codes(run, "test")
    vectors = np.loadtxt(io.BytesIO(found["vectors.tsv"]), delimiter="\t")
    np.testing.assert_allclose(vectors, coded.z, rtol=1e-5)
    header, *lines = found["metadata.tsv"].decode().splitlines()
    assert header == "index\tlabel"
    assert lines == [f"{row}\t{label}" for row, label in zip(coded.index, coded.labels, strict=True)]
    sprite = np.asarray(Image.open(io.BytesIO(found["sprite.png"])))
    assert sprite.shape == (19 * 8, 19 * 8, 3), "359 thumbnails, 19 beside each other"
    images = data.load("digits").images
    np.testing.assert_array_equal(sprite[8:16, 8:16, 0], images[coded.index[20]][0])
    assert b"single_image_dim: 8\n    single_image_dim: 8" in found["projector_config.pbtxt"]
    assert said == "It holds all 359 test images, thumbnails of 8 x 8."


def test_the_projector_s_files_are_a_folder_where_the_name_is_none_of_a_zip(tmp_path):
    run = untrained()
    for name in ("p.zip", "folder"):
        projector.write_projector(run, tmp_path / name, lambda *_: None)
    found = {path.name: path.read_bytes() for path in (tmp_path / "folder").iterdir()}
    with zipfile.ZipFile(tmp_path / "p.zip") as archive:
        assert found == {name: archive.read(name) for name in archive.namelist()}


def test_a_table_of_one_column_has_no_header_which_the_projector_would_take_for_an_image():
    dataset = data.load("digits")
    coded = results.Codes(np.zeros((2, 1)), np.array([-1, -1]), np.array([5, 6]))
    without = type("Unlabelled", (), {"classes": (), "files": None})()
    assert projector.metadata(without, coded) == "5\n6\n"
    assert projector.metadata(dataset, coded) == "index\tlabel\n5\tno label\n6\tno label\n"


def test_thumbnails_shrink_where_the_sprite_would_grow_beyond_its_limit(monkeypatch):
    monkeypatch.setattr(projector, "MOST_PIXELS", 100)
    dataset = data.load("digits")
    content, side = projector.sprite_of(dataset, np.arange(359))
    assert side == 5
    assert Image.open(io.BytesIO(content)).size == (95, 95)


@pytest.mark.parametrize("count", [1, 2, 3, 65, 90, 500])
def test_the_projector_finds_every_thumbnail_by_the_number_of_rows(count):
    dataset, rows = data.load("digits"), np.arange(count)
    content, side = projector.sprite_of(dataset, rows)
    sheet = np.asarray(Image.open(io.BytesIO(content)))[..., 0]
    lines = len(sheet) // side
    for place, row in enumerate(rows):
        top, left = place // lines * side, place % lines * side
        np.testing.assert_array_equal(sheet[top : top + side, left : left + side], dataset.images[row][0])


@pytest.mark.parametrize("shape", [(4, 8), (8, 3)])
def test_thumbnails_that_are_no_squares_get_margins(shape):
    images = np.full((2, 1, *shape), 200, np.uint8)
    content, side = projector.sprite_of(type("Wide", (), {"shape": (1, *shape), "images": images})(), np.arange(2))
    first = np.asarray(Image.open(io.BytesIO(content)))[:8, :8, 0]
    assert side == 8
    assert (first > 0).sum() == np.prod(shape)
    top, left = (8 - shape[0]) // 2, (8 - shape[1]) // 2
    assert (first[top : top + shape[0], left : left + shape[1]] == 200).all()


def test_only_so_many_points_go_to_the_projector_and_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(projector, "MOST_POINTS", 50)
    said = projector.write_projector(untrained(), tmp_path / "p.zip", lambda *_: None)
    assert len(members(tmp_path / "p.zip")["vectors.tsv"].splitlines()) == 50
    assert said.startswith("It holds 50 of the 359 test images")


def test_hostile_names_stay_cells(tmp_path):
    projector.write_projector(hostile(), tmp_path / "p.zip", lambda *_: None)
    lines = members(tmp_path / "p.zip")["metadata.tsv"].decode().split("\n")
    assert {line.count("\t") for line in lines[:-1]} == {2}
    cells = {line.split("\t")[1] for line in lines[1:-1]}
    assert '\'=HYPERLINK("http://x") and more' in cells
    assert MARKUP in cells, "markup is nothing in a table"


@pytest.mark.parametrize("sign", ["=", "+", "-", "@"])
def test_a_cell_is_never_a_formula(sign):
    assert text.cell(f"{sign}1+1") == f"'{sign}1+1"
    assert text.cell(f"\t {sign}1") == f"'{sign}1"
    assert text.cell(f"a{sign}1") == f"a{sign}1"


def test_a_readable_text_is_one_line_without_what_turns_it_round():
    assert text.readable("a\u202eb\r\nc\u2028d\0e") == "a b c d e"


def test_json_in_a_page_ends_no_element_and_is_the_same_value():
    value = {MARKUP: [MARKUP, "<!--", 1.5]}
    written = text.json_in_html(value)
    assert not set("<>&") & set(written)
    assert json.loads(written) == value


def test_a_page_carries_every_image_of_its_map_once():
    run = untrained()
    request = MapRequest(method="pca", limit=50)
    drawn = results.project(run, request)
    shown = html.gather(run, request, drawn, results.dataset_of(run), lambda *_: None)
    assert shown.x.shape == shown.x_hat.shape == (50, 1, 8, 8)
    np.testing.assert_array_equal(shown.x, data.load("digits").images[drawn.index])
    places = np.searchsorted(results.codes(run).index, drawn.index)
    np.testing.assert_allclose(shown.mse, results.errors(run)[places], atol=1e-6)


def test_flat_codes_and_few_are_mapped_by_pca_all_others_by_their_neighbours():
    assert html.default_map(untrained()) == MapRequest(method="tsne")
    assert html.default_map(untrained({"latent_dim": 2})).method == "pca"
    few = untrained(set="shapes", params={"count": 100})
    assert html.default_map(few).method == "pca"


def test_a_decoder_too_large_for_a_browser_is_left_out_and_said_to_be(tmp_path, monkeypatch):
    from aeviz.export.page import decoder

    monkeypatch.setattr(decoder, "MOST_PRODUCTS", 10)
    out = tmp_path / "map.html"
    said = html.write_html(untrained(), out, lambda *_: None, MapRequest(method="pca", limit=20))
    assert said.startswith(
        "It shows 20 test images. Nothing is decoded under the pointer: the browser cannot decode at the speed"
    )
    assert '"decode": null' in out.read_text()


def test_names_in_a_page_are_text_wherever_they_stand(tmp_path):
    html.write_html(hostile(), tmp_path / "map.html", lambda *_: None, MapRequest(method="pca", limit=20))
    page = (tmp_path / "map.html").read_text()
    assert MARKUP not in page
    assert page.count("<script") == page.count("</script>") == 4
