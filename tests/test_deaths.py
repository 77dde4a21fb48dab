"""Processes that a signal ends: each says so, with its last lines and what to try, and a training goes on."""

import fcntl
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from PIL import Image

from aeviz import files, jobs, training
from aeviz.models.bodies import strided
from aeviz.models.kernels import is_plain, kernels
from aeviz.runs import Resolved, RunConfig
from aeviz.training import Recipe
from aeviz.watch import CRASHES
from aeviz.watch.messages import death_message, last_lines
from tests.exports import untrained
from tests.making import trained

ROOT = Path(__file__).resolve().parent.parent
NET = {"latent_dim": 4, "body": {"name": "dense", "widths": [16]}}
LONG = {"model": NET, "training": {"epochs": 100_000, "device": "cpu"}}
SLOW_MAP = ("--method", "tsne", "--set", "iterations=5000")


def wait_for(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not (came := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)
    return came


def working(job):
    """The process that holds a job, once it is well under way."""
    wait_for(lambda: job.is_alive() and job.written_status().state == "running" and _has_begun(job))
    return psutil.Process(job.written_status().pid)


def _has_begun(job):
    return job.written_status().step > 0 if (job.path / "config.json").exists() else job.written_status().pid


def ended(job):
    """How it ended, seen at every moment until then: it is never taken for interrupted."""
    seen = wait_for(lambda: (status := job.status()).state not in jobs.LIVE and status)
    assert seen.state == "failed", (seen, (job.path / "log.txt").read_text())
    return seen


@pytest.fixture
def run():
    return trained({"model": NET, "training": {"epochs": 1, "device": "cpu"}})


@pytest.fixture
def large_run():
    """One whose map is at work for longer than any test that is kept waiting: t-SNE of 4,000 codes."""
    return untrained(set="shapes", params={"count": 20_000})


@pytest.fixture
def lines(monkeypatch):
    """Lines of the command line in the foreground; none outlives its test."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    begun = []

    def begin(*arguments, **streams):
        line = [sys.executable, "-m", "aeviz", *arguments]
        begun.append(
            subprocess.Popen(line, text=True, **{"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, **streams})
        )
        return begun[-1]

    yield begin
    for process in begun:
        process.kill()
        process.wait()


def work_of(process):
    """The child that does a line's work, once it is there."""
    return wait_for(psutil.Process(process.pid).children)[0]


def test_a_training_that_a_signal_ended_says_so_and_goes_on_each_time():
    run = training.prepare(Recipe.parse(LONG))
    training.launch(run)
    for number, plain in [
        (signal.SIGKILL, False),
        (signal.SIGBUS, False),
        (signal.SIGABRT, True),
        (signal.SIGSEGV, True),
    ]:
        process = working(run)
        assert run.config().resolved.plain == plain
        process.send_signal(number)
        status = ended(run)
        assert status.signal == number.name
        assert status.message.startswith(f"The training process was ended by signal {int(number)} ({number.name})")
        if number == signal.SIGKILL:
            assert "memory ran out: close other programs, or take a smaller batch or smaller images" in status.message
        else:
            assert "its last lines: Fatal Python error: " in status.message
            assert re.search(r'File "[^"]+", line \d+ in \w+', status.message)
            assert ("please report it" if plain else "torch's plain kernels: slower, but safe") in status.message
            assert "Fatal Python error" in (run.path / "log.txt").read_text()
        training.play(run)
        assert run.written_status().signal == ""
    working(run)
    resolved = run.config().resolved
    assert (resolved.plain, resolved.precision, resolved.channels_last, resolved.compile, resolved.graphs) == (
        True, "float32", False, False, False,
    )  # fmt: skip
    run.ask("stop")
    wait_for(lambda: run.status().state == "stopped")
    assert run.status().signal == ""


def test_a_paused_training_that_dies_says_so():
    run = training.prepare(Recipe.parse(LONG))
    training.launch(run)
    process = working(run)
    run.ask("pause")
    wait_for(lambda: run.status().state == "paused")
    process.send_signal(signal.SIGSEGV)
    wait_for(lambda: run.status().state == "failed")
    assert run.status().signal == "SIGSEGV"


@pytest.mark.parametrize(
    ("kind", "number", "advice"),
    [
        ("map", signal.SIGSEGV, "Try again; if it ends"),
        ("import", signal.SIGKILL, "close other programs, or take fewer or smaller images"),
        ("export", signal.SIGABRT, "Try again; if it ends"),
        ("score", signal.SIGBUS, "Try again; if it ends"),
    ],
)
def test_any_job_that_a_signal_ended_says_so(kind, number, advice, large_run, tmp_path):
    for name in range(2000 if kind == "import" else 0):
        Image.new("L", (32, 32), name % 255).save(tmp_path / f"{name}.bmp")
    line = {
        "map": ("project", large_run.id, *SLOW_MAP), "export": ("export", large_run.id, "--to", "html", *SLOW_MAP),
        "score": ("score", large_run.id), "import": ("data", "import", str(tmp_path), "--name", "mine"),
    }  # fmt: skip
    job = jobs.create(tmp_path / "jobs", kind)
    jobs.start(job, *line[kind], "--job", str(job.path))
    working(job).send_signal(number)
    status = ended(job)
    assert status.signal == number.name
    assert status.message.startswith(f"The {kind} process was ended by signal {int(number)} ({number.name})")
    assert advice in status.message
    assert (number == signal.SIGKILL) != ("Fatal Python error" in (job.path / "log.txt").read_text())
    jobs.requeue(job)
    assert (job.written_status().message, job.written_status().signal) == ("", "")


@pytest.mark.parametrize("by_hand_over", [False, True])
def test_a_process_that_dies_before_it_holds_its_job_says_so(by_hand_over, run, tmp_path, monkeypatch):
    monkeypatch.setattr(jobs.process, "SPARE_SECONDS", 1000.0)
    job, spare = jobs.create(tmp_path / "jobs", "map"), jobs.Spare()
    if by_hand_over:
        spare.prepare()
        worker = work_of(spare._process)
    others = set(psutil.Process().children())
    spare.start(job, "project", run.id, *SLOW_MAP, "--job", str(job.path))
    if by_hand_over:
        wait_for((job.path / "log.txt").exists)  # it has taken the line
    else:
        (process,) = set(psutil.Process().children()) - others
        worker = work_of(process)
    worker.send_signal(signal.SIGILL)
    wait_for(lambda: job.status().state not in jobs.LIVE, seconds=15)
    assert job.status().message.startswith("The map process was ended by signal 4 (SIGILL)")


def test_a_death_is_never_written_over_another_process_s_word(run, lines):
    process = lines("score", run.id)
    worker = work_of(process)
    before = run.status()
    worker.send_signal(signal.SIGSEGV)
    assert process.wait(60) == -signal.SIGSEGV
    assert run.status() == before


@pytest.mark.parametrize(
    ("whom", "number"),
    [("the work", signal.SIGSEGV), ("who waits for it", signal.SIGABRT), ("who waits for it", signal.SIGKILL)],
)
def test_a_training_in_the_foreground_that_dies_says_so(lines, number, whom):
    run = training.prepare(Recipe.parse(LONG))
    process = lines("resume", run.id)
    (working(run) if whom == "the work" else (working(run), process)[1]).send_signal(number)
    said = process.communicate()[1]  # until both are gone
    assert process.returncode == -number
    status = run.status()
    assert (status.state, status.signal) == ("failed", number.name)
    line = said.splitlines()[-1]
    assert line.startswith(f"aeviz: the training process was ended by signal {int(number)} ({number.name})")
    assert f"`aeviz resume {run.id}`" in line
    assert ("Fatal Python error" in (run.path / "log.txt").read_text()) == (number != signal.SIGKILL)


def test_when_both_processes_are_killed_a_run_is_interrupted_as_ever(lines):
    run = training.prepare(Recipe.parse(LONG))
    process = lines("resume", run.id)
    worker = working(run)
    process.send_signal(signal.SIGSTOP)
    worker.kill()
    wait_for(lambda: worker.status() == psutil.STATUS_ZOMBIE)
    assert run.status().state == "running", "its death is about to be written"
    process.kill()
    process.wait()
    wait_for(lambda: run.status().state == "interrupted")


def test_a_line_without_a_job_says_on_standard_error_how_it_died(run, lines):
    process = lines("score", run.id)
    work_of(process).send_signal(signal.SIGSEGV)
    said = process.communicate()[1]
    assert process.returncode == -signal.SIGSEGV
    assert said.splitlines()[-1].startswith("aeviz: the score process was ended by signal 11 (SIGSEGV)")


def test_a_line_that_ends_by_itself_ends_with_its_own_code(run, lines):
    assert lines("runs").wait(60) == 0
    wrong = lines("show", "nothing")
    assert wrong.communicate()[1] == f"aeviz: no run is called 'nothing'; the newest are: {run.id}\n"
    assert wrong.returncode == 2


def test_ctrl_c_reaches_the_work_once(large_run, lines):
    ours, terminal = pty.openpty()
    streams = {"stdin": terminal, "stderr": terminal, "start_new_session": True, "preexec_fn": _take_the_terminal}
    process = lines("project", large_run.id, *SLOW_MAP, **streams)
    os.close(terminal)
    said = b""
    while b"%" not in said:  # it says how far it is
        said += os.read(ours, 1000)
    os.write(ours, b"\x03")
    assert process.wait(60) == 130
    assert os.read(ours, 10_000).endswith(b"aeviz: stopped\r\n")
    os.close(ours)


HALF_MADE = """
import sys
import aeviz.__main__ as line

class HalfMade:
    def __del__(self):
        self.what_the_constructor_never_reached

def stopped(*_, **__):
    opened = HalfMade()
    raise line.click.Abort

line.aeviz.main = stopped
sys.exit(line.main())
"""


def test_what_ctrl_c_left_half_made_is_deleted_without_a_word():
    ended = subprocess.run([sys.executable, "-c", HALF_MADE], capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (130, "aeviz: stopped\n")


def _take_the_terminal():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_who_waits_costs_little(lines):
    process = lines("spare", stdin=subprocess.PIPE)
    work_of(process)
    assert psutil.Process(process.pid).memory_full_info().uss < 10e6
    process.stdin.close()
    assert process.wait(60) == 0


def test_a_crash_is_told_by_its_name_and_innermost_calls():
    log = """epoch 1
double free or corruption (!prev)
Fatal Python error: Aborted

Thread 0x00007f (most recent call first):
  File "/usr/lib/python3/threading.py", line 1 in wait

Current thread 0x00007e (most recent call first):
  File "/site/torch/nn/modules/conv.py", line 543 in _conv_forward
  File "/site/torch/nn/modules/conv.py", line 548 in forward

Extension modules: numpy._core._multiarray_umath (total: 1)
"""
    said = last_lines(log)
    assert said.startswith("epoch 1 / double free or corruption (!prev) / Fatal Python error: Aborted / File ")
    assert 'File "modules/conv.py", line 543 in _conv_forward' in said
    assert "threading.py" not in said
    assert last_lines("a\n\nb\nc\nd\n") == "b / c / d"
    assert last_lines("") == ""


@pytest.mark.parametrize("name", CRASHES)
def test_a_crash_that_the_plain_kernels_did_not_prevent_is_to_be_reported(name):
    number = signal.Signals[name]
    assert "Continue uses torch's plain kernels" in death_message(["work", "runs/x"], number)
    assert "report" in death_message(["work", "runs/x"], number, plain=True)


def test_who_was_told_to_end_from_outside_is_not_said_to_lack_memory():
    said = death_message(["data", "import", "x"], signal.SIGHUP)
    assert said == "The import process was ended by signal 1 (SIGHUP). It was terminated from outside. Start it again."


@pytest.mark.parametrize(
    "resolved", [None, {"device": "cpu", "device_name": "", "precision": "bfloat16", "threads": 3}]
)
@pytest.mark.parametrize("name", [*CRASHES, "SIGKILL", ""])
def test_only_after_a_crash_a_run_goes_on_with_plain_kernels(name, resolved):
    run = training.prepare(
        Recipe.parse({**LONG, "training": {"precision": "bfloat16", "compile": False, "threads": 3}})
    )
    run.write_config(run.config().model_copy(update={"resolved": resolved and Resolved.parse(resolved)}))
    files.write_json(run.path / "status.json", run.written_status().to_json() | {"state": "failed", "signal": name})
    before = run.config().resolved
    training.resume(run)
    after = run.config().resolved
    if name in CRASHES:
        assert (after.plain, after.precision, after.device, after.threads) == (True, "float32", "cpu", 3)
    else:
        assert after == before


def test_a_run_whose_process_died_after_its_last_epoch_can_be_continued(run):
    values = run.written_status().to_json() | {"state": "failed", "signal": "SIGKILL"}
    files.write_json(run.path / "status.json", values)
    training.resume(run)
    with jobs.hold_job(run) as worker:
        training.work(run, worker)
    assert (run.status().state, run.status().signal) == ("done", "")


def test_settings_written_before_there_were_plain_kernels_can_be_read(run):
    values = json.loads((run.path / "config.json").read_text())
    del values["resolved"]["plain"]
    assert RunConfig.parse(values).resolved.plain is False


def test_plain_kernels_are_torch_s_own_and_only_for_as_long_as_asked():
    x = strided.channels_last(torch.rand(2, 3, 8, 8))
    layer = strided.Conv2d(3, 4, 4, stride=2, padding=1)
    assert "_Convolution" in layer(x).grad_fn.name()
    with kernels(plain=True):
        assert is_plain()
        assert not torch.backends.mkldnn.enabled
        assert "_Convolution" not in layer(x).grad_fn.name()
    assert not is_plain()
    assert torch.backends.mkldnn.enabled


@pytest.mark.parametrize("body", ["dense", "conv", "residual"])
def test_a_plain_training_learns_the_same_within_rounding(body):
    model = {"latent_dim": 4, "body": {"name": body}}
    usual, plain = (training.prepare(Recipe.parse({"model": model, "training": {"epochs": 1}})) for _ in range(2))
    facts = {"device": "cpu", "device_name": "", "threads": 1}
    for run, values in ((usual, facts), (plain, facts | {"plain": True})):
        run.write_config(run.config().model_copy(update={"resolved": Resolved.parse(values)}))
        with jobs.hold_job(run) as worker:
            training.work(run, worker)
    first, second = (run.metrics()[-1]["val"]["total"] for run in (usual, plain))
    assert first == pytest.approx(second, rel=1e-3)
    assert np.isfinite(first)
