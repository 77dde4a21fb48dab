"""Runs on disk: found, listed whatever lies beside them, and let in from elsewhere only when harmless."""

import json
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save

from aeviz import data, jobs, results, runs, training
from aeviz.errors import AevizError, BadArchive, MissingData, NotNow, UnknownName
from aeviz.runs import archive, stored_images
from aeviz.training import Recipe


@pytest.fixture
def run():
    recipe = {
        "model": {"latent_dim": 2, "body": {"name": "dense", "widths": [8]}},
        "training": {"epochs": 1, "device": "cpu"},
    }
    made = training.prepare(Recipe.parse(recipe))
    with jobs.hold_job(made) as worker:
        training.work(made, worker)
    return made


@pytest.fixture
def packed(run, tmp_path):
    """The members of an exported run, to be tampered with and put together again."""
    archive.export_run(run, tmp_path / "run.zip")
    with zipfile.ZipFile(tmp_path / "run.zip") as exported:
        members = {name.split("/", 1)[1]: exported.read(name) for name in exported.namelist()}

    def put_together(**changes):
        path = tmp_path / "changed.zip"
        with zipfile.ZipFile(path, "w") as out:
            for name, content in {
                **members,
                **{key.replace("__", "."): value for key, value in changes.items()},
            }.items():
                if content is not None:
                    out.writestr(name, content)
        return path

    put_together.members = members
    return put_together


def test_a_run_is_found_by_its_id_its_beginning_or_as_the_last(run):
    assert runs.find(run.id) == runs.find(run.id[:-2]) == runs.find("last") == run
    with pytest.raises(UnknownName, match=run.id):
        runs.find("nope")


def test_an_unreadable_folder_hides_nothing_else(run):
    for name, content in (("bad", "{bad"), ("other", "[]"), ("third", '{"created": "x"}'), (".import-x", "{}")):
        folder = runs.runs_root() / name
        folder.mkdir()
        (folder / "config.json").write_text(content)
    assert runs.list_runs() == [run]
    assert runs.unreadable_runs() == ["bad", "other", "third"]


def test_a_torn_line_of_metrics_is_passed_over(run):
    before = run.metrics()
    with open(run.path / "metrics.jsonl", "a") as file:
        file.write('{"epoch": 9, "st')
    assert run.metrics() == before
    with open(run.path / "metrics.jsonl", "a") as file:
        file.write('{"epoch": 9}\n')
    assert run.metrics() == before


def test_a_training_run_is_not_deleted(run):
    with jobs.hold_job(run) as worker:
        worker.report(state="running")
        with pytest.raises(NotNow, match="stop it"):
            runs.delete(run)
        worker.report(state="done")
    runs.delete(run)
    assert runs.list_runs() == []


def test_the_psnr_of_a_run_is_that_of_its_weights(run):
    (run.path / "metrics.jsonl").write_text("")
    for epoch, (total, psnr) in enumerate([(3.0, 9.0), (1.0, 8.0), (2.0, 9.5)]):
        line = {
            "epoch": epoch,
            "step": epoch,
            "seconds": 0.0,
            "lr": 1.0,
            "val": {"total": total, "mse": 0.1, "psnr": psnr},
        }
        with open(run.path / "metrics.jsonl", "a") as file:
            file.write(json.dumps(line) + "\n")
    assert run.psnr() == 8.0


def test_a_run_comes_back_from_its_zip(run, packed):
    back = archive.import_run(packed())
    assert back.id != run.id
    x = torch.rand(3, 1, 8, 8)
    assert torch.equal(back.load().code(x), run.load().code(x))
    assert back.metrics() == run.metrics()
    assert back.status().state == "done"


def changed(content, **values):
    return json.dumps({**json.loads(content), **values}).encode()


def weights(content, tmp_path, tensors=None, **metadata):
    """The weights file with other tensors or metadata."""
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    length = int.from_bytes(content[:8], "little")
    before = json.loads(content[8 : 8 + length])["__metadata__"]
    return save({**load_file(path), **(tensors or {})}, {**before, **{k: json.dumps(v) for k, v in metadata.items()}})


@pytest.mark.parametrize(
    "spoil",
    [
        lambda m, t: {"config__json": b"{"},
        lambda m, t: {"config__json": b"[" * 100_000},
        lambda m, t: {"config__json": None},
        lambda m, t: {"model__safetensors": None},
        lambda m, t: {"config__json": changed(m["config.json"], created=1e300)},
        lambda m, t: {"config__json": changed(m["config.json"], data={**json.loads(m["config.json"])["data"], "shape": [1, 9, 9]})},
        lambda m, t: {"config__json": changed(m["config.json"], model={"variant": "vae", "sample_shape": [10**9] * 3})},
        lambda m, t: {"config__json": changed(m["config.json"], model={**json.loads(m["config.json"])["model"], "latent_dim": 3})},
        lambda m, t: {"model__safetensors": b"nonsense"},
        lambda m, t: {"model__safetensors": weights(m["model.safetensors"], t, tensors={"rng.cpu": torch.zeros(3)})},
        lambda m, t: {"model__safetensors": weights(m["model.safetensors"], t, tensors={"model.encoder.1.bias": torch.zeros(8, dtype=torch.float64)})},
        lambda m, t: {"model__safetensors": weights(m["model.safetensors"], t, position={"epoch": -7})},
        lambda m, t: {"model__safetensors": weights(m["model.safetensors"], t, position=[])},
        lambda m, t: {"model__safetensors": weights(m["model.safetensors"], t, model=[])},
        lambda m, t: {"metrics__jsonl": b'{"epoch": 1, "step": 1, "seconds": 1, "lr": 1, "val": 5}\n'},
        lambda m, t: {"metrics__jsonl": b'{"epoch": 1, "step": 1, "seconds": 1, "lr": 1, "images_per_s": "x"}\n'},
        lambda m, t: {"note__json": b"{"},
        lambda m, t: {"kept__safetensors": b"nonsense"},
        lambda m, t: {"kept__safetensors": save({"images": torch.zeros(2, 1, 9, 9, dtype=torch.uint8), "labels": torch.zeros(2), "index": torch.zeros(2)})},
        lambda m, t: {"directions/a__safetensors": b"nonsense"},
        lambda m, t: {"directions/a__json": b"nonsense"},
        lambda m, t: {"directions/a__json": b'{"name": "a", "vector": [1, NaN], "method": "mean_difference"}'},
        lambda m, t: {"directions/a__json": b'{"name": "a", "vector": [1, 2, 3], "method": "mean_difference"}'},
        lambda m, t: {"directions/a__json": b" " * 2**17 + b"{}"},
        lambda m, t: {"weights__pt": b"\x80\x04."},
        lambda m, t: {"../x__json": b"{}"},
    ],
)  # fmt: skip
def test_a_spoilt_zip_is_refused_and_leaves_nothing(spoil, packed, tmp_path, run):
    with pytest.raises(AevizError):
        archive.import_run(packed(**spoil(packed.members, tmp_path)))
    assert runs.list_runs() == [run]
    assert not list(runs.runs_root().glob(".import*"))


def test_a_damaged_zip_is_refused(packed):
    path = packed()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(AevizError):
        archive.import_run(path)
    path.write_text("no zip")
    with pytest.raises(BadArchive, match="not a zip"):
        archive.import_run(path)


def test_a_pickle_is_refused_with_the_reason(packed):
    with pytest.raises(BadArchive, match="can run code"):
        archive.import_run(packed(weights__pt=b"\x80\x04."))


def test_images_that_travel_stand_in_for_a_set_that_is_not_here(run, tmp_path, monkeypatch):
    whole = results.codes(run, "test")
    stored_images.store_images(run, data.load("digits"))
    archive.export_run(run, tmp_path / "run.zip")
    back = archive.import_run(tmp_path / "run.zip")

    def gone(*_):
        raise MissingData("gone")

    monkeypatch.setattr("aeviz.data.load", gone)
    monkeypatch.setattr("aeviz.data.list_data", list)
    assert results.dataset_of(back).kept
    assert np.allclose(results.codes(back, "test").z, whole.z, atol=1e-6)
    assert results.project(back, results.MapRequest(settings={"dims": 2})).points.shape == (359, 2)
    (back.path / stored_images.NAME).unlink()
    with pytest.raises(MissingData, match="digits"):
        results.dataset_of(back)


def test_results_are_computed_anew_when_the_file_is_damaged_or_the_weights_change(run):
    first = results.codes(run, "test")
    (file,) = run.results.glob("codes-*.npz")
    file.write_bytes(b"")
    assert np.array_equal(results.codes(run, "test").z, first.z)
    training.resume(run, 3)
    with jobs.hold_job(run) as worker:
        training.work(run, worker)
    assert not np.array_equal(results.codes(run, "test").z, first.z)


def test_runs_made_in_the_same_second_never_share_a_folder(monkeypatch):
    ids = iter(["one", "one", "two"])
    monkeypatch.setattr(runs.store, "new_id", lambda *named: next(ids))
    made = [training.prepare(Recipe.parse({"training": {"epochs": 1, "device": "cpu"}})) for _ in range(2)]
    assert [run.id for run in made] == ["one", "two"]
