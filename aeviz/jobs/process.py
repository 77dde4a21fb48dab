"""Starting commands as processes that outlive their parent."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from aeviz.jobs.job import Job

# Threads that wait by spinning made t-SNE seven times slower on cores shared with other programs (measured).
WAIT_POLICY = "passive"
# On idle cores, spinning for half a millisecond makes a step on two of them 1.1 to 1.26 times as fast; next to a busy
# program it takes 1.4 times as long. This is libgomp's own setting, which overrides the policy.
SPINS_WHEN_IDLE = "10000"
SPARE_SECONDS = 4.0  # delay before the next spare starts, which leaves the cores to the job just handed over


def thread_settings() -> dict[str, str]:
    """The environment that sets how OpenMP's threads wait for each other, depending on the current load."""
    return {"OMP_WAIT_POLICY": WAIT_POLICY} | ({"GOMP_SPINCOUNT": SPINS_WHEN_IDLE} if _is_idle() else {})


def _is_idle() -> bool:
    """Whether at most one other thread on the machine is running; False if the system does not tell."""
    try:
        running, _ = Path("/proc/loadavg").read_text().split()[3].split("/")
    except FileNotFoundError:
        return False
    return int(running) <= 2  # including this one


def start(job: Job, *arguments: str) -> None:
    """Start `python -m aeviz ARGUMENTS` as a process that outlives this one; its output goes to the job's log."""
    with open(job.path / "log.txt", "ab") as log:
        _detached(*arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def _detached(*arguments: str, **streams: Any) -> "subprocess.Popen[bytes]":
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    environment = {**thread_settings(), **os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen([sys.executable, "-m", "aeviz", *arguments], env=environment, **streams, **apart)


class Spare:
    """A process that has imported everything and waits for a command on its standard input.

    It runs the command with its output in the job's log, like any other process; end of file means that its parent is
    gone, and it exits.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Start a spare process unless one is waiting."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                quiet = subprocess.DEVNULL
                self._process = _detached("spare", stdin=subprocess.PIPE, stdout=quiet, stderr=quiet)

    def start(self, job: Job, *arguments: str) -> None:
        """Run a command in the spare process, or in a new one if none is waiting; then prepare the next spare."""
        with self._lock:
            process, self._process = self._process, None
        if process is None or not _pass_to_spare(process, job, arguments):
            start(job, *arguments)
        timer = threading.Timer(SPARE_SECONDS, self.prepare)
        timer.daemon = True
        timer.start()


def _pass_to_spare(process: "subprocess.Popen[bytes]", job: Job, arguments: tuple[str, ...]) -> bool:
    if process.stdin is None or process.poll() is not None:
        return False
    try:
        process.stdin.write(json.dumps([str(job.path / "log.txt"), *arguments]).encode() + b"\n")
        process.stdin.close()
    except BrokenPipeError:
        return False
    return True
