"""A job as seen from its own process."""

import contextlib
import os
import signal
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from typing import Any

from aeviz import files, watch
from aeviz.errors import AevizError, Paused, Stopped
from aeviz.jobs.job import Job

REPORT_SECONDS = 0.2


class Worker:
    """A job as seen from its own process: reports status and reads requests."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.stop_requested = self.pause_requested = False
        self._status = job.written_status().model_copy(update={"signal": ""})
        # Requests since the job was queued are for us, even if they came before this process started.
        self._since = self._status.beat if self._status.state == "queued" else time.time()
        self._read = 0
        self._pending: list[dict[str, Any]] = []  # read, but not handled yet
        self._reported = 0.0
        self._control = str(job.path / "control.jsonl")

    def report(self, **changes: Any) -> None:
        """Report status; written at most every 0.2 s, but at once if the state or the message changes.

        A message belongs to its state: a new state starts without one.
        """
        if changes.get("state", self._status.state) != self._status.state:
            changes = {"message": "", **changes}
        fresh = self._status.model_copy(
            update={**changes, "beat": time.time(), "pid": os.getpid(), "host": socket.gethostname()}
        )
        urgent = (fresh.state, fresh.message) != (self._status.state, self._status.message)
        self._status = fresh
        if urgent or time.monotonic() - self._reported > REPORT_SECONDS:
            files.write_json(self.job.path / "status.json", fresh.to_json())
            self._reported = time.monotonic()

    def may_have_requests(self) -> bool:
        """Whether there may be new requests; cheap enough for every step."""
        try:
            return self.stop_requested or bool(self._pending) or os.stat(self._control).st_size > self._read
        except FileNotFoundError:
            return False

    def has_requests(self) -> bool:
        """Whether any request is pending."""
        self._pending += self._read_requests()
        return bool(self._pending)

    def requests(self) -> list[dict[str, Any]]:
        """The pending requests; a stop stays set, a pause until the caller clears it."""
        pending, self._pending = self._pending + self._read_requests(), []
        return pending

    def _read_requests(self) -> list[dict[str, Any]]:
        lines, self._read = files.read_lines(self.job.path / "control.jsonl", self._read)
        requests = [line for line in lines if isinstance(line, dict) and line.get("time", 0.0) >= self._since]
        self.stop_requested |= any(request.get("ask") == "stop" for request in requests)
        self.pause_requested |= any(request.get("ask") == "pause" for request in requests)
        return requests

    def check_stop(self) -> None:
        """Read requests; raise on a stop or pause. Others stay pending for their handler, as does a pause behind them.

        Raises:
            Stopped, Paused: as requested.
        """
        self._pending += self._read_requests()
        if self.stop_requested:
            raise Stopped("stopped as requested")
        if self.pause_requested and all(request.get("ask") == "pause" for request in self._pending):
            raise Paused("paused as requested")

    def progress(self, done: float, total: float, message: str = "") -> None:
        """Report progress, and raise if a stop was requested.

        Raises:
            Stopped: a stop was requested.
        """
        self.report(state="running", done=float(done), total=float(total), **({"message": message} if message else {}))
        self.check_stop()


@contextlib.contextmanager
def hold_job(job: Job) -> Iterator[Worker]:
    """Hold a job while its work is done, and write the outcome into its status.

    Raises:
        NotNow: another process holds it.
    """
    with files.lock(job.path / "lock") as lock, watch.holding_job(job.path, lock), _terminable(Worker(job)) as worker:
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
    """Treat SIGTERM and SIGINT as the user's request to stop."""

    def on_signal(*_: object) -> None:
        worker.stop_requested = True

    if threading.current_thread() is not threading.main_thread():
        yield worker  # only the main thread may install signal handlers
        return
    before = [(name, signal.signal(name, on_signal)) for name in (signal.SIGTERM, signal.SIGINT)]
    try:
        yield worker
    finally:
        for name, handler in before:
            signal.signal(name, handler)
