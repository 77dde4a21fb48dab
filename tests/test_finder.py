"""The learning-rate finder: a sweep one can trust, and that leaves nothing behind."""

import json

import numpy as np
import pytest
import torch

from aeviz import data, files, jobs
from aeviz.__main__ import main
from aeviz.errors import BadValue, OverBudget
from aeviz.jobs import Job
from aeviz.training import Recipe
from aeviz.training import rate_finder as finding
from aeviz.training.rate_finder import find_rate


def recipe(optimizer="adam", variant="autoencoder", **model):
    return Recipe.parse({"model": {"variant": variant, **model}, "training": {"optimizer": optimizer, "device": "cpu"}})


@pytest.fixture(scope="module")
def digits():
    return data.load("digits", {})


@pytest.mark.parametrize(
    ("optimizer", "low", "high"), [("adam", 3e-4, 5e-3), ("sgd", 1e-2, 0.3), ("rmsprop", 3e-5, 2e-3)]
)
def test_the_suggestion_is_a_rate_that_trains_well(digits, optimizer, low, high):
    sweep = find_rate(recipe(optimizer), digits, "cpu")
    assert low < sweep.suggestion < high
    assert sweep.rates.shape == sweep.losses.shape
    assert sweep.rates[0] == pytest.approx(1e-6)
    assert np.ptp(np.diff(np.log(sweep.rates))) < 1e-9, "evenly spaced in the logarithm"


def test_a_sweep_is_repeatable_and_disturbs_no_other_draw(digits):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, second = (find_rate(recipe(variant="vae"), digits, "cpu") for _ in range(2))
    assert torch.equal(torch.rand(3), expected)
    assert np.array_equal(first.losses, second.losses)
    assert first.suggestion == second.suggestion


def test_a_sweep_ends_where_the_loss_blows_up(digits, monkeypatch):
    rates = np.geomspace(1e-6, 10, 100)
    script = iter([*np.linspace(10, 2, 60), *np.full(40, 100.0)])
    monkeypatch.setattr(finding.Stepper, "step", lambda *_, **__: {"total": next(script)})
    sweep = find_rate(recipe(), digits, "cpu")
    assert 60 <= len(sweep.losses) < 65
    assert sweep.suggestion <= rates[60] / 3
    monkeypatch.setattr(finding.Stepper, "step", lambda *_, **__: {"total": float("nan")})
    with pytest.raises(BadValue):
        find_rate(recipe(), digits, "cpu")


def test_a_falling_loss_is_followed_where_it_falls_most():
    rates = np.geomspace(1e-6, 10, 100)
    losses = 10 / (1 + np.exp(4 * (np.log10(rates) + 3)))  # steepest at 1e-3
    losses[80:] += np.linspace(0, 30, 20)
    assert finding._suggestion(rates, losses) == pytest.approx(1e-3, rel=0.2)


def test_every_setting_of_a_training_takes_part(digits):
    training = {"clip": 1.0, "l1": 1e-4, "ema": 0.9, "schedule": "cosine", "warmup": 2.0, "augment": {"shift": 0.1}}
    asked = recipe("momentum", standardise=True)
    asked = Recipe.parse({**asked.to_json(), "training": {**asked.training.to_json(), **training}})
    sweep = find_rate(asked, digits, "cpu")
    assert sweep.rates[-1] > 1e-2, "the schedule does not bend the sweep"
    assert not np.allclose(sweep.losses[:20], find_rate(recipe("momentum"), digits, "cpu").losses[:20])


def test_progress_is_told_and_a_network_beyond_memory_refused(digits, monkeypatch):
    told = []
    find_rate(recipe(), digits, "cpu", lambda done, total: told.append((done, total)))
    assert told[0] == (1, 100)
    assert [done for done, _ in told] == list(range(1, len(told) + 1))
    monkeypatch.setattr("aeviz.models.costs.free_memory", lambda device: 10)
    with pytest.raises(OverBudget):
        find_rate(recipe(), digits, "cpu")


def test_the_command_says_the_curve_and_the_suggestion(capsys, tmp_path):
    assert main(["rates", "--latent-dim", "4", "--device", "cpu", "--set", "model.body.widths=[16]", "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(told) == {"rates", "losses", "suggestion", "loss", "learning_rate"}
    assert len(told["rates"]) == len(told["losses"])
    assert main(["rates", "--set", "training.optimizer=newton"]) == 2
    assert "training.optimizer" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_as_a_job_it_leaves_its_sweep_and_can_be_stopped(tmp_path, capsys):
    config = tmp_path / "recipe.json"
    files.write_json(config, recipe().to_json())
    job = jobs.create(tmp_path / "jobs", "rates")
    line = ["rates", "--config", str(config), "--job", str(job.path)]
    assert main(line) == 0
    assert job.status().state == "done"
    assert json.loads((job.path / "sweep.json").read_text())["suggestion"] > 0
    jobs.requeue(job)
    Job(job.path).ask("stop")
    assert main(line) == 2
    assert job.status().state == "stopped"
    assert "stopped" in capsys.readouterr().err
