"""The one loop: it learns, stops, pauses, goes on as if it had never ended, and says when it fails."""

import json
import math

import pytest
import torch

from aeviz import data, jobs, results, training
from aeviz.errors import BadValue, OverBudget
from aeviz.models import VARIANTS
from aeviz.models.weights import load_model
from aeviz.training import Recipe
from aeviz.training.batches.feed import split_order, steps_per_epoch


def recipe(epochs=3, variant="autoencoder", latent_dim=4, **training_settings):
    model = {"variant": variant, "latent_dim": latent_dim, "body": {"name": "dense", "widths": [32]}}
    return Recipe.parse(
        {
            "data": {"name": "digits"},
            "model": model,
            "training": {"epochs": epochs, "device": "cpu", **training_settings},
        }
    )


def train(run):
    with jobs.hold_job(run) as worker:
        training.work(run, worker)
    return run


def epoch_lines(run):
    """Lines of whole epochs without what depends on the clock."""
    return [
        {key: line.get(key) for key in ("epoch", "step", "lr", "train", "val")}
        for line in run.metrics()
        if "val" in line
    ]


class Interrupting(jobs.Worker):
    """A worker whose person asks for something at a given step."""

    def __init__(self, job, request, step):
        super().__init__(job)
        self.request, self.step = request, step

    def report(self, **changes):
        super().report(**changes)
        if changes.get("step", 0) >= self.step:
            self.job.ask(self.request)
            self.step = math.inf


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_learns_on_the_digits(variant):
    run = train(training.prepare(recipe(variant=variant)))
    lines = epoch_lines(run)
    assert run.status().state == "done"
    assert [line["epoch"] for line in lines] == [0, 1, 2, 3]
    assert lines[-1]["val"]["mse"] < lines[0]["val"]["mse"]
    assert (run.path / "preview.webp").stat().st_size > 100
    assert run.config().resolved.device == "cpu"


def test_the_same_seed_gives_the_same_numbers_and_another_seed_does_not():
    first, second = (train(training.prepare(recipe(variant="vae"))) for _ in range(2))
    other = train(training.prepare(recipe(variant="vae").model_copy(update={"seed": 1})))
    assert epoch_lines(first) == epoch_lines(second)
    assert epoch_lines(first) != epoch_lines(other)


@pytest.mark.parametrize("request_", ["stop", "pause"])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_run_that_is_taken_up_again_ends_as_if_it_had_never_stopped(request_, optimizer, monkeypatch):
    monkeypatch.setattr("aeviz.training.loop.CHECK_SECONDS", 0.0)
    settings = {"variant": "vae", "optimizer": optimizer, "learning_rate": 1e-3}
    whole = train(training.prepare(recipe(**settings)))
    run = training.prepare(recipe(**settings))
    with jobs.hold_job(run):
        training.work(run, Interrupting(run, request_, step=17))
    assert run.status().state == {"stop": "stopped", "pause": "paused"}[request_]
    assert 12 < run.status().step < 30
    training.resume(run)
    train(run)
    assert run.status().state == "done"
    assert epoch_lines(run) == epoch_lines(whole)
    a, b = (load_model(each.weights)[0].state_dict() for each in (run, whole))
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_a_killed_run_goes_on_from_its_checkpoint(monkeypatch):
    monkeypatch.setattr("aeviz.training.loop.CHECK_SECONDS", 0.0)
    monkeypatch.setattr("aeviz.training.loop.CHECKPOINT_SECONDS", 0.0)
    whole = train(training.prepare(recipe()))
    run = training.prepare(recipe())

    class Killed(BaseException):
        pass

    class Dying(jobs.Worker):
        def report(self, **changes):
            super().report(**changes)
            if changes.get("step", 0) >= 20:
                raise Killed

    with pytest.raises(Killed):
        training.work(run, Dying(run))
    assert run.status().state == "interrupted"
    train(run)
    assert epoch_lines(run) == epoch_lines(whole)


def test_a_finished_run_can_be_given_more_epochs_but_not_fewer():
    run = train(training.prepare(recipe(epochs=2)))
    with pytest.raises(BadValue, match="has done 2"):
        training.resume(run, 2)
    training.resume(run, 3)
    train(run)
    assert run.status().epoch == run.config().training.epochs == 3
    assert epoch_lines(run) == epoch_lines(train(training.prepare(recipe(epochs=3))))


def test_a_diverging_run_says_so_and_keeps_its_last_good_weights():
    run = train(training.prepare(recipe(optimizer="sgd", learning_rate=10.0, loss="bernoulli", epochs=5)))
    status = run.status()
    assert status.state == "diverged"
    assert "smaller learning rate than 10" in status.message
    model = run.load()
    assert all(parameter.isfinite().all() for parameter in model.parameters())
    for line in (run.path / "metrics.jsonl").read_text().splitlines():
        json.loads(line, parse_constant=pytest.fail)


def test_weights_are_the_best_on_validation():
    run = train(training.prepare(recipe(epochs=4, learning_rate=0.05)))
    best = min(line["val"]["total"] for line in epoch_lines(run))
    dataset = data.load("digits")
    model = run.load()
    x = torch.from_numpy(dataset.images[dataset.rows("val")]).float() / 255
    with torch.no_grad():
        total = (model.decode(model.code(x)) - x).square().flatten(1).sum(1).mean().item()
    assert total == pytest.approx(best, rel=1e-5)


def test_a_network_that_cannot_fit_is_refused_and_leaves_nothing(tmp_path):
    values = recipe().to_json()
    values["model"]["body"] = {"name": "dense", "widths": [8192] * 8}
    values["training"]["batch_size"] = 65_536
    values["data"] = {"name": "shapes", "params": {"size": 64, "channels": 3, "count": 100}}
    import aeviz.models.costs as budget

    needed = budget.cost(training.start.fitted_model(Recipe.parse(values), (3, 64, 64)), 65_536)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(budget, "free_memory", lambda device: needed.memory - 1)
        with pytest.raises(OverBudget):
            training.prepare(Recipe.parse(values))
    assert not list((tmp_path / "runs").glob("*"))


@pytest.mark.parametrize(("images", "batch"), [(10, 3), (9, 4), (4, 4), (1, 4), (5, 4), (129, 128)])
def test_every_image_is_seen_once_and_none_alone(images, batch):
    batches = split_order(torch.arange(images), batch)
    assert torch.equal(torch.cat(batches), torch.arange(images))
    assert len(batches) == steps_per_epoch(images, batch)
    assert images == 1 or all(len(positions) > 1 for positions in batches)


def test_batch_norm_trains_even_if_one_image_is_left_over():
    values = recipe(batch_size=1292).to_json()  # 1,293 training digits
    values["model"]["body"] = {"name": "dense", "widths": [16], "norm": "batch"}
    assert len(data.load("digits").rows("train")) % 1292 <= 2
    assert train(training.prepare(Recipe.parse(values))).status().state == "done"


def test_a_set_too_large_for_the_device_is_streamed_with_the_same_result(monkeypatch):
    whole = train(training.prepare(recipe()))
    monkeypatch.setattr("aeviz.training.batches.feed.SHARE", 0.0)
    assert epoch_lines(train(training.prepare(recipe()))) == epoch_lines(whole)


def test_sixteen_numbers_of_an_autoencoder_beat_sixteen_of_pca_on_the_digits():
    values = recipe(epochs=100, latent_dim=16, batch_size=64).to_json()
    values["model"]["body"] = {"name": "dense", "widths": [512, 128]}
    run = train(training.prepare(Recipe.parse(values)))
    score = results.score(run)
    assert score["mse"] < 0.9 * score["pca"]["mse"]
    assert score["n"] == 359


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_cuda_is_taken_by_itself_and_learns_as_well_as_the_cpu():
    on_cpu = train(training.prepare(recipe(epochs=10)))
    run = train(training.prepare(recipe(epochs=10, device="auto")))
    assert run.config().resolved.device == "cuda:0"
    assert epoch_lines(run)[-1]["val"]["mse"] == pytest.approx(epoch_lines(on_cpu)[-1]["val"]["mse"], rel=0.1)


def test_the_dense_net_reaches_its_quality_on_fashion_mnist(real_data):
    if not (real_data / "FashionMNIST").exists():
        pytest.skip("AEVIZ_DATA holds no Fashion-MNIST")
    errors = []
    for seed in range(3):
        values = {"data": {"name": "fashion_mnist"}, "training": {"epochs": 5, "device": "cpu"}, "seed": seed}
        run = train(training.prepare(Recipe.parse(values)))
        errors.append(results.errors(run, "test").mean())
    assert sum(errors) / 3 <= 0.0135


def test_the_number_of_classes_is_that_of_the_set():
    recipe = Recipe.parse({"model": {"variant": "cvae"}})
    assert training.start.fitted_model(recipe, (1, 8, 8), 7).n_classes == 7
    assert training.start.fitted_model(Recipe.parse({"model": {"variant": "vae"}}), (1, 8, 8), 7).variant == "vae"
    chosen = Recipe.parse({"model": {"variant": "cvae", "n_classes": 5}})
    assert training.start.fitted_model(chosen, (1, 8, 8)).n_classes == 5
    with pytest.raises(BadValue, match="that of the images, 7"):
        training.start.fitted_model(chosen, (1, 8, 8), 7)
