"""Serving: the app, or another script, as a person starts it, on a free port."""

import contextlib
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from aeviz.errors import BadValue

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 60.0
POLL_SECONDS = 0.1


class Served(NamedTuple):
    """A running server: where it answers, and its process."""

    port: int
    pid: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def stream(self) -> str:
        return f"ws://127.0.0.1:{self.port}/_stcore/stream"


@contextlib.contextmanager
def serving(script: str = "app.py", *arguments: str, options: tuple[str, ...] = ()) -> Iterator[Served]:
    """A script of this project by Streamlit with these options of its own, told these arguments; it is gone afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    line = [sys.executable, "-m", "streamlit", "run", script, "--server.port", str(port), "--server.headless", "true"]
    process = subprocess.Popen(
        [*line, *options, "--", *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for_health(port)
        yield Served(port, process.pid)
    finally:
        process.terminate()
        process.wait()


def _wait_for_health(port: int) -> None:
    for _ in range(int(START_SECONDS / POLL_SECONDS)):
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1).read()
            return
        time.sleep(POLL_SECONDS)
    raise BadValue("the app has not started within {seconds:g} seconds", seconds=START_SECONDS)
