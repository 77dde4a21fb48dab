"""Start: from starting the server's process to the first page in a real browser, beside a script that only greets."""

import contextlib
import os
import sysconfig
import time
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from bench.map_run import temporary_data
from bench.map_visit import FLAGS, WAIT
from bench.measure import Say, counted, interleave, median_and_range
from bench.serving import ROOT, serving
from bench.table import Table
from tests.browser.find import find_browser

SIDES = {"aeviz": ("app.py", ".st-key-first button"), "Streamlit alone": ("bench/native_map.py", ".st-key-ask input")}
FILES = ("warm", "cold")
QUIET_SECONDS = 4.0  # before each start: what the server before has left to others ends meanwhile


def measure(repeats: int, say: Say) -> dict[tuple[str, str], list[float]]:
    """Seconds (repeats,) by side and by whether the system has the libraries' files in memory."""
    with temporary_data(), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
        asked = [(side, files) for files in FILES for side in SIDES]
        for side in SIDES:
            _started(browser, *SIDES[side])  # so that what Python compiles once is compiled

        def start(side: str, files: str) -> float:
            say(f"start: {side}, files {files}")
            time.sleep(QUIET_SECONDS)
            if files == "cold":
                let_go_of_files()
            return _started(browser, *SIDES[side])

        return dict(zip(asked, interleave([partial(start, *each) for each in asked], repeats), strict=True))


def table(found: dict[tuple[str, str], list[float]]) -> Table:
    """A row a side and state of the files."""
    repeats = counted(len(next(iter(found.values()))), "interleaved repeat")
    rows = [
        (side, files, median_and_range(seconds, lambda value: f"{value:.2f}"))
        for (side, files), seconds in found.items()
    ]
    return Table(
        f"Start: from the server's process to the first page on screen; medians of {repeats}",
        ("server", "files", "first page, s"),
        rows,
    )


def _started(browser: Browser, script: str, shown: str) -> float:
    """Seconds until a visitor who comes as soon as the server answers sees the first page whole."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    started = time.perf_counter()
    with serving(script) as served:
        _drawn(page, served.address, shown)
        seconds = time.perf_counter() - started
        context.close()
    return seconds


def _drawn(page: Page, address: str, shown: str) -> None:
    page.goto(address)
    page.locator(shown).wait_for(timeout=WAIT, state="attached")
    page.locator("[data-test-script-state=notRunning]").wait_for(timeout=WAIT)
    page.evaluate("new Promise(requestAnimationFrame)")


def let_go_of_files() -> None:
    """Ask the system to drop what it holds in memory of the libraries' and of our files; what others use stays."""
    for folder in (Path(sysconfig.get_path("purelib")), ROOT / "aeviz"):
        for path in folder.rglob("*"):
            with contextlib.suppress(OSError):
                _let_go(path)


def _let_go(path: Path) -> None:
    if not path.is_file():
        return
    file = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(file)
