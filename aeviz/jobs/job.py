"""A job as seen from outside: a folder with its status, its requests and its log."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from aeviz import files
from aeviz.config import Settings
from aeviz.errors import NotNow

State = Literal["queued", "running", "paused", "done", "stopped", "failed", "diverged", "interrupted"]
LIVE = ("queued", "running")
RELEASE_SECONDS = 10.0
START_SECONDS = 60.0  # how long a queued job may take until its process holds the lock


class Status(Settings):
    """A job's state and progress; `status.json` is replaced as a whole."""

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
    signal: str = ""  # the signal that killed a failed job's process, such as SIGSEGV


@files.cached_by_stat(most=1024)
def _read_status(path: Path) -> Status:
    return Status.parse(files.read_json(path) or {})


@dataclass(frozen=True)
class Job:
    """A folder with `status.json`, `control.jsonl`, `lock` and `log.txt`; every call reads the disk again."""

    path: Path

    def written_status(self) -> Status:
        """The status as the process last wrote it."""
        return _read_status(self.path / "status.json")

    def status(self) -> Status:
        """The current status; `interrupted` is computed (the status is live, but the lock is free)."""
        status = self.written_status()
        if status.state in LIVE and not self.is_alive() and not self._is_starting(status):
            # Read again: the process may have written its final status and ended between the two checks.
            status = self.written_status()
            if status.state in LIVE:
                return status.model_copy(update={"state": "interrupted"})
        return status

    def is_alive(self) -> bool:
        """Whether a process holds this job, or its death is being recorded."""
        return files.is_locked(self.path / "lock")

    def ask(self, request: str, **values: Any) -> None:
        """Send the process a request for its next step, such as `stop` or `pause`."""
        files.append_line(self.path / "control.jsonl", {"ask": request, "time": time.time(), **values})

    def release(self) -> None:
        """Make a paused process that still holds this job exit, so that another one can resume it.

        For a failed job this only waits: its death is recorded a moment before the lock is free.

        Raises:
            NotNow: the job is running, or does not release its lock.
        """
        state = self.written_status().state
        if self.is_alive() and state in ("paused", "failed"):
            if state == "paused":
                self.ask("leave")  # once: an exiting process reads further requests, and could be kept alive by them
            end = time.monotonic() + RELEASE_SECONDS
            while self.is_alive() and time.monotonic() < end:
                time.sleep(0.02)
        if self.is_alive():
            raise NotNow("{name} is running already; wait for it or stop it", name=self.path.name)

    def _is_starting(self, status: Status) -> bool:
        return status.state == "queued" and time.time() - status.beat < START_SECONDS


def create(folder: Path, name: str) -> Job:
    """Create a new job's folder, readable only by the user, waiting for its process.

    Raises:
        NotNow: a job of this name is running.
    """
    job = Job(folder / files.safe_name(name))
    job.release()
    job.path.mkdir(parents=True, exist_ok=True, mode=0o700)
    (job.path / "log.txt").unlink(missing_ok=True)
    requeue(job)
    return job


def requeue(job: Job) -> None:
    """Mark a job as waiting for its process, which the caller starts next."""
    changes = {"state": "queued", "message": "", "signal": "", "beat": time.time(), "done": 0.0, "total": 0.0}
    status = job.written_status().model_copy(update=changes)
    files.write_json(job.path / "status.json", status.to_json())
