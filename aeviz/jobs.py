"""Any `python -m aeviz ...` line as a process of its own: its status, control, lock, log and place in the queue."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from aeviz import files
from aeviz.config import Settings
from aeviz.errors import AevizError, NotNow, Paused, Stopped

State = Literal["queued", "running", "paused", "done", "stopped", "failed", "diverged", "interrupted"]
LIVE = ("queued", "running")
BIRTH_SECONDS = 20.0  # a queued job may take this long before its process holds the lock
REPORT_SECONDS = 0.2
# Threads that wait by spinning were measured to make t-SNE seven times slower on cores that others use as well.
WAIT_POLICY = "passive"


class Status(Settings):
    """How far a job is; replaced whole in `status.json`."""

    state: State = "queued"
    message: str = ""
    beat: float = 0.0
    pid: int = 0
    host: str = ""
    done: float = 0.0
    total: float = 0.0
    epoch: int = 0
    epochs: int = 0
    step: int = 0


@dataclass(frozen=True)
class Job:
    """A folder with `status.json`, `control.jsonl`, `lock` and `log.txt`; reads afresh at every call."""

    path: Path

    def written_status(self) -> Status:
        """The status as the process last wrote it."""
        return Status.parse(files.read_json(self.path / "status.json") or {})

    def status(self) -> Status:
        """The status on disk; `interrupted` is computed (says it is at work, but the lock is free)."""
        status = self.written_status()
        if status.state in LIVE and not self.is_alive() and not self._is_being_born(status):
            # Read again: the process may have ended, and written so, between the two looks.
            status = self.written_status()
            if status.state in LIVE:
                return status.model_copy(update={"state": "interrupted"})
        return status

    def is_alive(self) -> bool:
        """Whether a process holds this job."""
        return files.is_locked(self.path / "lock")

    def ask(self, request: str, **values: Any) -> None:
        """Ask the process for something at its next step, such as `stop` or `pause`."""
        files.append_line(self.path / "control.jsonl", {"ask": request, "time": time.time(), **values})

    def log_tail(self, characters: int = 4000) -> str:
        """The end of what the process printed."""
        try:
            return (self.path / "log.txt").read_text(errors="replace")[-characters:]
        except FileNotFoundError:
            return ""

    def _is_being_born(self, status: Status) -> bool:
        return status.state == "queued" and time.time() - status.beat < BIRTH_SECONDS


class Worker:
    """The process's own side of a job: holds the lock, reports, and hears requests."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.stop_asked = self.pause_asked = False
        self._status = job.written_status()
        # What was asked since the job was queued is for us, also if it was asked before this process was born.
        self._since = self._status.beat if self._status.state == "queued" else time.time()
        self._read = 0
        self._reported = 0.0

    def report(self, **changes: Any) -> None:
        """Note progress; written at most every 0.2 s, at once when the state or the message changes."""
        fresh = self._status.model_copy(
            update={**changes, "beat": time.time(), "pid": os.getpid(), "host": socket.gethostname()}
        )
        urgent = (fresh.state, fresh.message) != (self._status.state, self._status.message)
        self._status = fresh
        if urgent or time.monotonic() - self._reported > REPORT_SECONDS:
            files.write_json(self.job.path / "status.json", fresh.to_json())
            self._reported = time.monotonic()

    @property
    def message(self) -> str:
        """What was last said."""
        return self._status.message

    def requests(self) -> list[dict[str, Any]]:
        """What was asked since the last look; a stop and a pause stay remembered."""
        lines, self._read = files.read_lines(self.job.path / "control.jsonl", self._read)
        asked = [line for line in lines if isinstance(line, dict) and line.get("time", 0.0) >= self._since]
        self.stop_asked |= any(request.get("ask") == "stop" for request in asked)
        self.pause_asked |= any(request.get("ask") == "pause" for request in asked)
        return asked

    def check_stop(self) -> None:
        """Raises: Stopped or Paused, once that was asked for."""
        self.requests()
        if self.stop_asked:
            raise Stopped("stopped as asked")
        if self.pause_asked:
            raise Paused("paused as asked")

    def progress(self, done: float, total: float, message: str = "") -> None:
        """Report how much is done, and end here if a stop was asked for.

        Raises:
            Stopped: a stop was asked for.
        """
        self.report(done=float(done), total=float(total), **({"message": message} if message else {}))
        self.check_stop()


@contextlib.contextmanager
def at_work(job: Job) -> Iterator[Worker]:
    """Hold a job while its work is done; whatever happens is told by its status.

    Raises:
        NotNow: another process holds it.
    """
    with files.lock(job.path / "lock"), _terminable(Worker(job)) as worker:
        try:
            yield worker
        except Stopped:
            worker.report(state="stopped", message="Stopped.")
            raise
        except Paused:
            worker.report(state="paused", message="Paused.")
            raise
        except AevizError as error:
            worker.report(state="failed", message=str(error))
            raise
        except BaseException as error:
            traceback.print_exc()
            worker.report(state="failed", message=f"{type(error).__name__}: {error}"[:500])
            raise


@contextlib.contextmanager
def _terminable(worker: Worker) -> Iterator[Worker]:
    """Take the system's request to end as a person's request to stop."""

    def on_signal(*_: object) -> None:
        worker.stop_asked = True

    before = [(name, signal.signal(name, on_signal)) for name in (signal.SIGTERM, signal.SIGINT)]
    try:
        yield worker
    finally:
        for name, handler in before:
            signal.signal(name, handler)


def start(job: Job, *arguments: str) -> None:
    """Start `python -m aeviz ARGUMENTS` as a process that outlives this one; its output goes to the job's log."""
    root = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    detached: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        detached = {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    with open(job.path / "log.txt", "ab") as log:
        subprocess.Popen(
            [sys.executable, "-m", "aeviz", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={"OMP_WAIT_POLICY": WAIT_POLICY, **os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"},
            **detached,
        )


def create(folder: Path, name: str) -> Job:
    """A new job's folder, private to the person, waiting for its process.

    Raises:
        NotNow: a job of this name is at work.
    """
    job = Job(folder / files.safe_name(name))
    if job.is_alive():
        raise NotNow("{name} is at work already; wait for it or stop it", name=name)
    job.path.mkdir(parents=True, exist_ok=True, mode=0o700)
    (job.path / "log.txt").unlink(missing_ok=True)
    requeue(job)
    return job


def requeue(job: Job) -> None:
    """Mark a job as waiting for its process, which the caller starts next."""
    changes = {"state": "queued", "message": "", "beat": time.time(), "done": 0.0, "total": 0.0}
    status = job.written_status().model_copy(update=changes)
    files.write_json(job.path / "status.json", status.to_json())


class Turn:
    """A place in a device's queue: the oldest living ticket goes first, and no dispatcher is needed."""

    def __init__(self, queue: Path, created: float, name: str) -> None:
        queue.mkdir(parents=True, exist_ok=True)
        self.queue = queue
        self.ticket = queue / f"{created:017.6f}-{name}.ticket"

    def ahead(self) -> int:
        """How many living jobs stand before this one."""
        older = [ticket for ticket in self.queue.glob("*.ticket") if ticket.name < self.ticket.name]
        living = [ticket for ticket in older if files.is_locked(ticket)]
        for dead in set(older) - set(living):
            self._remove_if_old(dead)
        return len(living)

    def _remove_if_old(self, ticket: Path) -> None:
        """A ticket just made is not locked yet; one that has lain unlocked for a while belonged to the dead."""
        with contextlib.suppress(FileNotFoundError):
            if time.time() - ticket.stat().st_mtime > BIRTH_SECONDS:
                ticket.unlink()

    @contextlib.contextmanager
    def wait(self, worker: Worker) -> Iterator[Self]:
        """Wait for the turn, then hold the device until the block ends.

        Raises:
            Stopped: a stop was asked for while waiting.
        """
        with contextlib.ExitStack() as held:
            held.callback(lambda: self.ticket.unlink(missing_ok=True))
            held.enter_context(files.lock(self.ticket))
            while True:
                ahead = self.ahead()
                if not ahead:
                    try:
                        held.enter_context(files.lock(self.queue / "device", patience=0.0))
                        break
                    except NotNow:
                        ahead = 1
                worker.report(state="queued", message=f"Waiting for the device: {ahead} ahead.")
                worker.check_stop()
                time.sleep(0.1)
            yield self
