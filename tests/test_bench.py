"""The benchmarks run, and all sides do the same work; how fast is for `make bench` to say."""

import asyncio
import importlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

import bench
from aeviz import data, models
from aeviz.latent.projections.tsne.tsne import TSNESettings
from aeviz.runs import Run
from bench import decoding, limit, load, map_visit, measure, memory, projection, rivals, streaming, training, watched
from bench import map as maps

SETUP = measure.Setup("cpu", threads=1, repeats=1)


@pytest.fixture
def dataset():
    return measure.cut(data.load("digits"), 500)


def test_without_real_data_the_carried_shapes_are_taken(monkeypatch):
    monkeypatch.setattr(measure, "CARRIED_IMAGES", 50)
    assert measure.choose_data().name == "shapes"


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("rival", rivals.RIVALS.values(), ids=rivals.RIVALS)
def test_every_rival_that_is_here_learns_as_we_do(rival, precision, dataset):
    if not rival.is_here():
        pytest.skip(f"{rival.name} is not installed")
    recipe = training.make_recipe("dense", 32, 8, SETUP)
    with measure.temporary_runs():
        ours = training.train_ours(recipe, dataset)
    theirs = rival.train(recipe, dataset, precision)
    mean_image_mse = float((dataset.images[:] / 255.0).var(axis=0).mean())
    assert max(ours.test_mse, theirs.test_mse) < 0.9 * mean_image_mse, "the mean image would do as well"
    assert ours.val_mse == pytest.approx(theirs.val_mse, rel=0.15)
    assert ours.test_mse == pytest.approx(theirs.test_mse, rel=0.15)


def test_all_sides_stand_in_the_table_and_a_missing_rival_is_said(dataset, monkeypatch):
    absent = rivals.Rival("absent", rivals.train_tutorial, "no_such_package")
    monkeypatch.setattr(training, "RIVALS", {"tutorial": rivals.RIVALS["tutorial"], "absent": absent})
    monkeypatch.setattr("bench.limit.SECONDS", 0.01)
    said = []
    with measure.temporary_runs():
        (found,) = training.compare(dataset, SETUP, ["dense"], [64], epochs=1, say=said.append)
    assert "absent is not installed" in said[0]
    assert "bench/requirements.txt" in said[0]
    table = training.table([found], dataset, SETUP, epochs=1)
    assert [row[2] for row in table.rows] == ["aeviz", "tutorial", "products alone", "products alone"]
    assert float(table.rows[1][-2]) == pytest.approx(found.ratio("tutorial"), abs=0.01)
    assert dataset.label in table.markdown()


def test_equal_speeds_have_the_ratio_one_and_a_faster_side_is_above_it():
    slow, fast = (measure.Result(speed, 1000 / speed, "float32", 0.02, 0.03) for speed in (100.0, 400.0))
    found = training.Comparison("dense", 128, [fast], {"tutorial": [slow]}, {"float32": [800.0]})
    assert (found.ratio("tutorial"), found.ratio_of_whole("tutorial")) == (4.0, 4.0)


@pytest.mark.parametrize("body", training.BODIES)
def test_the_limit_counts_the_products_of_a_step(body, dataset):
    recipe = training.make_recipe(body, 16, 1, SETUP)
    model = models.build(training.training.start.fitted_model(recipe, dataset.shape))
    works = limit.products(model, (16, *dataset.shape), torch.float32, "cpu")
    layers = [layer for layer in model.modules() if hasattr(layer, "weight")]
    dense = [layer for layer in layers if isinstance(layer, torch.nn.Linear)]
    # A dense layer: forward, by weights, by inputs (not the first); a convolution: forward, and one backward for both.
    assert len(works) == 3 * len(dense) + 2 * (len(layers) - len(dense)) - (body == "dense")
    for work in works:
        work()


def test_a_streamed_set_learns_from_its_file(monkeypatch):
    monkeypatch.setattr(streaming, "BODIES", ("dense",))
    found = streaming.compare(400, SETUP, epochs=1, say=lambda message: None)
    table = streaming.table(found, 400, SETUP, epochs=1)
    assert [row[1] for row in table.rows][:2] == ["resident", "streamed"]
    assert table.rows[0][-1] == "1.00"


def test_the_memory_of_a_training_is_told_by_kind(monkeypatch):
    monkeypatch.setattr(measure, "CARRIED_IMAGES", 300)
    monkeypatch.setattr(memory, "WARM_UP_IMAGES", 100)
    found = memory._bytes("cpu", None)
    assert found["count"] == 300
    assert found["images as uint8"] == 300 * 32 * 32
    assert set(found) == {"count", *memory.KINDS}


class Stream:
    """What a watcher sends, kept."""

    def __init__(self):
        self.sent = []

    async def send(self, message):
        self.sent.append(BackMsg.FromString(message).rerun_script)


def test_a_watcher_looks_as_often_as_the_page_asks_and_no_longer(tmp_path):
    async def visit():
        stream, watcher = Stream(), watched.Watcher("", Run(tmp_path / "some-run"))
        await watcher._ask(stream, "")
        asked = ForwardMsg()
        asked.auto_rerun.fragment_id, asked.auto_rerun.interval = "panel", 0.01
        await watcher._hear(stream, asked)
        await asyncio.sleep(0.08)
        stopped = ForwardMsg()
        stopped.stop_auto_rerun.fragment_ids.append("panel")
        await watcher._hear(stream, stopped)
        looks = len(stream.sent)
        await asyncio.sleep(0.03)
        assert len(stream.sent) == looks
        return stream.sent

    with ThreadPoolExecutor(1) as apart:  # the browser tests have a loop of their own in this thread
        first, *looks = apart.submit(asyncio.run, visit()).result()
    assert (first.query_string, first.page_name, first.is_auto_rerun) == ("run=some-run", "train", False)
    assert len(looks) >= 2
    assert all(look.fragment_id == "panel" and look.is_auto_rerun for look in looks)


def test_both_maps_stand_in_the_table_and_are_alike(dataset):
    parts = projection.trained_codes(dataset, 150, SETUP)
    settings = TSNESettings(iterations=300, perplexity=10)
    table = projection.table(projection.compare(parts, SETUP, settings), dataset, SETUP, settings)
    assert [row[0] for row in table.rows] == ["aeviz", "scikit-learn"]
    assert float(table.rows[0][2]) == pytest.approx(float(table.rows[1][2]), abs=0.05)
    assert float(table.rows[0][4]) == pytest.approx(float(table.rows[1][4]), rel=0.3)
    assert float(table.rows[0][5].removesuffix("%")) >= 95


@pytest.mark.browser
def test_the_browser_the_server_and_torch_decode_the_same_networks():
    with ThreadPoolExecutor(1) as apart:  # as above
        found = apart.submit(decoding.measure, 1, lambda message: None, seconds=0.02).result()
    assert [each.network for each in found] == list(decoding.NETWORKS)
    assert all(each.off_by < 1e-5 for each in found)
    assert all(min(each.browser + each.frames + each.torch + each.server) > 0 for each in found)
    assert [row[0] for row in decoding.table(found).rows] == list(decoding.NETWORKS)


@pytest.mark.browser
def test_both_maps_are_opened_and_drawn_on_and_every_byte_is_counted(monkeypatch):
    monkeypatch.setattr(map_visit, "SPARE_SECONDS", 0.0)
    monkeypatch.setattr(map_visit, "CARDS", 3)
    monkeypatch.setattr(map_visit, "DRAG_SECONDS", 0.2)
    monkeypatch.setattr(map_visit, "MENU", ("home", "map"))
    with ThreadPoolExecutor(1) as apart:  # as above
        found = apart.submit(maps.measure, [1000], 1, lambda message: None).result()
    (compared,) = found.compared
    for side in (*compared.ours, *compared.native):
        assert None not in (side.first.seconds, side.lasso.seconds, side.box.seconds)
        assert side.first.received > 8, "each dot takes eight bytes"
    assert compared.ours[0].lasso.sent > 1000 / 8 / 1000
    assert len(compared.ours[0].cards) == 3
    assert compared.ours[0].pictures > 0
    assert compared.ours[0].placed is not None
    assert found.charts["map"] == 1
    assert [row[:2] for row in maps.tables(found)[0].rows] == [("1,000", "aeviz"), ("1,000", "Streamlit")]


def test_a_rival_that_closes_the_connection_has_no_number():
    lost, done = map_visit.Step(None), map_visit.Step(0.5, 3.0, 9.0)
    ours, theirs = map_visit.Visit(done, done, done, 1, 2), map_visit.Visit(done, lost, lost, 1, 2)
    first, _ = maps.tables(maps.Found([maps.Compared(300, [ours], [theirs])], {"map": 1}))
    assert first.rows[1][4:7] == ("closes the connection", "", "closes the connection")
    assert first.rows[1][-2:] == ("1.0", "")


def test_runs_of_a_benchmark_leave_nothing_behind(tmp_path, dataset):
    with measure.temporary_runs():
        training.train_ours(training.make_recipe("dense", 64, 1, SETUP), dataset)
    assert not (tmp_path / "runs").exists()


def test_the_divergence_is_that_of_its_definition():
    rng = np.random.default_rng(0)
    points, joint = rng.normal(size=(6, 2)), np.triu(rng.random((6, 6)), 1)
    joint = (joint + joint.T) / (2 * joint.sum())
    kernel = 1 / (1 + np.square(points[:, None] - points[None]).sum(axis=2))
    np.fill_diagonal(kernel, 0)
    off = ~np.eye(6, dtype=bool)
    expected = (joint[off] * np.log(joint[off] / (kernel / kernel.sum())[off])).sum()
    assert projection.kl_divergence(csr_matrix(joint), points) == pytest.approx(expected, rel=1e-6)


def test_every_benchmark_can_be_imported():
    scripts = {"native_map"}  # drawn by Streamlit
    for path in Path(bench.__file__).parent.glob("*.py"):
        if path.stem not in scripts:
            importlib.import_module(f"bench.{path.stem}")


def test_visitors_of_one_server_all_see_the_page_and_none_is_cut_off(monkeypatch):
    monkeypatch.setattr(load, "POINTS", 200)
    monkeypatch.setattr(load, "ARRIVING_SECONDS", 0.1)
    monkeypatch.setattr(load, "WARMING_SECONDS", 0.1)
    found = load.measure("home", sessions=2, thought=0.1, seconds=0.5, say=lambda message: None)
    for heard in found.values():
        assert (len(heard.first), heard.closed) == (2, 0)
        assert heard.reruns
        assert len(heard.kilobytes) == len(heard.reruns)
    assert "Streamlit's defaults" in load.table(found, "home", 2, 0.1).markdown()


def test_visitors_come_and_go_and_none_is_cut_off(monkeypatch):
    monkeypatch.setattr(load, "POINTS", 200)
    monkeypatch.setattr(load, "WARMING_SECONDS", 0.1)
    monkeypatch.setattr(load, "TIDYING_SECONDS", 0.1)
    monkeypatch.setattr(load, "CROWD", 2)
    assert load.churn("home", 3, say=lambda message: None)[1] == 0
