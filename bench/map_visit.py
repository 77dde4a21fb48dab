"""A visitor in a real browser on a fresh server: opens a map, draws on it, points at it, places an image on it."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from playwright.sync_api import Browser, Page

from aeviz.runs import Run
from aeviz.ui.menu import MENU
from bench.first_loss import SPARE_SECONDS
from bench.map_run import kept_points
from bench.serving import Served, serving

FLAGS = ["--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader"]
IN_PAGE = Path(__file__).with_name("in_page.js")
WAIT = 60_000  # milliseconds
STILL_SECONDS = 0.5
SHAPES = {"Lasso": ((0.3, 0.2), (0.7, 0.25), (0.65, 0.75), (0.3, 0.65)), "Box": ((0.25, 0.15), (0.75, 0.8))}
NATIVE_TOOL = ".modebar-btn[data-title='{} Select']"
CARDS, DRAG_SECONDS = 20, 2.0
OPEN = "(link) => { const since = performance.now(); document.querySelector(link).click(); return bench.until(bench.drawn, since) }"
OPEN_NATIVE = "(link) => { const since = performance.now(); document.querySelector(link).click(); return bench.until(bench.nativeDrawn, since) }"


class Step(NamedTuple):
    """Seconds until what was asked for is on screen, None where it never came; kB sent and received for it meanwhile."""

    seconds: float | None
    sent: float = 0.0
    received: float = 0.0


class Visit(NamedTuple):
    """One visitor's measurements: what both sides do, the server's memory in MB, and what only aeviz does."""

    first: Step
    lasso: Step
    box: Step
    before: float
    after: float
    cards: Sequence[float] = ()  # milliseconds
    frames: float = 0.0  # a second, while the pointer goes over empty places
    pictures: float = 0.0  # of these with a picture of another place
    placed: float | None = None  # seconds
    place: tuple[float, float] = (0.0, 0.0)
    scripts: float = 0.0  # kB of Plotly and of Streamlit's own


def visit_ours(browser: Browser, run: Run, picture: Path) -> Visit:
    """Open the run's map from the page Home, and do on it all that is measured."""
    with serving() as served, visitor(browser, f"{served.address}/?run={run.id}") as page:
        time.sleep(SPARE_SECONDS)  # a start makes the next training's process ready
        before = _memory(served)
        first, scripts = open_map(page, OPEN, ".st-key-menu a[href$=map]")
        lasso, box = (
            _draw(page, tool, f".st-key-map-tool button:has-text('{tool}')", ".st-key-map .nsewdrag") for tool in SHAPES
        )
        dotted = page.evaluate("bench.view().dots.count > 0")
        cards = page.evaluate("bench.hover", CARDS) if dotted else []
        dragged = page.evaluate("bench.drag", DRAG_SECONDS)
        placed = _place(page, picture)
        star = page.evaluate("(({ x, y }) => [x, y])(bench.view().stars[0])")
        after = _memory(served)
    return Visit(
        first, lasso, box, before, after, cards, dragged["frames"], dragged["pictures"], placed, tuple(star), scripts
    )


def visit_native(browser: Browser, run: Run, picture: Path) -> Visit:
    """Open the same points by Streamlit's own chart, and draw on them."""
    with (
        serving("bench/native_map.py", str(kept_points(run))) as served,
        visitor(browser, served.address) as page,
    ):
        before = _memory(served)
        first, scripts = open_map(page, OPEN_NATIVE, ".st-key-ask input")
        lost = Step(None)
        lasso = _draw(page, "Lasso", NATIVE_TOOL.format("Lasso"), ".nsewdrag") if first.seconds else lost
        box = _draw(page, "Box", NATIVE_TOOL.format("Box"), ".nsewdrag") if lasso.seconds else lost
        return Visit(first, lasso, box, before, _memory(served), scripts=scripts)


def most_charts(browser: Browser, run: Run) -> dict[str, int]:
    """How many WebGL charts each page of the menu holds."""
    found = {}
    with serving() as served:
        for name in MENU:
            with visitor(browser, f"{served.address}/{name if name != 'home' else ''}?run={run.id}") as page:
                if page.locator(".st-key-map").count():  # there before its script is, and before it draws
                    page.locator(".aeviz-map[data-drawn]").first.wait_for()
                found[name] = page.evaluate("bench.charts()")
    return found


@contextlib.contextmanager
def visitor(browser: Browser, address: str) -> Iterator[Page]:
    """A page in a browser session of its own, once it is still."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(WAIT)
    page = context.new_page()
    page.add_init_script(path=IN_PAGE)
    page.goto(address)
    page.locator("[data-testid=stMain] [data-testid=stVerticalBlock]").first.wait_for()
    _settle(page)
    yield page
    context.close()


def _settle(page: Page) -> None:
    """Wait until the script has run to its end and nothing comes any more: a script that works is still for long, too."""
    before = None
    while before != (before := page.evaluate("JSON.stringify(bench.traffic())")):
        page.locator("[data-test-script-state=notRunning]").wait_for()
        page.wait_for_timeout(1000 * STILL_SECONDS)


def open_map(page: Page, script: str, link: str) -> tuple[Step, float]:
    """The map, from the click on its link; bytes until the page is still, those of scripts apart."""
    page.locator(link).first.wait_for(state="attached")
    begun = page.evaluate("bench.traffic()")
    milliseconds = page.evaluate(script, link)
    return _step(page, milliseconds, begun), (page.evaluate("bench.traffic()")["scripts"] - begun["scripts"]) / 1000


def _draw(page: Page, tool: str, take: str, area: str) -> Step:
    """From the end of an outline to the page that says how many dots it holds."""
    box = page.locator(area).first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 9, box["y"] + 9)  # the rival shows its tools to a pointer on the map only
    page.locator(take).first.click()
    _settle(page)
    corners = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in SHAPES[tool]]
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=5)
    return _timed(page, "pointerup", "bench.selected()", page.mouse.up)


def _place(page: Page, picture: Path) -> float | None:
    """Seconds from the choice of a file to its picture on the map."""
    page.get_by_role("button", name="Your images", exact=True).click()
    files = page.locator("[data-testid=stPopoverBody] input[type=file]")
    return _timed(page, "change", "bench.starred", lambda: files.set_input_files(picture)).seconds


def _timed(page: Page, kind: str, shown: str, work: Callable[[], None]) -> Step:
    begun = page.evaluate("bench.traffic()")
    page.evaluate(f"(kind) => bench.after(kind, {shown})", kind)
    work()
    return _step(page, page.evaluate("window.awaited"), begun)


def _step(page: Page, milliseconds: float | None, begun: dict[str, Any]) -> Step:
    if milliseconds is None:
        return Step(None)
    _settle(page)
    ended = page.evaluate("bench.traffic()")
    return Step(milliseconds / 1000, *((ended[way] - begun[way]) / 1000 for way in ("sent", "received")))


def _memory(served: Served) -> float:
    return psutil.Process(served.pid).memory_info().rss / 1e6
