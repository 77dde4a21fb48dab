"""A server of its own and a real Chromium, with ears for every complaint."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests import making
from tests.browser.find import find_browser

ROOT = Path(__file__).resolve().parents[2]
expect.set_options(timeout=20_000)  # for a busy machine; what is there is seen at once
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
        for _ in range(300):
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
        """What the log says beyond its greeting."""
        return re.findall(r".*(?:Traceback|Error|Warning|warning).*", self.log.read_text())


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


@pytest.fixture(scope="module")
def served(request, tmp_path_factory):
    """One app for all tests of a file, and its run, which has learned a little of the digits by the file's `RECIPE`."""
    folder = tmp_path_factory.mktemp("served")
    with own_paths(folder):
        run = making.trained(request.module.RECIPE)
    with serving(folder) as running:
        yield running, run


@pytest.fixture
def server(request, tmp_path):
    """The app of all tests of a file that has a `RECIPE`, else one of the test's own."""
    if hasattr(request.module, "RECIPE"):
        yield request.getfixturevalue("served")[0]
        return
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
        page.set_default_timeout(20_000)
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
