"""The doctor: names what is wrong by a number, proposes settings that exist, and leaves the healthy alone."""

import math

import numpy as np
import pytest
import torch

from aeviz import data, jobs, training
from aeviz.config import override
from aeviz.models import Batch
from aeviz.models.weights import load_model
from aeviz.runs import RunConfig
from aeviz.training import Recipe
from aeviz.training.batches.feed import Feed
from aeviz.training.doctor.diagnosis import diagnose
from aeviz.training.doctor.measurements import gradient_norms, measure


def prepared(epochs=10, variant="autoencoder", body=None, latent_dim=8, model=None, **settings):
    network = {"variant": variant, "latent_dim": latent_dim, "body": body or {"name": "dense"}, **(model or {})}
    return training.prepare(
        Recipe.parse({"model": network, "training": {"epochs": epochs, "device": "cpu", **settings}})
    )


@pytest.fixture
def config():
    return prepared().config()


def names(findings):
    return [finding.name for finding in findings]


def cured(config, finding):
    """The settings with the cure, which must be allowed ones."""
    values = config.to_json()
    for path, value in finding.cure.items():
        override(values, path.split("."), value)
    return RunConfig.parse(values)


HEALTHY = {
    "variance": [1.0] * 8,
    "kl": None,
    "active": 8,
    "dead": {"encoder.2": 0.1, "decoder.1": 0.2},
    "mean_mse": 0.1,
}


def lines(train, val=None, mse=None, vitals=None, gradients=None, steps=100):
    """Metrics of epochs with these losses; the first line is validation before any step."""
    val = train if val is None else val
    mse = [0.05] * len(train) if mse is None else mse
    start = {"epoch": 0, "step": 0, "seconds": 0.0, "lr": 1e-3, "val": {"total": val[0], "mse": mse[0], "psnr": 10.0}}
    told = [start]
    for epoch in range(1, len(train)):
        head = {"epoch": epoch, "step": epoch * steps, "seconds": float(epoch), "lr": 1e-3}
        if gradients is not None:
            told.append(
                {**head, "train": {"total": train[epoch]}, "gradients": {"encoder.1": 1.0, "total": gradients[epoch]}}
            )
        judged = {"total": val[epoch], "mse": mse[epoch], "psnr": 10.0}
        told.append({**head, "train": {"total": train[epoch]}, "val": judged, "vitals": HEALTHY | (vitals or {})})
    return told


def settling(n, first=10.0, last=1.0, noise=0.0, seed=0):
    """A loss as a healthy training has it: quick first, slow later."""
    wobble = 1 + noise * np.random.default_rng(seed).standard_normal(n)
    return [float(value) for value in (last + (first - last) * np.exp(-np.arange(n) / 3)) * wobble]


def at_every_line(config, metrics):
    """What was said at any time while these lines were written."""
    return {name for end in range(len(metrics) + 1) for name in names(diagnose(config, metrics[:end]))}


# Synthesised courses.


@pytest.mark.parametrize("noise", [0.0, 0.005, 0.02])
def test_nothing_is_said_of_a_healthy_course_at_any_time(config, noise):
    metrics = lines(settling(80, noise=noise), settling(80, noise=noise, seed=1), gradients=settling(80, noise=0.3))
    assert at_every_line(config, metrics) == set()


def test_nothing_is_said_before_anything_is_known(config):
    assert diagnose(config, []) == []
    assert diagnose(config, [{"epoch": 1, "step": 1, "seconds": 0.0, "lr": 1e-3, "train": {"total": 9.0}}]) == []
    bare = [{key: line[key] for key in line if key != "vitals"} for line in lines(settling(30))]
    assert at_every_line(config, bare) == set()


def test_a_loss_that_is_no_number_is_diverged(config):
    (finding,) = diagnose(config, lines([9.0, 8.0]), state="diverged")
    assert (finding.name, finding.again) == ("diverged", True)
    assert finding.cure == {"training.learning_rate": pytest.approx(1e-4)}
    broken = [*lines([9.0, 8.0]), {"epoch": 2, "step": 150, "seconds": 1.0, "lr": 1e-3, "train": {"total": None}}]
    assert names(diagnose(config, broken)) == ["diverged"]


def test_a_loss_above_its_start_is_a_rate_too_high(config):
    (finding,) = diagnose(config, lines([10.0, 18.0, 19.0, 19.5], mse=[0.2] * 4))
    assert finding.name == "rate_too_high"
    assert finding.number == pytest.approx(1.8)
    assert finding.cure == {"training.learning_rate": pytest.approx(3.3e-4)}


def test_a_loss_that_rises_again_is_a_rate_too_high_and_a_single_spike_is_none(config):
    risen = [*settling(12), 2.0, 2.4, 3.0, 3.1, 3.2]
    assert names(diagnose(config, lines(risen))) == ["rate_too_high"]
    spike = [*settling(12), 3.0, *settling(5, 1.2, 1.0)]
    assert at_every_line(config, lines(spike)) == set()


def test_a_loss_that_swings_is_a_rate_too_high(config):
    swinging = [10.0, *(3.0 + 0.5 * (-1) ** n for n in range(12))]
    assert names(diagnose(config, lines(swinging))) == ["rate_too_high"]


def test_a_small_loss_may_waver(config):
    wavering = [10.0, *(0.05 + 0.01 * (-1) ** n for n in range(12)), 0.07, 0.07, 0.07, 0.08]
    assert at_every_line(config, lines(wavering)) == set()


def test_a_loss_stuck_above_the_mean_image_is_a_rate_too_high(config):
    stuck = [10.0, 7.0, *[6.5] * 10]
    found = diagnose(config, lines(stuck, mse=[0.2, *[0.15] * 11]))
    assert names(found) == ["rate_too_high"]
    assert found[0].number == pytest.approx(1.5)


def test_long_epochs_are_judged_by_what_is_heard_within_them(config):
    start = lines([10.0])
    losses = [9.0, 6.0, 4.0, 3.0, 5.0, 6.0, 7.0, 8.0]
    light = [
        {"epoch": 1, "step": 10 * n + 1, "seconds": n / 4, "lr": 1e-3, "train": {"total": losses[n // 4]}}
        for n in range(32)
    ]
    assert names(diagnose(config, start + light)) == ["rate_too_high"]
    assert diagnose(config, start + light[:16]) == []


def test_a_vanished_gradient_in_a_bad_network_is_saturation(config):
    gradients = [2.0, 2.0, 1e-9, 1e-9, 1e-9]
    metrics = lines([10.0, 10.4, 10.3, 10.3, 10.3], mse=[0.2] * 5, gradients=gradients)
    (finding,) = diagnose(config, metrics)
    assert (finding.name, finding.again) == ("saturated", True)
    assert finding.number == pytest.approx(5e-10)
    fitted = lines(settling(5), gradients=gradients)
    assert diagnose(config, fitted) == [], "a small gradient is well where the images come back"


def test_a_gradient_far_beyond_the_usual_explodes(config):
    gradients = [1.0] * 20
    metrics = lines(settling(20), gradients=[*gradients[:-1], 500.0])
    assert names(diagnose(config, metrics)) == ["exploding"]
    assert names(diagnose(config, lines(settling(20), gradients=[*gradients[:-1], None]))) == ["exploding"]


def test_a_steady_tiny_fall_is_a_rate_too_low(config):
    slow = [10.0 - 0.01 * epoch for epoch in range(9)]
    found = diagnose(config, lines(slow, mse=[0.2] * 9))
    assert names(found) == ["rate_too_low"]
    assert found[0].number == pytest.approx(0.001, rel=0.02)
    assert found[0].cure == {"training.learning_rate": pytest.approx(1e-2)}
    assert diagnose(config, lines(slow[:5], mse=[0.2] * 5)) == []
    assert diagnose(config, lines(slow, mse=[0.05] * 9)) == [], "late in a good training the loss falls slowly, too"


def test_a_long_stay_at_the_mean_image_is_a_rate_too_low(config):
    flat = [10.0, *(5.0 - 0.002 * epoch for epoch in range(14))]
    assert names(diagnose(config, lines(flat, mse=[0.2, *[0.1] * 14]))) == ["rate_too_low"]


def test_half_dead_layers_are_named_and_let_leak(config):
    dead = {"dead": {"encoder.2": 0.97, "decoder.1": 0.5}}
    found = diagnose(config, lines(settling(6), vitals=dead))
    assert names(found) == ["dead_units"]
    assert found[0].number == pytest.approx(0.735)
    assert "97% in encoder.2" in found[0].sentence
    assert cured(config, found[0]).model.body.activation == "leaky_relu"
    assert diagnose(config, lines(settling(3), vitals=dead)) == []
    elu = prepared(body={"name": "dense", "activation": "elu"}).config()
    assert "training.learning_rate" in diagnose(elu, lines(settling(6), vitals=dead))[0].cure


SILENT = {"kl": [0.001] * 8, "active": 0}


@pytest.mark.parametrize(("variant", "settings"), [("vae", {"loss": "mse"}), ("vae", {}), ("beta_vae", {})])
def test_a_silent_code_is_posterior_collapse(variant, settings):
    config = prepared(variant=variant, **settings).config()
    metrics = lines(settling(7), mse=[0.1] * 7, vitals=SILENT)
    (finding,) = diagnose(config, metrics)
    assert (finding.name, finding.number) == ("collapse", 1.0)
    assert cured(config, finding) != config
    assert diagnose(config, metrics[:4]) == []
    assert diagnose(config, lines(settling(6), mse=[0.1] * 6, vitals=SILENT, steps=10)) == [], "codes speak late"
    rebuilding = lines(settling(6), mse=[0.05] * 6, vitals=SILENT | {"active": 5})
    assert diagnose(config, rebuilding) == [], "a code that rebuilds says something"


def test_few_active_dimensions_are_counted():
    config = prepared(variant="beta_vae", latent_dim=32).config()
    found = diagnose(config, lines(settling(6), vitals={"kl": [3.0] + [0.0] * 31, "active": 1}))
    assert names(found) == ["few_active"]
    assert found[0].number == 1
    assert found[0].cure == {"model.beta": 1.0}
    assert diagnose(config, lines(settling(6), vitals={"kl": [3.0] * 9 + [0.0] * 23, "active": 9})) == []


def test_validation_that_rises_while_training_falls_is_overfitting():
    config = prepared(body={"name": "dense", "dropout": 0.05}).config()
    train = settling(40)
    val = [*settling(15, 10, 2), *(2.05 + 0.03 * epoch for epoch in range(25))]
    found = diagnose(config, lines(train, val))
    assert names(found) == ["overfitting"]
    assert cured(config, found[0]).model.body.dropout == pytest.approx(0.15)
    both = lines([*settling(15, 10, 2), *[2.05] * 25], val)
    assert "overfitting" not in names(diagnose(config, both)), "the training loss must fall meanwhile"
    much = prepared(body={"name": "dense", "dropout": 0.3}).config()
    assert cured(much, diagnose(much, lines(train, val))[0]).training.patience == 5


def test_a_turned_setting_begins_a_new_course(config):
    ill = lines([10.0, 18.0, 19.0, 19.5], mse=[0.2] * 4)
    turn = {"kind": "turn", "path": "training.learning_rate", "from": 1e-3, "to": 3e-4}
    event = {"epoch": 3, "step": 300, "seconds": 3.0, "lr": 3e-4, "event": turn}
    assert diagnose(config, [*ill, event]) == []
    later = [
        {**line, "epoch": line["epoch"] + 3, "step": line["step"] + 300} for line in lines([19.5, 15.0, 12.0, 11.0])[1:]
    ]
    assert diagnose(config, [*ill, event, *later]) == []


def test_a_loss_that_rises_by_plan_is_well():
    config = prepared(warmup=5.0).config()
    rising = [10.0, 11.0, 12.0, 13.0, 14.0, 15.0]
    assert diagnose(config, lines(rising)) == []
    assert diagnose(config, lines([*rising, 9.0, 8.5, 8.2])) == [], "and is not held against what follows"


# Real trainings.


def trained(**settings):
    run = prepared(**settings)
    with jobs.hold_job(run) as worker:
        training.work(run, worker)
    return run


def told(run):
    """A run's lines, with vitals and gradients of its last weights where it went too fast to be looked at."""
    metrics = run.metrics()
    model = load_model(run.checkpoint)[0]
    digits = data.load("digits", {})
    x = torch.from_numpy(digits.images[digits.rows("train")]).float() / 255
    vitals = measure(model, Batch(x, x))
    for line in [line for line in metrics if "val" in line][-3:]:
        line.setdefault("vitals", vitals)
    model.train().losses(Feed(digits, "train", "cpu").batch(torch.arange(128)))["total"].backward()
    next(line for line in metrics if "val" not in line).setdefault("gradients", {"total": 2.0})
    metrics[-1].setdefault("gradients", gradient_norms(model))
    return metrics


def said(run):
    return diagnose(run.config(), told(run), run.status().state)


def test_a_rate_of_three_is_too_high_on_the_digits():
    run = trained(epochs=8, optimizer="momentum", learning_rate=3.0)
    (finding,) = said(run)
    assert finding.name in ("saturated", "rate_too_high", "diverged")
    assert finding.cure["training.learning_rate"] < 3.0


def test_a_diverged_training_is_called_so():
    run = trained(epochs=3, optimizer="sgd", learning_rate=10.0, loss="bernoulli")
    assert run.status().state == "diverged"
    assert names(diagnose(run.config(), run.metrics(), run.status().state)) == ["diverged"]


def test_a_rate_of_a_millionth_is_too_low_on_the_digits():
    run = trained(epochs=8, learning_rate=1e-6)
    (finding,) = said(run)
    assert finding.name == "rate_too_low"
    assert finding.number < 0.01


def test_a_vae_with_squared_errors_collapses_on_the_digits():
    run = trained(epochs=30, variant="vae", loss="mse", learning_rate=1e-3)
    (finding,) = said(run)
    assert finding.name == "collapse"
    assert cured(run.config(), finding) != run.config()


def test_a_rate_that_kills_the_relus_is_told_by_the_dead():
    run = trained(epochs=15, learning_rate=0.02, latent_dim=32)
    (finding,) = said(run)
    assert (finding.name, finding.again) == ("dead_units", True)
    better = cured(run.config(), finding)
    again = trained(
        epochs=15, latent_dim=32, learning_rate=better.training.learning_rate, body=better.model.body.to_json()
    )
    assert said(again) == []
    assert again.metrics()[-1]["val"]["mse"] < run.metrics()[-1]["val"]["mse"]


@pytest.mark.parametrize(("variant", "loss", "epochs"), [("autoencoder", "mse", 30), ("vae", "bernoulli", 40)])
def test_healthy_trainings_on_the_digits_are_left_alone(variant, loss, epochs):
    run = trained(epochs=epochs, variant=variant, loss=loss, latent_dim=16)
    assert said(run) == []
    assert at_every_line(run.config(), run.metrics()) == set()
    assert math.isfinite(run.metrics()[-1]["val"]["total"])
