"""In real Chromium: a training watched in place, turned, paused, stepped, and played back as a film."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from aeviz.runs import Run

pytestmark = pytest.mark.browser

# Watches the chart at every frame: whether it is still the same canvas, and whether it was ever drawn empty.
SPY = """() => {
  const place = document.querySelector(".st-key-loss_chart")
  const inside = [...place.querySelectorAll("*")].map((node) => node.shadowRoot).find(Boolean)
  const canvas = inside.querySelector("canvas")
  window.spied = { frames: 0, blank: 0, replaced: 0, points: [], canvas }
  const note = (changes) => changes.forEach((change) => change.removedNodes.forEach((node) => {
    if (node.contains?.(canvas) || node === canvas || node.contains?.(place)) window.spied.replaced++
  }))
  new MutationObserver(note).observe(document.body, { childList: true, subtree: true })
  new MutationObserver(note).observe(inside, { childList: true, subtree: true })
  const look = () => {
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data
    let inked = 0
    for (let i = 3; i < pixels.length; i += 40) if (pixels[i]) inked++
    window.spied.frames++
    if (!inked || !canvas.isConnected) window.spied.blank++
    const points = Number(inside.querySelector(".chart").dataset.points)
    if (points !== window.spied.points.at(-1)) window.spied.points.push(points)
    setTimeout(() => requestAnimationFrame(look), 30)
  }
  look()
}"""
SAME = """() => {
  const place = document.querySelector(".st-key-loss_chart")
  const inside = [...place.querySelectorAll("*")].map((node) => node.shadowRoot).find(Boolean)
  const { canvas, ...seen } = window.spied
  return { ...seen, same: inside.querySelector("canvas") === canvas }
}"""


def start(page: Page, address: str, epochs: int) -> None:
    page.goto(f"{address}/train")
    field = page.get_by_role("spinbutton", name="Epochs", exact=True)
    field.fill(str(epochs))
    field.press("Enter")
    page.wait_for_timeout(300)
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_role("button", name="Pause")).to_be_enabled()


def number(page: Page, name: str) -> str:
    metric = page.locator(".st-key-live_numbers").get_by_test_id("stMetric").filter(has_text=name)
    return metric.get_by_test_id("stMetricValue").inner_text()


def run_folder(server) -> Path:
    (run,) = [path for path in (server.folder / "runs").iterdir() if (path / "config.json").exists()]
    return run


def test_the_curves_grow_in_place_and_never_blink(server, page):
    start(page, server.address, 5000)
    chart = page.locator(".st-key-loss_chart .chart")
    expect(chart).not_to_have_attribute("data-points", "0")
    page.wait_for_timeout(1000)
    page.evaluate(SPY)
    page.wait_for_timeout(3000)
    page.wait_for_function("spied.frames > 10 && spied.points.length >= 4")  # it grew again and again
    seen = page.evaluate(SAME)
    page.get_by_role("button", name="Stop").click()
    assert seen["same"]
    assert seen["replaced"] == 0
    assert seen["blank"] == 0
    expect(page.get_by_text("Stopped").first).to_be_visible()


def test_a_dial_is_turned_and_acts(server, page):
    start(page, server.address, 5000)
    dial = page.get_by_role("slider", name="Learning rate")
    dial.focus()
    dial.press("ArrowRight")
    expect(page.get_by_text("Learning rate 0.0015 since step")).to_be_visible()
    expect(page.locator(".st-key-loss_chart .chart")).not_to_have_attribute("data-events", "0")
    expect(page.locator(".st-key-live_numbers").get_by_text("0.0015")).to_be_visible()
    assert json.loads((run_folder(server) / "config.json").read_text())["training"]["learning_rate"] == 0.0015
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped").first).to_be_visible()


def test_a_dial_turned_quickly_stays_where_it_was_turned_to(server, page):
    start(page, server.address, 5000)
    dial = page.get_by_role("slider", name="Learning rate")
    dial.focus()
    for _ in range(5):
        dial.press("ArrowRight")
        page.wait_for_timeout(120)
    expect(page.get_by_text("Learning rate 0.007 since step")).to_be_visible()
    page.wait_for_timeout(2000)
    expect(dial).to_have_attribute("aria-valuetext", "0.007")
    assert json.loads((run_folder(server) / "config.json").read_text())["training"]["learning_rate"] == 0.007
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped").first).to_be_visible()


def test_pause_step_and_play(server, page):
    start(page, server.address, 5000)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused").first).to_be_visible()
    page.wait_for_timeout(600)
    at = int(number(page, "Step").replace(",", ""))
    for more in (1, 2):
        page.get_by_role("button", name="Step").click()
        expect(page.locator(".st-key-live_numbers").get_by_text(f"{at + more:,}", exact=True)).to_be_visible()
        expect(page.get_by_role("button", name="Step")).to_be_enabled()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("button", name="Pause")).to_be_enabled()
    expect(page.get_by_text("Paused.", exact=True)).to_have_count(0)
    page.wait_for_function(
        f"Number(document.querySelector('.st-key-live_numbers').innerText.match(/Step\\s+([\\d,]+)/)[1].replace(',', '')) > {at + 5}"
    )
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped").first).to_be_visible()


def test_the_film_of_the_map_is_scrubbed_and_played(server, page):
    start(page, server.address, 100)
    page.locator(".st-key-live-view").get_by_text("Map", exact=True).click()
    film = page.locator(".st-key-film .film")
    expect(film).to_be_visible()
    expect(page.get_by_text("Done").first).to_be_visible(timeout=180_000)
    page.wait_for_timeout(800)
    frames = int(film.get_attribute("data-frames"))
    assert frames >= 2
    last = int(film.get_attribute("data-step"))
    timeline = page.get_by_role("slider", name="Moment of the training")
    timeline.fill("0")
    expect(film).not_to_have_attribute("data-step", str(last))
    page.get_by_role("button", name="Play", exact=True).click()
    expect(film).to_have_attribute("data-step", str(last), timeout=frames * 250 + 5000)


def test_a_training_begun_from_below_is_seen_from_the_top(server, page):
    page.set_viewport_size({"width": 1440, "height": 420})
    page.goto(f"{server.address}/train")
    button = page.get_by_role("button", name="Train", exact=True)
    button.scroll_into_view_if_needed()
    place = page.get_by_test_id("stMain")
    assert place.evaluate("node => node.scrollTop") > 0
    button.click()
    expect(page.get_by_role("button", name="Restart")).to_be_in_viewport()
    assert place.evaluate("node => node.scrollTop") == 0
    expect(page.get_by_text("Done").first).to_be_visible(timeout=180_000)


def test_the_panel_fits_a_phone(server, page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{server.address}/train")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_role("button", name="Restart")).to_be_visible()
    chart = page.locator(".st-key-loss_chart canvas")
    expect(chart).to_be_visible()
    assert chart.bounding_box()["width"] <= 390
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.get_by_text("Done").first).to_be_visible(timeout=180_000)


@pytest.mark.parametrize(("asked", "named"), [("Fork", ", forked"), ("Restart", ", restarted")])
def test_the_twin_of_a_running_training_is_watched_from_then_on(server, page, asked, named):
    start(page, server.address, 100_000)
    expect(page.locator(".st-key-loss_chart .chart")).not_to_have_attribute("data-points", "0")
    parent = page.url
    page.get_by_role("button", name=asked).click()
    expect(page.locator("strong").filter(has_text=named)).to_be_visible()
    page.wait_for_timeout(3000)  # many looks, of which the first were asked for from the parent's address
    expect(page.locator("strong").filter(has_text=named)).to_be_visible()
    assert page.url != parent
    for path in (server.folder / "runs").glob("*/config.json"):
        Run(path.parent).ask("stop")
    expect(page.get_by_text("Stopped").first).to_be_visible(timeout=180_000)  # once its process is born
