"""Captured steps: replayed, they learn what plain ones learn. Without a card the work is repeated in place of a graph."""

import pytest
import torch

from aeviz import files, jobs, training
from aeviz.models.weights import load_model
from aeviz.runs import Resolved
from aeviz.training import Recipe
from aeviz.training.steps.cuda_graphs import CapturedStep, Recorder

SETTINGS = {
    "plain": {},
    "all": {
        "optimizer": "momentum", "clip": 1.0, "ema": 0.9, "l1": 1e-4, "schedule": "cosine", "warmup": 0.5,
        "augment": {"flip_horizontal": True, "shift": 0.1},
    },
}  # fmt: skip


TURNS = {4: ("model.body.dropout", 0.3), 8: ("training.learning_rate", 5e-4), 12: ("model.beta", 2.0)}


class Asking(jobs.Worker):
    """A worker whose person turns settings at given steps."""

    def __init__(self, job, turns):
        super().__init__(job)
        self.turns = dict(turns)

    def may_have_requests(self):
        return True

    def report(self, **changes):
        super().report(**changes)
        for step in [step for step in self.turns if changes.get("step", -1) >= step]:
            path, value = self.turns.pop(step)
            self.job.ask("turn", path=path, value=value)


def train(graphs, turns=(), epochs=2, **settings):
    model = {"variant": "beta_vae", "latent_dim": 4, "body": {"name": "dense", "widths": [16], "dropout": 0.1}}
    recipe = {"model": model, "training": {"epochs": epochs, "device": "cpu", **settings}}
    run = training.prepare(Recipe.parse(recipe))
    resolved = Resolved(device="cpu", device_name="CPU", threads=1, graphs=graphs)
    run.write_config(run.config().model_copy(update={"resolved": resolved}))
    return go_on(run, turns)


def go_on(run, turns=()):
    with files.lock(run.path / "lock"):
        training.work(run, Asking(run, turns))
    return run


def weights(run):
    return load_model(run.weights)[0].state_dict()


def assert_same(first, second):
    assert all(torch.equal(value, second[name]) for name, value in first.items())


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_replayed_steps_learn_what_plain_ones_learn(settings):
    assert_same(weights(train(graphs=False, **settings)), weights(train(graphs=True, **settings)))


def test_replayed_steps_hear_what_is_turned():
    plain, replayed = (train(graphs, TURNS, ema=0.9) for graphs in (False, True))
    assert [line["event"]["path"] for line in replayed.metrics() if "event" in line] == [
        path for path, _ in TURNS.values()
    ]
    assert_same(weights(plain), weights(replayed))


def test_replayed_steps_go_on_as_if_they_had_never_ended():
    whole, parted = train(graphs=True, epochs=3), train(graphs=True, epochs=1)
    training.resume(parted, 3)
    assert_same(weights(whole), weights(go_on(parted)))


def test_a_step_is_captured_after_warming_up_and_anew_when_forgotten(monkeypatch):
    captured = []
    learn = CapturedStep._capture
    monkeypatch.setattr(CapturedStep, "_capture", lambda step: captured.append(step._warm) or learn(step))
    train(graphs=True, turns={8: ("training.l2", 1e-3)}, epochs=2)
    assert captured == [3, 3]


def test_gradients_of_a_replayed_step_are_there_to_be_seen():
    run = train(graphs=True)
    seen = [line["gradients"]["total"] for line in run.metrics() if line.get("gradients")]
    assert seen
    assert min(seen) > 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device: steps are captured there")
def test_a_card_replays_what_it_has_captured():
    x = torch.zeros(3, device="cuda")
    recorder = Recorder(x.device)
    recorder.capture(lambda: {"x": x.add_(1)})
    assert x.tolist() == [0, 0, 0]
    assert [recorder.replay()["x"].tolist() for _ in range(2)] == [[1, 1, 1], [2, 2, 2]]
