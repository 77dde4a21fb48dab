"""The command line: exactly the keys and exit codes that scripts rely on."""

import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aeviz.__main__ import main

ROOT = Path(__file__).resolve().parent.parent
QUICK = ["train", "--dataset", "digits", "--latent-dim", "4", "--epochs", "2", "--device", "cpu"]
SCORES = {"mse", "psnr", "ssim", "knn", "linear", "trustworthiness"}


@pytest.fixture
def say(capsys):
    """Run a line with --json; its exit code and the object in its last line."""

    def run(*arguments, code=0):
        assert main([*arguments, "--json"]) == code
        out = capsys.readouterr().out.splitlines()
        return json.loads(out[-1], parse_constant=pytest.fail) if out else None

    return run


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "red.png"
    Image.new("RGB", (40, 30), "red").save(path)
    return path


def test_train_says_what_came_of_it(say):
    told = say(*QUICK)
    assert set(told) == {"run", "path", "state", "epoch", "seconds", "images_per_s", "device", "val"}
    assert (told["state"], told["epoch"], told["device"]) == ("done", 2, "cpu")
    assert set(told["val"]) == {"total", "mse", "psnr"}
    assert told["val"]["psnr"] == pytest.approx(-10 * np.log10(told["val"]["mse"]))
    assert (Path(told["path"]) / "model.safetensors").exists()


def test_every_setting_can_be_set(say):
    told = say(*QUICK, "--variant", "beta_vae", "--body", "conv", "--seed", "7", "--set", "model.body.dropout=0.1",
               "--set", "model.beta=2", "--set", "training.loss=bernoulli", "--set", "model.body.channels=[4, 8]")  # fmt: skip
    config = json.loads((Path(told["path"]) / "config.json").read_text())
    assert config["seed"] == 7
    assert config["model"]["beta"] == 2
    assert config["model"]["body"] | {"dropout": 0.1, "name": "conv", "channels": [4, 8]} == config["model"]["body"]
    assert config["training"]["loss"] == "bernoulli"


def test_a_run_s_config_can_be_trained_again(say, tmp_path):
    first = say(*QUICK, "--variant", "vae")
    again = say("train", "--config", f"{first['path']}/config.json", "--epochs", "1")
    assert again["epoch"] == 1
    config = json.loads((Path(again["path"]) / "config.json").read_text())
    assert config["model"]["variant"] == "vae"
    assert config["model"]["latent_dim"] == 4


def test_runs_are_listed_shown_resumed_and_deleted(say):
    run = say(*QUICK)["run"]
    (row,) = say("runs")["runs"]
    assert set(row) == {"run", "title", "state", "data", "variant", "latent_dim", "psnr", "created"}
    assert abs(row["created"] - time.time()) < 60
    assert say("show", run[:-2])["run"] == run
    assert say("resume", "last", "--epochs", "3")["epoch"] == 3
    say("delete", run)
    assert say("runs")["runs"] == []


def test_codes_points_and_scores_have_their_shapes(say, tmp_path):
    run = say(*QUICK)["run"]
    say("encode", run, "--split", "test", "--out", str(tmp_path / "codes.npz"))
    codes = np.load(tmp_path / "codes.npz")
    assert {name: (codes[name].dtype.name, codes[name].shape) for name in codes} == {
        "z": ("float32", (359, 4)), "labels": ("int64", (359,)), "index": ("int64", (359,)),
    }  # fmt: skip
    assert codes["index"].min() == 1797 - 359
    for dims in (2, 3):
        told = say("project", run, "--method", "pca", "--dims", str(dims), "--out", str(tmp_path / "p.npz"))
        keys = {"run", "method", "dims", "n", "out", "seconds", "trustworthiness", "continuity", "knn_map", "knn_codes"}
        assert set(told) == keys
        assert np.load(tmp_path / "p.npz")["points"].shape == (359, dims)
    assert say("project", run, "--limit", "50", "--out", str(tmp_path / "p.npz"))["n"] == 50
    score = say("score", run)
    assert set(score) == {"run", "split", "n", "pca"} | SCORES
    assert set(score["pca"]) == SCORES


def test_own_images_are_encoded_and_rebuilt_and_bad_ones_named(say, tmp_path, picture):
    run = say(*QUICK)["run"]
    bad = tmp_path / "bad.png"
    bad.write_text("no picture")
    told = say("reconstruct", run, str(picture), str(bad), "--out", str(tmp_path / "out"), code=2)
    (row,) = told["images"]
    assert set(row) == {"file", "out", "mse", "psnr", "ssim", "percentile"}
    assert Image.open(row["out"]).size == (8, 8)
    assert told["skipped"][0]["file"] == str(bad)
    assert "bad.png" in told["skipped"][0]["reason"]
    say("encode", run, "--images", str(picture), str(picture), "--out", str(tmp_path / "c.npz"))
    codes = np.load(tmp_path / "c.npz")
    assert codes["z"].shape == (2, 4)
    assert codes["labels"].tolist() == [-1, -1]


def test_images_are_placed_on_a_map_that_was_made_and_bad_ones_named(say, capsys, tmp_path, picture):
    run = say(*QUICK)["run"]
    line = ["--method", "tsne", "--dims", "3", "--limit", "100", "--set", "iterations=60"]
    assert main(["place", run, *line, str(picture)]) == 2
    assert f"python -m aeviz project {run} --method tsne" in capsys.readouterr().err
    assert say("project", run, *line)["dims"] == 3
    assert say("project", run, *line, "--go-on")["n"] == 100
    told = say("place", run, *line, str(picture), str(tmp_path / "none.png"), str(picture), code=2)
    assert set(told) == {"run", "method", "dims", "points", "skipped"}
    first, again = told["points"]
    assert set(first) == {"file", "x", "y", "z", "neighbours"}
    assert first == again
    assert len(first["neighbours"]) == 5
    assert set(first["neighbours"][0]) == {"index", "label", "distance"}
    assert first["neighbours"][0]["index"] >= 1797 - 359
    assert "none.png" in told["skipped"][0]["reason"]
    say("project", run, "--method", "lda")
    assert "z" not in say("place", run, "--method", "lda", str(picture))["points"][0]


def test_data_are_listed_imported_and_deleted(say, tmp_path, picture):
    for number in range(6):
        folder = tmp_path / "mine" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 20), (number * 40, 0, 0)).save(folder / f"{number}.png")
    (tmp_path / "mine" / "a" / "broken.png").write_bytes(b"\x89PNG\r\n")
    told = say("data", "import", str(tmp_path / "mine"), "--name", "mine", "--size", "16", "--mode", "grey")
    assert told["n"] == 6
    assert told["shape"] == [1, 16, 16]
    assert told["classes"] == ["a", "b"]
    assert [set(row) for row in told["skipped"]] == [{"file", "reason"}]
    rows = {row["name"]: row for row in say("data", "list")["data"]}
    assert set(rows["mine"]) == {"name", "n", "shape", "classes", "own", "ready"}
    assert rows["mine"]["own"]
    assert rows["digits"]["ready"]
    say("data", "delete", "mine")
    assert "mine" not in {row["name"] for row in say("data", "list")["data"]}


def test_a_run_travels_as_a_zip(say, tmp_path, monkeypatch):
    run = say(*QUICK)["run"]
    say("export", run, "--to", "zip", "--out", str(tmp_path / "run.zip"))
    assert all(
        name.rsplit(".")[-1] in ("json", "jsonl", "safetensors")
        for name in zipfile.ZipFile(tmp_path / "run.zip").namelist()
    )
    before = say("score", run)
    monkeypatch.setenv("AEVIZ_RUNS", str(tmp_path / "elsewhere"))
    loaded = say("runs", "import", str(tmp_path / "run.zip"))["run"]
    assert loaded != run
    assert say("score", loaded) | {"run": run} == before
    assert say("resume", loaded, "--epochs", "3")["epoch"] == 3


def test_the_projector_s_files_are_written_to_a_folder_and_counted(say, tmp_path):
    told = say("export", say(*QUICK)["run"], "--to", "projector", "--out", str(tmp_path / "folder"))
    assert told["bytes"] == sum(path.stat().st_size for path in (tmp_path / "folder").iterdir())
    assert (tmp_path / "folder" / "projector_config.pbtxt").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "nope"], "nope"),
        (["train", "--dataset", "nope"], "nope"),
        (["train", "--variant", "gan"], "beta_vae"),
        (["train", "--epochs", "0"], "epochs = 0"),
        (["train", "--set", "model.body.dropot=1"], "body.dropot"),
        (["train", "--set", "nonsense"], "nonsense"),
        (["train", "--device", "cuda:99"], "cuda:99"),
        (["train", "--dataset", "cifar10"], "data get cifar10"),
        (["data", "import", "nowhere.zip", "--name", "x"], "nowhere.zip"),
        (["nonsense"], "nonsense"),
    ],
)
def test_a_mistake_is_one_clear_line_and_exit_code_2(arguments, said, capsys, tmp_path):
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert "Traceback" not in told.err
    assert not list((tmp_path / "runs").glob("2*"))


def test_a_diverged_run_exits_with_2_and_says_what_to_try(capsys):
    wild = ["--set", "training.optimizer=sgd", "--set", "training.learning_rate=10", "--set", "training.loss=bernoulli"]
    assert main([*QUICK, *wild, "--json"]) == 2
    told = capsys.readouterr()
    assert json.loads(told.out.splitlines()[-1])["state"] == "diverged"
    assert "smaller learning rate" in told.err


def test_a_training_can_be_stopped_from_another_terminal_and_taken_up(say, tmp_path):
    line = [sys.executable, "-m", "aeviz", *QUICK[:-4], "--epochs", "100000", "--device", "cpu"]
    with subprocess.Popen(line, cwd=tmp_path, env=_environment(), stderr=subprocess.PIPE) as training:
        for text in training.stderr:
            if text.startswith(b"epoch"):
                break
        assert say("stop", "last")["state"] == "stopped"
        training.stderr.read()
        assert training.wait(20) == 0
    epoch = say("show", "last")["epoch"]
    assert say("resume", "last", "--epochs", str(epoch + 1))["state"] == "done"


def _environment():
    import os

    return os.environ | {"PYTHONPATH": str(ROOT)}
