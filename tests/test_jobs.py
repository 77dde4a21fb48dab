"""Processes of their own: their state is true whatever happens to them, and a device serves one at a time."""

import contextlib
import threading
import time

import psutil
import pytest

from aeviz import files, jobs, training
from aeviz.errors import AevizError, NotNow, Paused, Stopped
from aeviz.jobs import Job, QueueTicket, Worker, hold_job
from aeviz.training import Recipe


@pytest.fixture
def job(tmp_path):
    return jobs.create(tmp_path / "jobs", "one")


def wait_for(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def test_a_job_tells_how_it_ended(job):
    assert job.status().state == "queued"
    with hold_job(job) as worker:
        worker.report(state="running", message="halfway", done=1, total=2)
        assert job.status().state == "running"
        worker.report(state="done")
    assert job.status().state == "done"
    with pytest.raises(AevizError), hold_job(job):
        raise AevizError("{thing} broke", thing="it")
    assert (job.status().state, job.status().message) == ("failed", "it broke")


def test_a_message_belongs_to_its_state(job):
    with hold_job(job) as worker:
        worker.report(state="running", message="Encoding")
        worker.report(done=1, total=2)
        assert job.written_status().message == "Encoding"
        worker.report(state="paused", message="Paused.")
        worker.report(state="running", done=2)
        assert (job.status().state, job.status().message) == ("running", "")


def test_a_job_whose_process_died_is_interrupted(job):
    worker = Worker(job)
    worker.report(state="running")
    assert job.status().state == "interrupted"


def test_a_job_that_never_came_to_life_is_interrupted_in_the_end(job, monkeypatch):
    assert job.status().state == "queued"
    monkeypatch.setattr(jobs.job, "START_SECONDS", 0.0)
    assert job.status().state == "interrupted"


def test_a_stop_is_heard_once_asked_and_old_requests_are_not(job):
    job.ask("stop")
    with contextlib.suppress(Stopped), hold_job(job) as worker:
        worker.check_stop()
        job.ask("stop")
        worker.check_stop()
        pytest.fail("the stop was not heard")
    assert job.status().state == "stopped"


def test_only_one_process_holds_a_job(job):
    with hold_job(job), pytest.raises(NotNow), hold_job(job):
        pass


def test_a_job_runs_as_a_process_of_its_own(tmp_path, monkeypatch):
    from PIL import Image

    for number in range(400):
        Image.new("RGB", (64, 64), (number % 255, 0, 0)).save(tmp_path / f"{number}.bmp")
    job = jobs.create(tmp_path / "jobs", "import")
    jobs.start(job, "data", "import", str(tmp_path), "--name", "mine", "--job", str(job.path))
    wait_for(lambda: job.status().state not in jobs.LIVE)
    assert job.status().state == "done", (job.path / "log.txt").read_text()
    assert (tmp_path / "data" / "own" / "mine" / "meta.json").exists()


def test_a_device_serves_one_at_a_time_the_oldest_first(tmp_path):
    order = []

    def take(name, created):
        worker = Worker(jobs.create(tmp_path / "jobs", name))
        with QueueTicket(tmp_path / "queue", created, name).wait(worker):
            order.append(name)
            time.sleep(0.05)

    first = Worker(jobs.create(tmp_path / "jobs", "first"))
    with QueueTicket(tmp_path / "queue", 1.0, "first").wait(first):
        threads = [threading.Thread(target=take, args=pair) for pair in (("third", 3.0), ("second", 2.0))]
        for thread in threads:
            thread.start()
        wait_for(lambda: len(list((tmp_path / "queue").glob("*.ticket"))) == 3)
        waiting = Job(tmp_path / "jobs" / "third")
        wait_for(lambda: "ahead" in waiting.written_status().message)
        assert order == []
    for thread in threads:
        thread.join()
    assert order == ["second", "third"]
    assert not list((tmp_path / "queue").glob("*.ticket"))


def test_a_dead_ticket_does_not_block_the_queue(tmp_path):
    (tmp_path / "queue").mkdir()
    (tmp_path / "queue" / f"{0.5:017.6f}-dead.ticket").touch()
    worker = Worker(jobs.create(tmp_path / "jobs", "next"))
    with QueueTicket(tmp_path / "queue", 1.0, "next").wait(worker):
        pass


def test_who_waits_can_be_stopped(tmp_path):
    job = jobs.create(tmp_path / "jobs", "waiting")
    worker = Worker(job)
    with files.lock(tmp_path / "queue" / "device"):
        job.ask("stop")
        with pytest.raises(Stopped), QueueTicket(tmp_path / "queue", 1.0, "waiting").wait(worker):
            pass


def test_what_is_asked_while_a_job_is_being_born_is_heard(job):
    job.ask("stop")
    worker = Worker(job)
    with pytest.raises(Stopped):
        worker.check_stop()


def test_a_pause_while_waiting_leaves_the_job_paused(tmp_path):
    job = jobs.create(tmp_path / "jobs", "waiting")
    with files.lock(tmp_path / "queue" / "device"):
        job.ask("pause")
        with (
            contextlib.suppress(Paused),
            hold_job(job) as worker,
            QueueTicket(tmp_path / "queue", 1.0, "w").wait(worker),
        ):
            pytest.fail("the turn was taken")
    assert job.status().state == "paused"


def test_two_who_ask_do_not_see_each_other_in_a_free_lock(tmp_path):
    path = tmp_path / "lock"
    path.touch()
    seen = []

    def ask():
        seen.extend(files.is_locked(path) for _ in range(2000))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not any(seen)


def test_a_spare_takes_a_line_at_once_and_the_next_is_prepared(tmp_path, monkeypatch):
    monkeypatch.setattr(jobs.process, "SPARE_SECONDS", 0.0)
    spare = jobs.Spare()
    spare.prepare()
    process = spare._process
    wait_for(psutil.Process(process.pid).children)  # the one that works; its parent waits for it
    (working,) = psutil.Process(process.pid).children()
    run = training.prepare(Recipe.parse({"training": {"epochs": 1, "device": "cpu"}}))
    training.launch(run, spare.start)
    wait_for(lambda: run.status().state == "done", seconds=60)
    assert run.written_status().pid == working.pid
    assert process.wait(20) == 0
    wait_for(lambda: spare._process is not None)
    following = spare._process
    following.stdin.close()
    assert following.wait(60) == 0, "an empty read is its end"


def test_without_a_spare_a_line_is_started_all_the_same(monkeypatch):
    monkeypatch.setattr(jobs.process, "SPARE_SECONDS", 1000.0)
    run = training.prepare(Recipe.parse({"training": {"epochs": 1, "device": "cpu"}}))
    training.launch(run, jobs.Spare().start)
    wait_for(lambda: run.status().state == "done", seconds=60)
