"""What can be asked of a training at work: turning settings, single steps, other networks; and what it chose itself."""

import math
import statistics
import threading
import time

import pytest
import torch

from aeviz import files, jobs, runs, training
from aeviz.errors import BadValue, NotNow
from aeviz.models.weights import load_model, read_metadata
from aeviz.runs import TrainingConfig
from aeviz.training import Recipe, rate_at
from aeviz.training.checkpoint import can_undo
from tests.test_training import epoch_lines, recipe, train


class Asking(jobs.Worker):
    """A worker whose person asks for things at given steps: {step: [(request, values), ...]}."""

    def __init__(self, job, plan):
        super().__init__(job)
        self.plan = dict(plan)

    def may_have_requests(self):
        return True

    def report(self, **changes):
        super().report(**changes)
        for step in sorted(self.plan):
            if changes.get("step", -1) >= step:
                for request, values in self.plan.pop(step):
                    self.job.ask(request, **values)


def train_asking(run, plan, live_control=None):
    with files.lock(run.path / "lock"):
        training.work(run, Asking(run, plan), live_control)
    return run


def events(run):
    return [line["event"] | {"step": line["step"]} for line in run.metrics() if "event" in line]


def test_a_turned_learning_rate_acts_on_the_next_step_and_is_noted():
    run = train_asking(training.prepare(recipe()), {5: [("turn", {"path": "training.learning_rate", "value": 0.004})]})
    assert run.config().training.learning_rate == 0.004
    (event,) = events(run)
    assert (event["path"], event["from"], event["to"]) == ("training.learning_rate", 0.001, 0.004)
    assert event["step"] in (5, 6)
    assert {line["lr"] for line in run.metrics() if line["step"] > event["step"]} == {0.004}
    assert {line["lr"] for line in run.metrics() if line["step"] < event["step"]} == {0.001}


def test_a_turn_that_changes_nothing_is_no_event():
    run = train_asking(training.prepare(recipe()), {5: [("turn", {"path": "model.body.dropout", "value": 0.0})]})
    assert not events(run)


@pytest.mark.parametrize(
    ("variant", "name"), [("beta_vae", "beta"), ("denoising", "noise"), ("sparse", "sparsity"), ("contractive", "contraction")]
)  # fmt: skip
def test_a_variants_own_dial_can_be_turned_and_is_kept_with_the_weights(variant, name):
    run = train_asking(
        training.prepare(recipe(variant=variant)), {5: [("turn", {"path": f"model.{name}", "value": 0.5})]}
    )
    assert getattr(run.config().model, name) == 0.5
    model, _ = load_model(run.checkpoint)
    assert getattr(model.config, name) == 0.5
    assert model.live[name].item() == 0.5


def test_turning_changes_what_is_learned():
    settings = {"variant": "beta_vae", "loss": "bernoulli", "epochs": 20}
    plain = train(training.prepare(recipe(**settings)))
    turned = train_asking(
        training.prepare(recipe(**settings)), {12: [("turn", {"path": "model.beta", "value": 100.0})]}
    )
    assert epoch_lines(turned)[-1]["val"]["kl"] < 0.5 * epoch_lines(plain)[-1]["val"]["kl"]


def test_what_cannot_be_turned_is_refused_in_words_and_the_training_goes_on():
    run = training.prepare(recipe())
    with pytest.raises(BadValue, match=r"training\.epochs cannot be changed.*training.learning_rate"):
        training.turn(run, "training.epochs", 3)
    with pytest.raises(BadValue, match=r"learning_rate = -1.* more than 0"):
        training.turn(run, "training.learning_rate", -1)
    train_asking(run, {5: [("turn", {"path": "training.learning_rate", "value": -1})]})
    (event,) = events(run)
    assert event["kind"] == "refused"
    assert "more than 0" in event["said"]
    assert run.status().state == "done"


def test_a_run_that_was_turned_and_killed_goes_on_with_what_it_was_turned_to():
    plan = {5: [("turn", {"path": "model.beta", "value": 0.25})]}
    whole = train_asking(training.prepare(recipe(variant="beta_vae")), plan)
    at = events(whole)[0]["step"]
    run = training.prepare(recipe(variant="beta_vae"))
    train_asking(run, {at: plan[5], at + 9: [("stop", {})]})
    assert events(run)[0]["step"] == at
    training.resume(run)
    train(run)
    assert epoch_lines(run) == epoch_lines(whole)


def test_a_paused_training_listens_steps_once_and_plays_on_in_the_same_process():
    run = training.prepare(recipe(epochs=4))
    whole = train(training.prepare(recipe(epochs=4)))
    thread = threading.Thread(
        target=train_asking, args=(run, {7: [("pause", {})]}, training.LiveControl(park_seconds=30.0)), daemon=True
    )
    thread.start()

    def wait_for(is_so):
        end = time.monotonic() + 20
        while not is_so() and time.monotonic() < end:
            time.sleep(0.01)
        assert is_so()

    wait_for(lambda: run.written_status().state == "paused")
    at = read_metadata(run.checkpoint)["position"]["step"]
    for _ in range(2):
        training.step(run)
        at += 1
        wait_for(lambda: read_metadata(run.checkpoint)["position"]["step"] == at)  # noqa: B023
    wait_for(lambda: run.written_status().state == "paused")
    assert run.is_alive()
    training.play(run)
    thread.join(20)
    assert run.status().state == "done"
    assert epoch_lines(run) == epoch_lines(whole)


@pytest.mark.parametrize("request_", ["pause", "stop", "step"])
def test_what_is_asked_after_the_last_epoch_finds_the_training_done(request_):
    class AskingLate(jobs.Worker):
        def report(self, **changes):
            super().report(**changes)
            if changes.get("epoch") == 1 and not self.may_have_requests():
                self.job.ask(request_)

    run = training.prepare(recipe(epochs=1))
    with files.lock(run.path / "lock"):
        training.work(run, AskingLate(run))
    assert run.status().state == "done"


def test_a_paused_process_lets_go_when_somebody_else_takes_the_run_up():
    run = training.prepare(recipe(epochs=4))
    thread = threading.Thread(
        target=train_asking, args=(run, {7: [("pause", {})]}, training.LiveControl(park_seconds=30.0)), daemon=True
    )
    thread.start()
    end = time.monotonic() + 20
    while run.written_status().state != "paused" and time.monotonic() < end:
        time.sleep(0.01)
    training.resume(run)
    assert not run.is_alive()
    train(run)
    assert run.status().state == "done"


def test_a_forked_run_goes_on_as_the_first_one_would_have():
    run = training.prepare(recipe(variant="vae"))
    train_asking(run, {17: [("stop", {})]})
    twin = training.fork(run)
    training.resume(run)
    assert epoch_lines(train(run)) == epoch_lines(train(twin))
    assert twin.id != run.id
    assert run.id in twin.note().note


def test_a_restarted_run_is_a_new_one_with_the_same_numbers():
    run = train(training.prepare(recipe(variant="vae")))
    again = train(training.restart(run))
    assert again.id != run.id
    assert epoch_lines(again) == epoch_lines(run)


def other_network(**changes):
    return {"variant": "autoencoder", "latent_dim": 4, "body": {"name": "dense", "widths": [32]}} | changes


def test_a_wider_network_goes_on_with_what_was_learned_and_can_be_undone():
    wider = other_network(latent_dim=6, body={"name": "dense", "widths": [48]})
    run = training.prepare(recipe(epochs=6))
    train_asking(run, {37: [("change", {"model": wider})], 60: [("stop", {})]})
    (event,) = events(run)
    assert event["kind"] == "change"
    assert event["said"]
    assert run.load().latent_dim == 6
    before = [line["val"]["mse"] for line in run.metrics() if "val" in line and line["step"] < event["step"]]
    after = [line["val"]["mse"] for line in run.metrics() if "val" in line and line["step"] > event["step"]]
    assert after[0] < before[-1]  # no step back
    assert can_undo(run)
    training.undo(run)
    assert run.config().model.latent_dim == 4
    assert not can_undo(run)
    with pytest.raises(NotNow, match="nothing to undo"):
        training.undo(run)
    training.resume(run)
    train(run)
    assert epoch_lines(run) == epoch_lines(train(training.prepare(recipe(epochs=6))))


def test_undoing_while_training_ends_as_if_the_network_had_never_changed():
    run = training.prepare(recipe(epochs=6))
    train_asking(run, {20: [("change", {"model": other_network(latent_dim=2)})], 40: [("undo", {})]})
    assert run.load().latent_dim == 4
    assert not events(run)
    assert epoch_lines(run) == epoch_lines(train(training.prepare(recipe(epochs=6))))


def test_dropout_can_be_turned_on_where_there_was_none():
    run = training.prepare(recipe())
    train_asking(run, {5: [("turn", {"path": "model.body.dropout", "value": 0.2})]})
    assert run.config().model.body.dropout == 0.2
    assert run.status().state == "done"
    assert any(isinstance(module, torch.nn.Dropout) for module in run.load().modules())


def test_a_network_that_is_wrong_is_refused_before_anything_happens():
    run = train(training.prepare(recipe(epochs=1)))
    with pytest.raises(BadValue, match="latent_dim = 0"):
        training.change(run, other_network(latent_dim=0))
    assert not run.is_alive()


def test_a_run_ends_early_when_validation_stands_still():
    run = train(training.prepare(recipe(epochs=50, patience=2, learning_rate=1e-9)))
    status = run.status()
    assert status.state == "done"
    assert status.epoch < 50
    assert "no progress on validation for 2 epochs" in status.message
    assert events(run)[-1]["kind"] == "early_stop"


def test_a_plateau_slows_the_learning_rate():
    settings = {"schedule": "plateau", "decay": 0.1, "decay_epochs": 1, "learning_rate": 1e-9}
    run = train(training.prepare(recipe(epochs=8, **settings)))
    rates = [line["lr"] for line in epoch_lines(run)]
    assert rates[-1] < rates[0]


@pytest.mark.parametrize("schedule", ["step", "exponential", "cosine", "one_cycle"])
def test_a_scheduled_run_goes_on_as_if_it_had_never_stopped(schedule):
    settings = {"schedule": schedule, "warmup": 0.5, "decay_epochs": 1, "ema": 0.9, "l1": 1e-4, "clip": 1.0}
    whole = train(training.prepare(recipe(**settings)))
    run = training.prepare(recipe(**settings))
    train_asking(run, {17: [("stop", {})]})
    training.resume(run)
    train(run)
    assert epoch_lines(run) == epoch_lines(whole)
    a, b = (load_model(each.weights)[0].state_dict() for each in (run, whole))
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_schedules_take_the_values_their_formulas_give():
    config = TrainingConfig(epochs=10, learning_rate=1.0, decay=0.5, decay_epochs=2)

    def at(schedule, epoch, **more):
        return rate_at(config.model_copy(update={"schedule": schedule, **more}), epoch)

    assert at("constant", 3) == 1
    assert [at("step", epoch) for epoch in (0, 1.9, 2, 5)] == [1, 1, 0.5, 0.25]
    assert at("exponential", 3) == pytest.approx(0.5**1.5)
    assert at("cosine", 5) == pytest.approx(0.01 + 0.99 / 2)
    assert [at("one_cycle", epoch) for epoch in (0, 3, 10)] == pytest.approx([0.04, 1, 0.01])
    assert at("constant", 1, warmup=4.0) == pytest.approx(0.25)


def test_averaged_weights_are_the_mean_they_should_be():
    run = training.prepare(recipe(epochs=1, ema=0.5, batch_size=1024))
    train(run)
    kept = load_model(run.weights)[0].state_dict()
    last = load_model(run.checkpoint)[0].state_dict()
    assert any(not torch.equal(kept[name], last[name]) for name in kept)


def test_clipping_bounds_the_step_of_plain_descent():
    run = training.prepare(recipe(epochs=1, optimizer="sgd", learning_rate=1.0, clip=1e-6))
    train(run)
    first, last = epoch_lines(run)[0], epoch_lines(run)[-1]
    assert last["val"]["total"] == pytest.approx(first["val"]["total"], rel=1e-3)


@pytest.mark.parametrize("penalty", ["l1", "l2"])
def test_penalised_weights_are_smaller(penalty):
    def size(**settings):
        model = train(training.prepare(recipe(epochs=2, optimizer="sgd", learning_rate=0.01, **settings))).load()
        return sum(p.abs().sum() for p in model.parameters() if p.dim() > 1)

    assert size(**{penalty: 0.3}) < size()


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"])
def test_every_optimizer_learns(optimizer):
    rate = 1e-2 if optimizer in ("sgd", "momentum", "nesterov") else 1e-3
    lines = epoch_lines(train(training.prepare(recipe(optimizer=optimizer, learning_rate=rate))))
    assert lines[-1]["val"]["mse"] < lines[0]["val"]["mse"]


def test_bfloat16_is_kept_when_asked_for_and_learns_the_same():
    full = train(training.prepare(recipe(epochs=5, precision="float32")))
    half = train(training.prepare(recipe(epochs=5, precision="bfloat16")))
    assert half.config().resolved.precision == "bfloat16"
    assert epoch_lines(half)[-1]["val"]["mse"] == pytest.approx(epoch_lines(full)[-1]["val"]["mse"], rel=0.05)


def test_the_faster_precision_is_measured_once_and_then_known(monkeypatch):
    gains = iter([2.0])
    monkeypatch.setattr("aeviz.training.autotune.WORTH_MEASURING", 0.0)
    monkeypatch.setattr("aeviz.training.autotune._gain", lambda *_: next(gains))
    first, second = (train(training.prepare(recipe(epochs=1))) for _ in range(2))
    assert first.config().resolved.precision == second.config().resolved.precision == "bfloat16"


def test_a_measurement_gives_a_ratio_and_leaves_the_generator_alone():
    from aeviz.training.autotune import _gain, resolve

    config = training.prepare(recipe()).config()
    plain = resolve(config)
    state = torch.get_rng_state()
    assert 0 < _gain(config, plain, plain.model_copy(update={"precision": "bfloat16"}), 1.0) < math.inf
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("gains", "rounds"),
    [((2.0, 2.5), 2), ((0.3, 0.4), 2), ((2.0, 1.2, 1.9), 3), ((1.0, 1.1, 1.0, 1.1, 1.0), 5), ((2.0, 0.5, 2.0, 0.5, 2.0), 5)],
)  # fmt: skip
def test_a_choice_is_measured_until_the_rounds_agree(monkeypatch, gains, rounds):
    from aeviz.training import autotune

    config = training.prepare(recipe()).config()
    plain = autotune.resolve(config)
    warm_up = [1.0] * 4  # two steps of each side
    seconds = iter([*warm_up, *(value for gain in gains for value in (gain, 1.0))])
    monkeypatch.setattr(autotune, "_seconds", lambda step, steps: next(seconds))
    gain = autotune._gain(config, plain, plain.model_copy(update={"precision": "bfloat16"}), worth=1.03)
    assert gain == statistics.median(gains[:rounds])
    assert len(list(seconds)) == 2 * (len(gains) - rounds)


def test_channels_last_learns_the_same_and_goes_on_as_if_it_had_never_stopped(monkeypatch):
    monkeypatch.setattr("aeviz.training.autotune.WORTH_MEASURING", 0.0)

    def prepared():
        values = recipe(precision="float32").to_json()
        values["model"]["body"] = {"name": "conv", "channels": [8, 16]}
        return training.prepare(Recipe.parse(values))

    monkeypatch.setattr("aeviz.training.autotune._gain", lambda *_: 0.0)
    plain = train(prepared())
    (runs.runs_root() / ".choices.json").unlink()
    monkeypatch.setattr("aeviz.training.autotune._gain", lambda *_: 9.0)
    whole = train(prepared())
    run = train_asking(prepared(), {17: [("stop", {})]})
    training.resume(run)
    assert epoch_lines(train(run)) == epoch_lines(whole)
    assert run.config().resolved.channels_last
    assert not plain.config().resolved.channels_last
    assert epoch_lines(whole)[-1]["val"]["mse"] == pytest.approx(epoch_lines(plain)[-1]["val"]["mse"], rel=1e-3)


@pytest.mark.parametrize(
    ("gain", "chosen"), [(1.1, ("float32", True)), (1.2, ("bfloat16", True)), (1.0, ("float32", False))]
)
def test_convolutions_on_a_cpu_are_tried_in_bfloat16_with_the_layout_that_suits_it(monkeypatch, gain, chosen):
    monkeypatch.setattr("aeviz.training.autotune.WORTH_MEASURING", 0.0)
    monkeypatch.setattr("aeviz.training.autotune._gain", lambda *_: gain)
    values = recipe(precision="auto").to_json()
    values["model"]["body"] = {"name": "conv", "channels": [8, 16]}
    resolved = training.autotune.resolve(training.prepare(Recipe.parse(values)).config())
    assert (resolved.precision, resolved.channels_last) == chosen


def test_augmented_training_is_the_same_again_and_differs_from_plain():
    settings = {"augment": {"shift": 0.1, "rotation": 10}}
    first, second = (train(training.prepare(recipe(**settings))) for _ in range(2))
    assert epoch_lines(first) == epoch_lines(second) != epoch_lines(train(training.prepare(recipe())))


def test_a_set_that_is_read_as_it_comes_gives_the_same_numbers(monkeypatch):
    whole = train(training.prepare(recipe()))
    monkeypatch.setattr("aeviz.training.batches.feed.SHARE", 0.0)
    monkeypatch.setattr("aeviz.training.batches.feed._is_array", lambda images: False)
    assert epoch_lines(train(training.prepare(recipe()))) == epoch_lines(whole)


def test_metrics_carry_gradients_and_vitals():
    run = train(training.prepare(recipe(variant="vae")))
    light = [line for line in run.metrics() if "gradients" in line]
    assert light
    assert light[0]["gradients"]["total"] > 0
    vital = [line["vitals"] for line in run.metrics() if "vitals" in line]
    assert len(vital[-1]["kl"]) == len(vital[-1]["variance"]) == 4


def test_unknown_recipe_values_name_the_field():
    with pytest.raises(BadValue, match=r"training.schedule = 'sometimes'"):
        Recipe.parse({"training": {"schedule": "sometimes"}})
    with pytest.raises(BadValue, match=r"training.augment.shift = 2"):
        Recipe.parse({"training": {"augment": {"shift": 2}}})


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device: steps are captured there")
def test_a_captured_step_learns_what_a_plain_one_learns(monkeypatch):
    monkeypatch.setattr("aeviz.training.autotune.WORTH_MEASURING", 0.0)
    settings = {"device": "cuda", "precision": "float32", "optimizer": "adam"}
    monkeypatch.setattr("aeviz.training.autotune._gain", lambda *_: 0.0)
    plain = train(training.prepare(recipe(epochs=5, **settings)))
    monkeypatch.setattr("aeviz.training.autotune._gain", lambda *_: 9.0)
    (runs.runs_root() / ".choices.json").unlink()
    captured = train(training.prepare(recipe(epochs=5, **settings)))
    assert (plain.config().resolved.graphs, captured.config().resolved.graphs) == (False, True)
    assert epoch_lines(captured)[-1]["val"]["mse"] == pytest.approx(epoch_lines(plain)[-1]["val"]["mse"], rel=1e-3)


def test_compiling_without_a_compiler_is_refused_in_words(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(BadValue, match=r"compile = true needs a C\+\+ compiler"):
        training.prepare(recipe(compile=True))
    assert not runs.list_runs()


def test_what_was_chosen_at_the_start_is_obeyed_by_resume_and_fork(monkeypatch):
    monkeypatch.setattr("aeviz.training.autotune.WORTH_MEASURING", 0.0)
    monkeypatch.setattr("aeviz.training.autotune._gain", lambda *_: 2.0)
    run = train_asking(training.prepare(recipe()), {17: [("stop", {})]})
    (runs.runs_root() / ".choices.json").unlink()
    monkeypatch.setattr("aeviz.training.autotune._gain", lambda *_: 0.5)  # measured now, it would be float32
    twin = training.fork(run)
    training.resume(run)
    assert epoch_lines(train(run)) == epoch_lines(train(twin))
    assert {each.config().resolved.precision for each in (run, twin)} == {"bfloat16"}


NUMBERS = [name for name, field in TrainingConfig.model_fields.items() if field.annotation in (int, float)]


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [-1, "many", float("nan")])
def test_every_number_of_a_training_is_checked_by_name_and_value(name, value):
    with pytest.raises(BadValue, match=rf"training\.{name} = {value!r} is not allowed: ") as refused:
        Recipe.parse({"training": {name: value}})
    assert refused.value.values["reason"]


def test_another_variant_in_the_middle_of_an_epoch_sums_its_own_terms():
    run = training.prepare(recipe(epochs=4))
    train_asking(run, {17: [("change", {"model": other_network(variant="vae")})]})
    assert run.status().state == "done"
    (event,) = [event for event in events(run) if event["kind"] == "change"]
    after = [line["train"] for line in epoch_lines(run) if line["step"] > event["step"]]
    assert all("kl" in terms for terms in after)
    light = [line["train"]["total"] for line in run.metrics() if "train" in line and line["step"] > event["step"]]
    assert after[0]["total"] == pytest.approx(light[0], rel=0.5), "a mean over the images seen since, not over all"


@pytest.mark.parametrize("optimizer", ["momentum", "nesterov"])
def test_momentum_survives_a_change_of_the_network(optimizer):
    run = training.prepare(recipe(epochs=4, optimizer=optimizer, learning_rate=1e-3))
    wider = other_network(body={"name": "dense", "widths": [48]})
    train_asking(run, {17: [("change", {"model": wider})], 30: [("stop", {})]})
    training.resume(run)
    assert train(run).status().state == "done"


def test_what_is_asked_before_the_training_has_begun_is_done_when_it_has(monkeypatch):
    run = train_asking(training.prepare(recipe()), {17: [("stop", {})]})
    asked = []

    def start(job, *arguments):
        asked.append(arguments)

    training.change(run, other_network(body={"name": "dense", "widths": [48]}), start)
    with files.lock(run.path / "lock"):
        worker = jobs.Worker(run)
        worker.check_stop()  # as while waiting for the device, or loading images
        training.work(run, worker)
    assert asked
    assert run.status().state == "paused"
    assert run.load().config.body.widths == (48,)


def test_a_network_that_begins_to_standardise_goes_on_as_the_same():
    run = training.prepare(recipe())
    train_asking(run, {20: [("change", {"model": other_network(standardise=True)})]})
    model = run.load()
    assert model.encoder[0].mean.item() > 0.1
    (event,) = events(run)
    assert "same function" in event["said"]


def test_a_conditional_network_takes_its_classes_from_the_images():
    run = training.prepare(recipe())
    train_asking(run, {5: [("change", {"model": other_network(variant="cvae")})]})
    assert run.load().config.n_classes == 10


def test_dropout_of_single_layers_stays_their_own():
    values = recipe().to_json()
    layers = [{"kind": "dense", "size": 32, "dropout": 0.6}, {"kind": "dense", "size": 16}]
    values["model"]["body"] = {"name": "custom", "layers": layers, "dropout": 0.1}
    run = training.prepare(Recipe.parse(values))
    train_asking(run, {5: [("turn", {"path": "model.body.dropout", "value": 0.2})]})
    shares = [module.p for module in run.load().modules() if isinstance(module, torch.nn.Dropout)]
    assert shares == [0.6, 0.2, 0.2, 0.6]


def test_a_fork_waits_where_its_parent_stands():
    run = train_asking(training.prepare(recipe()), {17: [("stop", {})]})
    status = training.fork(run).written_status()
    assert (status.state, status.step, status.epochs) == (
        "queued",
        read_metadata(run.checkpoint)["position"]["step"],
        3,
    )
