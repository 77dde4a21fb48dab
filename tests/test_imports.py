"""What is imported where: what costs seconds and hundreds of MB stays out of servers and trainings that do not use it."""

import json
import subprocess
import sys

import pytest
import torch
from torch import nn, optim

from aeviz.models.eager_optimizers import eager

HEAVY = ("torch._dynamo", "torchvision", "torchmetrics", "sklearn", "pandas", "pyarrow", "openTSNE", "onnx")
TRAIN = """
from aeviz.models import Batch, build, model_config
from aeviz.runs import TrainingConfig
from aeviz.training.steps.optimizers import OPTIMIZERS
from aeviz.training.steps.stepper import Stepper
from aeviz import data
import torch

x = torch.from_numpy(data.load("digits").images[:8]) / 255
for name in OPTIMIZERS:
    model = build(model_config({"sample_shape": (1, 8, 8), "latent_dim": 2, "body": {"name": "conv"}}))
    stepper = Stepper(model, TrainingConfig(optimizer=name, clip=1.0))
    stepper.step(Batch(x, x), 0.0)
    kept = {key.removeprefix("optimizer."): value for key, value in stepper.extra_state().items()}
    stepper.load_extra(kept, {})
"""


RECORD = """
from tests.test_replay import recorded, trained
step = recorded()
trained(step)
assert step._replay is not None
"""
COST = """
from aeviz.models import BODIES, VARIANTS, costs, model_config
for body in BODIES:
    for variant in VARIANTS:
        values = {"sample_shape": (1, 16, 16), "latent_dim": 4, "variant": variant, "body": {"name": body}}
        costs.outline(model_config(values | ({"n_classes": 3} if variant == "cvae" else {})))
"""
CODEBOOK = """
from aeviz import jobs, training
from tests.making import trained
run = trained({"model": {"variant": "vq_vae", "body": {"name": "dense", "widths": [8]}}, "training": {"epochs": 1}})
run.load()
training.resume(run, 2)
with jobs.hold_job(run) as worker:
    training.work(run, worker)
"""


def imported_by(*scripts: str) -> list[set[str]]:
    """Which heavy modules a fresh process has imported after each of these scripts, one after the other."""
    tell = f"import json, sys; print('heavy', json.dumps([name for name in {HEAVY} if name in sys.modules]))"
    line = "\n".join(f"{script}\n{tell}" for script in scripts)
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = [text.removeprefix("heavy ") for text in done.stdout.splitlines() if text.startswith("heavy ")]
    return [set(json.loads(text)) for text in said]


def test_neither_core_nor_training_nor_reading_a_codebook_nor_costs_import_anything_heavy():
    core = f"import aeviz.__main__, aeviz.results, aeviz.export, aeviz.training\n{TRAIN}"
    by_core, by_costs, by_a_codebook, by_a_recorded_step = imported_by(core, COST, CODEBOOK, RECORD)
    assert by_core == set(), "the core and a training by every optimizer"
    assert by_costs == set(), "what any network costs is worked out without torch's compiler"
    assert by_a_codebook == set(), "one is trained, read and gone on with without torch's compiler"
    assert by_a_recorded_step == set(), "it is recorded and replayed without torch's compiler"


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "LBFGS"])
def test_an_eager_optimizer_takes_the_steps_of_torchs_own(name):
    steps = []
    for cls in (getattr(optim, name), eager(getattr(optim, name))):
        torch.manual_seed(0)
        layer, heard = nn.Linear(4, 3), []
        optimizer = cls(layer.parameters(), lr=0.1)
        optimizer.register_step_post_hook(lambda *_, heard=heard: heard.append(1))

        def closure(layer=layer, optimizer=optimizer):
            optimizer.zero_grad()
            loss = layer(torch.ones(2, 4)).square().sum()
            loss.backward()
            return loss

        for _ in range(3):
            optimizer.step(closure)
        state = optimizer.state_dict()
        optimizer.load_state_dict(state)
        steps.append((layer.weight.detach().clone(), sorted(map(str, state["state"].values())), len(heard)))
    assert torch.equal(steps[0][0], steps[1][0])
    assert steps[0][1:] == steps[1][1:]


def test_a_server_imports_the_core_for_its_first_page_and_then_all_but_statistics():
    begun, warm, fitting = imported_by(
        "import app\nfrom aeviz.ui import warm\nimport sys\nassert 'torch' not in sys.modules",
        "warm.core()\nwarm.everything()",
        "warm.statistics().join()",
    )
    assert begun == set()
    assert warm <= {"pandas", "pyarrow"}  # for tables
    assert "sklearn" in fitting
