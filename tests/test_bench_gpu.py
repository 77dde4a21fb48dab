"""The card's benchmark, on the processor and in small: every piece of work can be done, and whatever ends it is told."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from bench.gpu import conduct, parts
from bench.gpu.part import attempt
from bench.gpu.parts import PARTS, Part, Setting
from bench.gpu.report import failures, markdown

ROOT = Path(__file__).resolve().parent.parent
SMALL = Setting("cpu", small=True)


@pytest.mark.parametrize("name", PARTS)
def test_all_the_work_of_a_part_can_be_done_on_the_processor(name):
    results = {work: attempt(do) for work, do in PARTS[name].works(SMALL)}
    assert len(results) == len(PARTS[name].works(SMALL)) > 0, "names are told apart"
    assert not {work: found for work, found in results.items() if found["ok"] is False}


def test_crashes_and_breaks_cost_one_piece_of_work_and_a_slow_one_the_rest(tmp_path, monkeypatch):
    monkeypatch.setattr(Part, "module", "tests.card_part")
    monkeypatch.setattr(conduct, "LEAST_SECONDS", 0.2)
    outcome = conduct.conduct_part("steps", SMALL, tmp_path, seconds=2.5)
    found = {each["name"]: each for each in outcome["results"]}
    assert outcome["state"].startswith("cut off after")
    assert {name: each["ok"] for name, each in found.items()} == {
        "holds": True, "fails": False, "is left out": None, "crashes": False, "after the crash": True,
        "breaks the card": False, "after the break": True, "takes too long": None,
    }  # fmt: skip
    assert "signal 11" in found["crashes"]["said"]
    assert "seven is no number" in found["fails"]["said"]
    assert len({found[name]["pid"] for name in ("holds", "after the crash", "after the break")}) == 3
    page = markdown({"steps": outcome}, SMALL)
    assert "| steps: crashes" in page
    assert failures({"steps": outcome}) == ["steps: fails", "steps: crashes", "steps: breaks the card"]


def test_a_part_whose_packages_are_missing_is_left_out_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "is_here", lambda module: module != "pydantic")
    outcome = conduct.conduct_part("latent", SMALL, tmp_path, seconds=9.0)
    assert outcome["state"] == "left out: needs pydantic"


def test_one_command_writes_two_pages_and_without_a_card_says_so_at_once(tmp_path):
    line = ["bench/gpu.sh", str(tmp_path), "--device", "cuda"]
    hidden = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    ended = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, env=hidden)
    assert ended.returncode == 1
    assert "torch finds no CUDA device here" in ended.stdout
    assert (tmp_path / "gpu.md").read_text() == ended.stdout
    page = json.loads((tmp_path / "gpu.json").read_text())
    assert list(page["parts"]) == ["machine"]
    assert page["parts"]["machine"]["results"][0]["versions"]["torch"]


def test_the_table_holds_every_side_beside_the_tutorial():
    def row(side, speed, **more):
        return {"name": side, "ok": True, "body": "dense", "batch": 512, "side": side, "precision": "float32",
                "images_per_s": speed, **more}  # fmt: skip

    results = [row("tutorial", 20_000), row("replayed", 500_000, epoch_seconds=0.12)]
    text = markdown({"speed": {"state": "done", "seconds": 9.0, "results": results}}, SMALL)
    assert "| dense   | 512   | replayed | float32   | 500,000  | 0.120    | 25.0               | 20   |" in text
