"""Several processes that train one network: the same result as one, and only the first writes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aeviz.__main__ import main

ROOT = Path(__file__).resolve().parents[1]
LINE = [
    *("train", "--dataset", "digits", "--epochs", "2", "--latent-dim", "4", "--device", "cpu", "--json"),
    *("--set", "model.body.widths=[32]", "--set", "training.batch_size=50"),
]


def told(said):
    (line,) = [line for line in said.splitlines() if line.startswith("{")]
    return json.loads(line)


def together(*arguments, folder, processes=2):
    """What a line says that so many processes run."""
    here = ["--nnodes", "1", "--rdzv-backend", "c10d", "--rdzv-endpoint", "127.0.0.1:0", "--nproc-per-node"]
    command = [sys.executable, "-m", "torch.distributed.run", *here, str(processes), "-m", "aeviz", *arguments]
    environment = {**os.environ, "AEVIZ_RUNS": str(folder), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, cwd=folder.parent, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-3000:]
    return told(done.stdout)


@pytest.mark.parametrize("variant", ["autoencoder", "vae", "denoising"])
def test_two_processes_give_the_numbers_of_one(tmp_path, variant, capsys):
    line = [*LINE, "--variant", variant, "--set", 'training.augment={"shift":0.1}']
    assert main(line) == 0
    alone = told(capsys.readouterr().out)
    both = together(*line, folder=tmp_path / "both")
    assert both["state"] == "done"
    assert len(list((tmp_path / "both").glob("*/config.json"))) == 1
    for name in ("total", "mse", "psnr"):
        assert both["val"][name] == pytest.approx(alone["val"][name], rel=1e-4)


def test_a_last_batch_smaller_than_the_processes_joins_the_one_before(tmp_path):
    done = together(*LINE, "--set", "training.batch_size=68", folder=tmp_path / "three", processes=3)
    assert done["state"] == "done"
