"""Memory of the app itself: its server and the process that waits for the next training, before and with a map open."""

import time
from typing import NamedTuple

import psutil
from playwright.sync_api import sync_playwright

from bench.first_loss import SPARE_SECONDS
from bench.map_run import make_run, temporary_data
from bench.map_visit import FLAGS, OPEN, open_map, visitor
from bench.measure import Say
from bench.serving import serving
from bench.table import Table
from tests.browser.find import find_browser

POINTS = 10_000
AIMS = {"server": 620, "spare process": 560}


class Held(NamedTuple):
    """MB that a process holds: resident, its share of what several use, and what is its own."""

    rss: float
    pss: float
    uss: float


def measure(say: Say, points: int = POINTS) -> dict[tuple[str, str], Held]:
    """What both processes hold with the page Home open, and then with a map of so many points."""
    with temporary_data(), sync_playwright() as playwright:
        say(f"memory: making a run with {points:,} codes, their map and its quality")
        run = make_run(points)
        browser = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
        say("memory: a visitor opens the map")
        with serving() as served, visitor(browser, f"{served.address}/?run={run.id}") as page:
            time.sleep(SPARE_SECONDS)
            found = _now("Home open", served.pid)
            open_map(page, OPEN, ".st-key-menu a[href$=map]")
            time.sleep(1)
            return found | _now("map open", served.pid)


def table(found: dict[tuple[str, str], Held], points: int = POINTS) -> Table:
    """A row a process and state."""
    rows = [(name, when, *(f"{value:.0f}" for value in held), str(AIMS[name])) for (name, when), held in found.items()]
    title = f"Memory of the app at rest; the map has {points:,} points"
    return Table(title, ("process", "when", "resident, MB", "shared out, MB", "its own, MB", "aim, MB"), rows)


def _now(when: str, pid: int) -> dict[tuple[str, str], Held]:
    server = psutil.Process(pid)
    waiting = next(child for child in server.children() if "spare" in child.cmdline())
    return {(name, when): _held(process) for name, process in (("server", server), ("spare process", waiting))}


def _held(process: psutil.Process) -> Held:
    info = process.memory_full_info()
    return Held(info.rss / 1e6, info.pss / 1e6, info.uss / 1e6)
