"""One server and one real Chromium, clean for each test, with ears for every complaint."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from aeviz.jobs import LIVE, Job
from tests import making
from tests.browser.find import find_browser

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60_000  # milliseconds, for a busy machine; what is there is seen at once
expect.set_options(timeout=PATIENCE)
FLAGS = ["--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader", "--disable-background-networking"]
DESK = {"viewport": {"width": 1440, "height": 900}}
TELEPHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "color_scheme": "dark"}
# On a deep link Streamlit looks for itself below the page's path first; these two 404s are its own.
STREAMLIT_PROBES = re.compile(r"/_stcore/(health|host-config)$")


class Server:
    """The app as a person starts it, on a free port, with folders of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "server.log"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        self.heard = 0  # characters of the log

    def start(self) -> None:
        environment = os.environ | {
            "AEVIZ_RUNS": str(self.folder / "runs"), "AEVIZ_DATA": str(self.folder / "data"), "OMP_NUM_THREADS": "1",
        }  # fmt: skip
        line = [
            sys.executable,
            "-m",
            "streamlit",
            "run",
            "app.py",
            "--server.port",
            str(self.port),
            "--server.headless",
            "true",
        ]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(line, cwd=ROOT, env=environment, stdout=log, stderr=log)
        for _ in range(1200):
            try:
                urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=1).read()
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def kill(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def complaints(self) -> list[str]:
        """What the log says beyond its greeting, since this was last asked."""
        said = self.log.read_text()
        new, self.heard = said[self.heard :], len(said)
        return re.findall(r".*(?:Traceback|Error|Warning|warning).*", new)

    def clear(self) -> None:
        """Have nothing at work and no runs and data, as when the server was started; its visitors are gone."""
        jobs = [Job(path.parent) for path in self.folder.rglob("status.json")]
        for job in jobs:
            if _is_at_work(job):
                job.ask("stop")
        _wait_until(lambda: not any(map(_is_at_work, jobs)), "the jobs ended")
        _wait_until(self._is_idle, "the server became idle")
        for name in ("runs", "data"):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def _is_idle(self) -> bool:
        """Whether none of its threads has anything to do, not even one that waits for a core, at several looks."""
        for _ in range(5):
            if any(_state(thread) in "RD" for thread in Path(f"/proc/{self.process.pid}/task").glob("*")):
                return False
            time.sleep(0.03)
        return True


def _state(thread: Path) -> str:
    """The letter that Linux has for what a thread does: S where it waits for somebody else."""
    try:
        return (thread / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:  # it has ended
        return "X"


def _is_at_work(job: Job) -> bool:
    return job.is_alive() or job.status().state in LIVE


def _wait_until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 180.0
    while not condition():
        assert time.monotonic() < end, f"before {what} three minutes had gone"
        time.sleep(0.03)


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """A running app; its log must be free of complaints at the end."""
    running = Server(folder)
    running.start()
    try:
        yield running
    finally:
        running.kill()
    assert running.complaints() == []


@pytest.fixture(scope="session")
def app(tmp_path_factory):
    """One app for all tests: it takes 10 s of a core to start."""
    with serving(tmp_path_factory.mktemp("app")) as running:
        yield running


@pytest.fixture(scope="module")
def served(request, app):
    """The app with a file's run, which has learned a little of the digits by the file's `RECIPE`."""
    with own_paths(app.folder):
        run = making.learned(request.module.RECIPE)
    yield app, run
    app.clear()


@pytest.fixture
def server(request, app):
    """The app: empty for each test, or with the run of a file that has a `RECIPE`."""
    if hasattr(request.module, "RECIPE"):
        request.getfixturevalue("served")
    yield app
    if not hasattr(request.module, "RECIPE"):
        app.clear()
    assert app.complaints() == []


@pytest.fixture
def own_server(tmp_path):
    """An app that has just been started and may be killed."""
    with serving(tmp_path) as running:
        yield running


@pytest.fixture
def run(served):
    """The run of the file's app, where this process finds it, too."""
    with own_paths(served[0].folder):
        yield served[1]


@contextlib.contextmanager
def own_paths(folder: Path) -> Iterator[None]:
    """This process looks where the server of that folder looks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AEVIZ_RUNS", str(folder / "runs"))
        patch.setenv("AEVIZ_DATA", str(folder / "data"))
        yield


@pytest.fixture(scope="session")
def chromium():
    """One browser for all tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def new_page(chromium):
    """Opens visitors, each with a browser context of its own; the console must stay silent.

    A visitor whose server is killed may complain of that: `open_page(complains=True)`; one with a telephone has a small
    dark screen to touch: `open_page(telephone=True)`.
    """
    heard: list[str] = []
    contexts = []

    def listen(message):
        if message.type == "error" and not STREAMLIT_PROBES.search(message.location.get("url", "")):
            heard.append(f"{message.text} {message.location.get('url', '')}")

    def open_page(complains: bool = False, telephone: bool = False) -> Page:
        context = chromium.new_context(**(TELEPHONE if telephone else DESK))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        if not complains:
            page.on("console", listen)
            page.on("pageerror", lambda error: heard.append(str(error)))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert heard == []


@pytest.fixture
def page(new_page):
    """One visitor."""
    return new_page()
