"""What goes out as ONNX gives what torch gives, or does not go out."""

import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch

from aeviz.errors import BadValue
from aeviz.export import onnx as exported
from aeviz.models import LOSSES, VARIANTS
from tests.exports import untrained

pytest.importorskip("onnx", reason="onnx is not installed; see requirements-extra.txt")
pytest.importorskip("onnxscript", reason="onnxscript is not installed; see requirements-extra.txt")
CASES = {
    **{name: ({"variant": name}, "mse") for name in VARIANTS},
    **{f"loss {name}": ({"body": {"name": "conv", "channels": (4, 6)}}, name) for name in LOSSES},
    "residual": ({"body": {"name": "residual", "channels": (4, 6), "norm": "group", "activation": "gelu"}}, "mse"),
    "tied": ({"body": {"name": "conv", "channels": (4, 6), "norm": "batch"}, "tied": True, "standardise": True}, "mse"),
}


def taken(run, tmp_path):
    exported.write_onnx(run, tmp_path / "run.zip", lambda *_: None)
    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("name", CASES)
def test_encoder_and_decoder_give_what_torch_gives(name, tmp_path):
    settings, loss = CASES[name]
    run = untrained(settings, loss=loss)
    files, model = taken(run, tmp_path), run.load()
    x = torch.rand(3, 1, 8, 8)
    with torch.no_grad():
        z = model.code(x, torch.tensor([0, 9, -1]))
        x_hat = model.decode(z, torch.tensor([0, 9, -1]))
    labels = {"labels": np.array([0, 9, -1])} if name == "cvae" else {}
    found = exported.runtime(files["encoder.onnx"])({"x": x.numpy(), **labels})
    np.testing.assert_allclose(found, z.numpy(), atol=1e-4)
    found = exported.runtime(files["decoder.onnx"])({"z": z.numpy(), **labels})
    np.testing.assert_allclose(found, x_hat.numpy(), atol=1e-4)


def test_the_readme_says_what_goes_in_and_what_comes_out(tmp_path):
    readme = taken(untrained({"variant": "cvae"}), tmp_path)["README.txt"].decode()
    assert "encoder.onnx: x (N, 1, 8, 8) float32, pixels in [0, 1], labels (N) int64: 0 0," in readme
    assert "decoder.onnx: z (N, 3) float32, labels (N) int64: 0 0, 1 1, 2 2," in readme


def test_a_file_tells_nothing_of_the_folders_it_was_made_in(tmp_path):
    for content in taken(untrained(), tmp_path).values():
        assert str(tmp_path.parent).encode() not in content
        assert b".py" not in content


def test_a_file_that_differs_from_torch_is_not_handed_out(tmp_path, monkeypatch):
    monkeypatch.setattr(exported, "runtime", lambda content: lambda feed: np.zeros((len(feed["x"]), 3)))
    with pytest.raises(
        BadValue, match=r"the encoder written for ONNX differs from torch's by 0\.\d+, more than 0.0001"
    ):
        taken(untrained(), tmp_path)
    assert not (tmp_path / "run.zip").exists()


def test_onnx_itself_checks_where_its_runtime_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert "decoder.onnx" in taken(untrained({"body": {"name": "conv", "channels": (4,)}}), tmp_path)


def test_the_command_line_is_not_talked_over_by_the_exporter(tmp_path):
    run = untrained({"variant": "cvae"})
    line = [sys.executable, "-m", "aeviz", "export", run.id, "--to", "onnx", "--out", str(tmp_path / "run.zip")]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0].startswith("written to")
    assert done.stderr == ""
