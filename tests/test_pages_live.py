"""A training as one watches and steers it: the numbers that come in, the dials, the transport, the doctor's cures."""

import contextlib
import json
import os
import signal

import numpy as np
import pytest

from aeviz import files, jobs, training
from aeviz.models import VARIANTS
from aeviz.runs import frames, list_runs
from aeviz.training import Recipe
from aeviz.training.doctor.diagnosis import Finding
from aeviz.training.live.settings import with_live_value
from aeviz.ui.components.live import doctor, film, follow, head, live_settings, views
from aeviz.watch.messages import death_message
from tests.test_pages import open_page


@pytest.fixture(autouse=True)
def in_a_hurry(clear_caches, monkeypatch):
    monkeypatch.setattr(live_settings, "APPLY_SECONDS", 0.0)
    monkeypatch.setattr(head, "ANSWER_SECONDS", 0.0)


def prepared(variant="vae", **settings):
    model = {"variant": variant, "latent_dim": 3, "body": {"name": "dense", "widths": [16]}}
    return training.prepare(
        Recipe.parse({"model": model, "training": {"epochs": 2, "device": "cpu", **settings}}),
    )


@pytest.fixture
def run():
    """A run that has learned a little about the digits."""
    made = prepared()
    with jobs.hold_job(made) as worker:
        training.work(made, worker)
    return made


@contextlib.contextmanager
def hold_job(run):
    """The run as it stands while a process holds it."""
    with files.lock(run.path / "lock"):
        status = run.written_status().model_copy(update={"state": "running"})
        files.write_json(run.path / "status.json", status.to_json())
        yield run


def watch(run):
    app = open_page("train")
    if app.segmented_control(key="train.view").value != "Training":
        app.segmented_control(key="train.view").set_value("Training").run()
    assert not app.exception
    return app


def dial(app):
    (found,) = [one for one in app.select_slider if one.label == "Learning rate"]
    return found


def asked(run):
    return files.read_lines(run.path / "control.jsonl")[0]


def line(step, epoch=1, **more):
    return {"epoch": epoch, "step": step, "seconds": step / 10, "lr": 1e-3, **more}


def write(run, *lines):
    for one in lines:
        files.append_line(run.path / "metrics.jsonl", one)


def loss(total, **more):
    return {"total": total, "reconstruction": total, **more}


def test_only_what_was_added_is_read(tmp_path):
    run = prepared()
    follower = follow.follow(run)
    write(run, line(0, 0, val=loss(9.0)), line(1, train=loss(8.0)))
    follow.follow(run)
    read = follower._read
    write(run, line(2, train=loss(7.0), images_per_s=500.0, gradients={"encoder.0": 1.0, "total": 1.0}))
    assert follow.follow(run) is follower
    assert follower._read > read
    assert follower.curves()["train total"] == ([0.0909, 0.1818], [8.0, 7.0])
    assert (follower.step, follower.seconds, follower.speeds) == (2, 0.2, [500.0])
    assert follower.has_begun
    assert follower.gradients == {"encoder.0": 1.0, "total": 1.0}


def test_a_run_that_was_cut_is_read_anew():
    run = prepared()
    write(run, line(1, train=loss(8.0)), line(5, train=loss(7.0)))
    follower = follow.follow(run)
    path = run.path / "metrics.jsonl"
    files.write_bytes(path, path.read_bytes().splitlines(keepends=True)[0])
    write(run, line(2, train=loss(6.0)))
    follow.follow(run)
    assert follower.curves()["train total"][1] == [8.0, 6.0]
    os.truncate(path, 0)
    follow.follow(run)
    assert follower.curves() == {}


def test_equal_terms_spikes_and_the_untrained_loss_are_left_out():
    run = prepared()
    lines = [line(0, 0, val=loss(99.0, psnr=3.0))]
    for epoch in range(1, 8):
        lines.append(line(11 * epoch - 5, epoch, train=loss(10.0 - epoch)))
        lines.append(line(11 * epoch, epoch, train=loss(50.0), val=loss(9.0 - epoch, psnr=10.0 + epoch, ssim=0.5)))
    write(run, *lines)
    follower = follow.follow(run)
    curves = follower.curves()
    assert list(curves) == ["train total", "val total"]
    assert 50.0 not in curves["train total"][1]
    assert curves["val total"] == ([float(epoch) for epoch in range(1, 8)], [9.0 - epoch for epoch in range(1, 8)])
    assert follower.best["psnr"] == 17.0


def test_long_curves_are_thinned_to_the_same_points_and_the_last():
    x = list(range(5001))
    thin, _ = follow._thinned((x, x))
    longer, _ = follow._thinned(([*x, 5001], [*x, 5001]))
    assert len(thin) <= follow.MOST_POINTS + 1
    assert thin[-1] == 5000
    assert longer[-1] == 5001
    assert set(thin[:-1]) <= set(longer)


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"kind": "turn", "path": "training.learning_rate", "from": 1e-3, "to": 3e-4}, "Learning rate 0.001 → 0.0003"),
        ({"kind": "change", "from": {}, "to": {}, "said": "long"}, "Network changed"),
        ({"kind": "early_stop"}, "Early stop"),
    ],
)
def test_events_are_said_in_few_words(event, said):
    run = prepared()
    write(run, line(11, event=event))
    assert follow.follow(run).events == [event | {"x": 1.0, "step": 11, "words": said}]


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_live_setting_has_a_dial_that_holds_its_value_and_its_bounds(variant):
    config = prepared(variant).config()
    for path, value in training.live_paths(config).items():
        field = live_settings.field_of(config, path)
        low, high = live_settings.bounds(field)
        assert low <= value <= high
        if high - low > live_settings.MOST_EVEN:
            marks = live_settings.scale(field)
            assert marks == sorted(set(marks))
            assert low <= marks[0]
            assert marks[-1] <= high
            for mark in marks:
                with_live_value(config, path, mark)


def test_every_run_of_the_page_sends_a_dials_value_so_that_one_mounted_again_keeps_it(run):
    with jobs.hold_job(run):
        app = watch(run)
        for _ in range(2):
            sent = dial(app).proto
            assert sent.options[int(sent.default[0])] == "0.001"
            app.run()


def test_a_dial_asks_the_training_at_once(run):
    with hold_job(run):
        app = watch(run)
        assert dial(app).value == 1e-3
        dial(app).set_value(3e-3).run()
        assert not app.exception
    assert [(one["ask"], one["path"], one["value"]) for one in asked(run)] == [("turn", "training.learning_rate", 3e-3)]


def test_a_dial_follows_what_another_hand_has_turned(run):
    with hold_job(run):
        app = watch(run)
        config = run.config()
        run.write_config(with_live_value(config, "training.learning_rate", 0.0123))
        app.run()
        assert dial(app).value == 0.0123


def test_a_dial_turned_twice_does_not_fall_back_to_the_first_turn(run):
    with hold_job(run):
        app = watch(run)
        dial(app).set_value(2e-3).run()
        dial(app).set_value(3e-3).run()
        run.write_config(with_live_value(run.config(), "training.learning_rate", 2e-3))
        write(run, line(30, 3, event={"kind": "turn", "path": "training.learning_rate", "from": 1e-3, "to": 2e-3}))
        app.run()
        assert dial(app).value == 3e-3, "which is still on its way"
        write(run, line(31, 3, event={"kind": "turn", "path": "training.learning_rate", "from": 2e-3, "to": 3e-3}))
        run.write_config(with_live_value(run.config(), "training.learning_rate", 1e-4))
        app.run()
        assert dial(app).value == 1e-4, "another hand's, after it was heard"


def test_a_dial_turned_back_by_an_undo_shows_what_counts(run):
    with hold_job(run):
        app = watch(run)
        write(run, line(30, 3))
        app.run()
        dial(app).set_value(3e-3).run()
        (run.path / "metrics.jsonl").write_text("")
        write(run, line(11))
        app.run()
        assert dial(app).value == 1e-3


def test_a_turn_is_confirmed_with_its_step(run):
    with hold_job(run):
        app = watch(run)
        dial(app).set_value(3e-3).run()
        event = {"kind": "turn", "path": "training.learning_rate", "from": 1e-3, "to": 3e-3}
        write(run, line(30, 3, event=event))
        app.run()
        assert any("Learning rate 0.003 since step 30" in caption.value for caption in app.caption)


@pytest.mark.parametrize("button", ["pause", "stop"])
def test_a_training_at_work_hears_its_buttons(run, button):
    with hold_job(run):
        app = watch(run)
        app.button(key=button).click().run()
        assert not app.exception
    assert [one["ask"] for one in asked(run)] == [button]


def test_a_training_that_crashed_says_so_and_goes_on_with_plain_kernels(run, started):
    training.resume(run, 9)
    message = str(death_message(["work", str(run.path)], signal.SIGSEGV, "Fatal Python error: Segmentation fault"))
    values = run.written_status().to_json() | {"state": "failed", "signal": "SIGSEGV", "message": message}
    files.write_json(run.path / "status.json", values)
    app = watch(run)
    (said,) = [error.value.replace("\\", "") for error in app.error]
    assert said == message
    assert "Continue uses torch's plain kernels: slower, but safe." in said
    app.button(key="continue").click().run()
    assert not app.exception
    assert started == [("work", str(run.path), "--device", "cpu")]
    assert run.config().resolved.plain
    assert not app.error
    assert "on CPU, with torch's plain kernels" in [caption.value for caption in app.caption]


def test_restart_and_fork_make_runs_to_watch_and_keep_the_old_one(run, monkeypatch):
    launched = []
    monkeypatch.setattr(training, "launch", lambda run, start: launched.append(run.id))
    for button in ("restart", "fork"):
        app = watch(run)
        app.sidebar.selectbox[0].set_value(run.id).run()
        app.segmented_control(key="train.view").set_value("Training").run()
        app.button(key=button).click().run()
        assert not app.exception
        assert app.sidebar.selectbox[0].value == launched[-1] != run.id
    assert len(list_runs()) == 3


@pytest.mark.parametrize("view", views.VIEWS)
@pytest.mark.parametrize("filmed", [True, False])
def test_every_view_shows_a_run_with_and_without_a_film(run, view, filmed):
    if not filmed:
        import shutil

        shutil.rmtree(frames.frames_folder(run))
    app = watch(run)
    app.segmented_control(key="live.view").set_value(view).run()
    assert not app.exception
    assert not app.error


def test_pictures_are_spread_over_the_training_with_the_first_and_the_last():
    assert views.spread([1, 2, 3], 7) == [1, 2, 3]
    steps = list(range(0, 1000, 10))
    chosen = views.spread(steps, 7)
    assert (len(chosen), chosen[0], chosen[-1]) == (7, 0, 990)
    assert chosen == sorted(set(chosen))
    assert np.diff(chosen)[0] < np.diff(chosen)[-1]


def test_the_film_takes_in_new_frames_and_forgets_what_was_cut(run):
    reel = film.Reel(run)
    shot, radius = reel.look()
    assert [step for step, _ in shot] == frames.frame_steps(run)
    assert radius > 0
    codes = np.random.default_rng(0).normal(size=(len(reel.labels), 3)).astype(np.float16)
    np.save(frames.codes_path(run, 999), codes)
    shot, _ = reel.look()
    assert shot[-1][0] == 999
    assert shot[-1][1].shape == (len(reel.labels), 2)
    frames.codes_path(run, 999).unlink()
    assert reel.look()[0][-1][0] < 999


def finding(cure, again=False):
    return Finding("x", "Too fast", "the loss rose by 40 %.", 0.4, cure, "Slow down", again)


def test_a_finding_is_said_and_its_cure_turns_the_dial(run, monkeypatch):
    monkeypatch.setattr(doctor, "diagnose", lambda *_: [finding({"training.learning_rate": 1e-4})])
    with hold_job(run):
        app = watch(run)
        assert any("Too fast" in text.value for text in app.markdown)
        app.button(key="cure").click().run()
        assert not app.exception
    assert asked(run)[0]["value"] == 1e-4


def test_a_cure_of_the_network_changes_it(run, monkeypatch):
    changed = []
    monkeypatch.setattr(training, "change", lambda run, model, start: changed.append(model))
    doctor.apply_cure(run, finding({"model.body.activation": "leaky_relu"}))
    assert changed[0]["body"]["activation"] == "leaky_relu"
    assert "sample_shape" not in changed[0]


def test_a_cure_that_needs_a_fresh_start_trains_anew(run, monkeypatch):
    begun = []
    monkeypatch.setattr(doctor, "start_run", lambda run, title: begun.append(run))
    doctor.apply_cure(run, finding({"training.patience": 7}))
    doctor.apply_cure(run, finding({"training.learning_rate": 1e-4}, again=True))
    assert begun[0].config().training.patience == 7
    assert begun[1].config().training.learning_rate == 1e-4
    assert run.config().training.patience == 0


def test_the_network_is_changed_in_a_window_of_its_own(run):
    app = watch(run)
    app.button(key="change").click().run()
    assert not app.exception
    assert app.button(key="change.apply").disabled, "nothing was edited yet"


def test_what_a_change_kept_is_said(run):
    write(run, line(30, 3, event={"kind": "change", "from": {}, "to": {}, "said": "the code kept 3 of 3 directions"}))
    app = watch(run)
    assert any("kept 3 of 3" in caption.value for caption in app.caption)


def test_the_browser_gets_plain_json(run):
    curves = follow.follow(run).curves()
    assert json.dumps(curves, allow_nan=False)
