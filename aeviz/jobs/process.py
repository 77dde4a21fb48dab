"""Starting lines of the command line as processes that outlive whoever started them."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from aeviz.jobs.job import Job

# Threads that wait by spinning were measured to make t-SNE seven times slower on cores that others use as well.
WAIT_POLICY = "passive"
# Where the cores are idle, waiting awake for half a millisecond makes a step on two of them 1.1 to 1.26 times as fast;
# beside a busy program it takes 1.4 times as long. This is libgomp's own setting, which comes before the policy.
SPINS_WHEN_IDLE = "10000"
NEXT_SECONDS = 4.0  # after a hand-over the next spare leaves the cores to the one at work


def thread_settings() -> dict[str, str]:
    """The environment that tells OpenMP's threads how to wait for each other, by how busy the cores are now."""
    return {"OMP_WAIT_POLICY": WAIT_POLICY} | ({"GOMP_SPINCOUNT": SPINS_WHEN_IDLE} if _is_idle() else {})


def _is_idle() -> bool:
    """Whether at most one other thread of the whole machine is running; False where the system does not say."""
    try:
        running, _ = Path("/proc/loadavg").read_text().split()[3].split("/")
    except FileNotFoundError:
        return False
    return int(running) <= 2  # this one among them


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
    """One process that has imported everything and waits for the next line on its standard input.

    It takes the line, sends its output to the job's log, and is from then on like any other; an empty read means
    that whoever kept it is gone, and it goes, too.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Have one waiting."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                quiet = subprocess.DEVNULL
                self._process = _detached("spare", stdin=subprocess.PIPE, stdout=quiet, stderr=quiet)

    def start(self, job: Job, *arguments: str) -> None:
        """Start a line in the waiting process, or in a new one where none waits; then prepare the next."""
        with self._lock:
            process, self._process = self._process, None
        if process is None or not _hand_over(process, job, arguments):
            start(job, *arguments)
        timer = threading.Timer(NEXT_SECONDS, self.prepare)
        timer.daemon = True
        timer.start()


def _hand_over(process: "subprocess.Popen[bytes]", job: Job, arguments: tuple[str, ...]) -> bool:
    if process.stdin is None or process.poll() is not None:
        return False
    try:
        process.stdin.write(json.dumps([str(job.path / "log.txt"), *arguments]).encode() + b"\n")
        process.stdin.close()
    except BrokenPipeError:
        return False
    return True
