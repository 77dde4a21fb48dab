"""First loss: from the click on Train to the first point of the loss on screen, in a real browser."""

import os
import statistics
import tempfile
import time

from playwright.sync_api import Browser, sync_playwright

from bench.measure import Say, temporary_runs
from bench.serving import serving
from bench.table import Table
from tests.browser.find import find_browser

CLICKS = 7
AIM = 0.30
SPARE_SECONDS = 10.0  # after a start the next process is made ready
WAIT = 60_000  # milliseconds
# In the page, so that no messages to and from the browser are counted: the click, and the frame that shows a point.
MEASURE = """() => new Promise((done) => {
  const shown = () => {
    const place = document.querySelector(".st-key-loss_chart")
    const inside = place && [...place.querySelectorAll("*")].map((node) => node.shadowRoot).find(Boolean)
    return Number(inside?.querySelector(".chart")?.dataset.points ?? 0) > 0
  }
  const button = document.querySelector(".st-key-train button")
  const clicked = performance.now()
  const look = () => shown() ? requestAnimationFrame(() => done(performance.now() - clicked)) : requestAnimationFrame(look)
  button.click()
  look()
})"""


def measure(clicks: int, say: Say) -> list[float]:
    """Seconds of each click: digits, the settings that the form begins with, on the CPU or what there is, warm."""
    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as data, temporary_runs(), sync_playwright() as playwright:
        os.environ["AEVIZ_DATA"] = data
        with serving() as served:
            page = f"{served.address}/train"
            browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox", "--disable-gpu"])
            for click in range(clicks + 1):
                say(f"first loss: click {click} of {clicks}" if click else "first loss: warming up")
                seconds.append(_click(browser, page))
    return seconds[1:]


def _click(browser: Browser, address: str) -> float:
    """One visitor's click, in a browser session of its own; the training is over before the next one comes."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(address)
    # After the first training the page opens on the form again, since that training is done.
    page.locator(".st-key-train button").wait_for(timeout=WAIT)
    page.wait_for_load_state("networkidle")
    time.sleep(SPARE_SECONDS)
    seconds = float(page.evaluate(MEASURE)) / 1000
    page.locator(".st-key-longer button").first.wait_for(timeout=WAIT)
    context.close()
    return seconds


def table(seconds: list[float]) -> Table:
    """One row: the median with its range."""
    title = f"First loss: digits, from the click on Train to the first point on screen; aims at {AIM:.2f} s"
    row = (f"{statistics.median(seconds):.2f}", f"{min(seconds):.2f} to {max(seconds):.2f}", str(len(seconds)))
    return Table(title, ("median, s", "range, s", "clicks"), [row])
