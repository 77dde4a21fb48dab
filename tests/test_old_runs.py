"""Runs written by earlier versions open, go on, and come back from their zips; `old_run` holds one of 30 November 2026."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from aeviz import runs
from aeviz.__main__ import main
from aeviz.models.weights import load_model
from aeviz.runs.archive import import_run

FOLDER = Path(__file__).with_name("old_run")
ID = next(FOLDER.glob("*.zip")).stem


@pytest.fixture
def old_run():
    shutil.copytree(FOLDER / ID, runs.runs_root() / ID)
    return runs.find(ID)


def printed(capsys, *line):
    assert main([*line, "--json"]) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_an_old_run_is_listed_and_scored_as_it_was(old_run, capsys):
    assert [run.id for run in runs.list_runs()] == [ID]
    shown = printed(capsys, "show", ID)
    assert (shown["state"], shown["epoch"]) == ("done", 2)
    last = next(line["val"] for line in reversed(old_run.metrics()) if "val" in line)
    assert printed(capsys, "score", ID, "--split", "val")["mse"] == pytest.approx(last["mse"], rel=1e-4)


def test_codes_and_maps_kept_by_an_old_version_are_read_not_made_again(old_run, capsys):
    before = {path.name: path.read_bytes() for path in (old_run.path / "results").iterdir()}
    printed(capsys, "project", ID, "--method", "pca")
    after = {path.name: path.read_bytes() for path in (old_run.path / "results").iterdir()}
    assert before == {name: content for name, content in after.items() if name in before}
    assert not [name for name in after.keys() - before.keys() if name.startswith(("map", "codes"))]


def test_an_old_training_goes_on_where_it_stood(old_run, capsys):
    steps = old_run.status().step
    printed(capsys, "resume", ID, "--epochs", "3")
    assert (old_run.status().state, old_run.status().epoch, old_run.status().step) == ("done", 3, steps // 2 * 3)


def test_an_old_zip_comes_in_with_the_same_weights(old_run):
    (old, _), (came, _) = (load_model(run.weights) for run in (old_run, import_run(FOLDER / f"{ID}.zip")))
    assert all(torch.equal(tensor, came.state_dict()[name]) for name, tensor in old.state_dict().items())
