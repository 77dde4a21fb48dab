"""In real Chromium: the map by touch, from close by, and what is drawn over its dots."""

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from aeviz import data, results
from aeviz.latent.projections.polygon import within
from aeviz.results import MapRequest
from tests.browser import test_map
from tests.browser.test_first_road import settled
from tests.browser.test_map import PLACE, VIEW, drawn, redrawn

pytestmark = pytest.mark.browser
RECIPE = test_map.RECIPE

RANGE = f"JSON.stringify({VIEW}.node._fullLayout.xaxis.range)"
SAID = ".st-key-map .hover .words"
# Boxes of all names as they are written on the map, [left, right, top, bottom] each.
WRITTEN = f"""async (names) => {{ const view = {VIEW}, written = [], pen = CanvasRenderingContext2D.prototype, fill = pen.fillText
  pen.fillText = function (text, x, y) {{ const half = this.measureText(text).width / 2
    written.push([text, x - half, x + half, y - 7, y + 7]); fill.call(this, text, x, y) }}
  view.show({{ ...view.data, names }}, view.tell)
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
  pen.fillText = fill
  return written }}"""


@pytest.fixture
def open_map(server, run):
    """Shows the run's map to a visitor."""

    def opened(page: Page) -> Page:
        page.goto(f"{server.address}/map?run={run.id}")
        drawn(page)
        return page

    return opened


class Finger:
    """One finger on the map of a page, by shares of its sides."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.browser = page.context.new_cdp_session(page)
        page.locator(".st-key-map .nsewdrag").first.scroll_into_view_if_needed()
        self.box = page.locator(".st-key-map .nsewdrag").first.bounding_box()

    def down(self, x: float, y: float) -> None:
        self._send("touchStart", x, y)

    def to(self, x: float, y: float) -> None:
        self._send("touchMove", x, y)

    def up(self) -> None:
        self.browser.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def _send(self, kind: str, x: float, y: float) -> None:
        box = self.box
        points = [{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}]
        self.browser.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_a_finger_draws_a_lasso_and_decodes_where_it_taps(new_page, open_map, run):
    page = open_map(new_page(telephone=True))
    page.wait_for_function(f"{VIEW}.decoding?.ready")
    finger = Finger(page)
    finger.down(0.1, 0.2)
    for step in range(1, 13):
        finger.to(0.1 + 0.06 * step, 0.2 + 0.02 * step)
    for step in range(1, 13):
        finger.to(0.82 - 0.05 * step, 0.44 + 0.04 * step)
    finger.up()
    expect(page.get_by_text("selected", exact=False).first).to_be_visible()
    outline = np.array(page.evaluate(f"{VIEW}.outline")).reshape(-1, 2)
    count = len(within(results.project(run, MapRequest(settings={"dims": 2})).points, outline))
    assert count > 10
    expect(page.get_by_text(f"{count} selected")).to_be_visible()
    finger.down(0.02, 0.02)
    finger.up()
    expect(page.locator(SAID)).to_contain_text("Decoded here")
    settled(page)
    expect(page.locator(SAID)).to_be_visible()


def test_a_finger_that_is_held_points_and_one_that_moves_moves_the_map(new_page, open_map):
    page = open_map(new_page(telephone=True))
    page.wait_for_function(f"{VIEW}.decoding?.ready")
    page.locator(".st-key-map-tool").get_by_text("Move", exact=True).click()
    settled(page)
    finger, before = Finger(page), page.evaluate(RANGE)
    finger.down(0.02, 0.02)
    expect(page.locator(SAID)).to_contain_text("Decoded here")
    place = page.locator(".st-key-map .hover").bounding_box()
    for step in range(6):
        finger.to(0.02 + 0.05 * step, 0.02)
    page.wait_for_function(
        f"document.querySelector('.st-key-map .hover').getBoundingClientRect().x > {place['x'] + 20}"
    )
    finger.up()
    assert page.evaluate(RANGE) == before, "a finger that points moves nothing"
    finger.down(0.5, 0.5)
    for step in range(6):
        finger.to(0.5 + 0.05 * step, 0.5)
    finger.up()
    page.wait_for_function(f"{RANGE} !== {before!r}")


def test_pictures_favour_no_class(page, open_map):
    open_map(page)
    labels = data.load("digits").labels[page.evaluate(f"{VIEW}.dots.ids")]
    order = page.evaluate(f"Array.from({VIEW}.dots.shuffled)")
    assert sorted(order) == list(range(len(labels)))
    ranks = np.argsort(order) / len(labels)
    assert all(0.35 < ranks[labels == label].mean() < 0.65 for label in range(10))
    page.locator(".st-key-map-show").get_by_text("Pictures", exact=True).click()
    page.wait_for_function(f"{VIEW}.overlay.thumbs.drawn.length > 20")
    assert float(page.locator(".st-key-map .gl-container").evaluate("(node) => getComputedStyle(node).opacity")) < 0.5


def test_few_dots_in_sight_are_pictures_and_answer_as_such(page, open_map):
    open_map(page)
    row = int(data.load("digits").rows("test")[20])
    look = f"""([id, reach]) => {{ const view = {VIEW}, place = view.dots.placeOf(id)
      const range = (axis) => [view.dots[axis][place] - reach, view.dots[axis][place] + reach]
      return window.Plotly.relayout(view.node, {{ "xaxis.range": range("x"), "yaxis.range": range("y") }}).then(() => true) }}"""
    expect(page.locator(".st-key-map .aeviz-map")).to_have_attribute("data-thumbs", "")
    breadth = page.evaluate(f"(([low, high]) => high - low)({VIEW}.node._fullLayout.xaxis.range)")
    page.evaluate(look, [row, breadth * 0.02])
    expect(page.locator(".st-key-map .aeviz-map")).to_have_attribute("data-thumbs", "close")
    page.wait_for_function(f"{VIEW}.overlay.thumbs.drawn.length > 0")
    seen, left, top = page.evaluate(
        f"""() => {{ const view = {VIEW}, {{ place, box }} = view.overlay.thumbs.drawn[0], at = view.plot.getBoundingClientRect()
        return [view.dots.ids[place], at.left + box[0], at.top + box[1]] }}"""
    )
    page.mouse.move(left + 20, top + 20)
    expect(page.locator(SAID)).to_contain_text(f"#{seen} ")
    page.get_by_role("button", name="Whole map").click()
    expect(page.locator(".st-key-map .aeviz-map")).to_have_attribute("data-thumbs", "")


def test_what_is_searched_for_is_marked_in_a_density_and_in_space(page, open_map, run):
    open_map(page)
    row = int(data.load("digits").rows("test")[33])
    redrawn(page, lambda: page.locator(".st-key-map-show").get_by_text("Density", exact=True).click())
    legend = page.locator(".st-key-map .legendtoggle").first
    assert legend.evaluate("(node) => getComputedStyle(node).pointerEvents") == "none", (
        "it explains, it does not switch"
    )
    before = page.evaluate(RANGE)
    page.locator(".st-key-map-find input").fill(f"#{row}")
    page.keyboard.press("Enter")
    page.wait_for_function(f"{RANGE} !== {before!r}")
    shown = results.project(run, MapRequest(settings={"dims": 2}))
    (own,) = shown.points[shown.index == row]
    found = page.evaluate(f"{VIEW}.found()")
    np.testing.assert_allclose([found["x"][0], found["y"][0]], own, atol=1e-4)
    low, high = page.evaluate(f"{VIEW}.node._fullLayout.xaxis.range")
    assert low < own[0] < high
    redrawn(page, lambda: page.locator(".st-key-map-dims").get_by_text("3", exact=True).click())
    expect(page.locator(".st-key-map .annotation-text-g")).to_have_text(f"#{row}")
    expect(page.get_by_text("Draw around dots")).to_have_count(0)


def test_names_are_short_and_whole_and_do_not_cover_each_other(page, open_map):
    open_map(page)
    x0, x1 = page.evaluate(f"{VIEW}.node._fullLayout.xaxis.range")
    y0, y1 = page.evaluate(f"{VIEW}.node._fullLayout.yaxis.range")
    draw = np.random.default_rng(0)
    names = [
        {
            "text": f"class {number} " + "o" * 120 * (number % 4 == 0),
            "trace": str(number),
            "size": number,
            "x": x,
            "y": y,
        }
        for number, (x, y) in enumerate(draw.uniform([x0, y0], [x1, y1], (80, 2)).tolist())
    ]
    written = page.evaluate(WRITTEN, names)
    assert 10 < len(written) < 80
    assert max(len(text) for text, *_ in written) == 24
    assert "class 79 " in [text for text, *_ in written], "the largest is there"
    boxes = [box for _, *box in written]
    edge, width = page.evaluate(f"(({{ left, width }}) => [left, width])({VIEW}.space())")
    assert all(edge <= left and right <= edge + width for left, right, _, _ in boxes)
    for number, (left, right, top, bottom) in enumerate(boxes):
        for other in boxes[:number]:
            assert right <= other[0] or other[1] <= left or bottom <= other[2] or other[3] <= top


def test_a_card_that_fills_in_the_corner_is_whole(page, open_map):
    open_map(page)
    row = int(data.load("digits").rows("test")[20])
    corner = f"""(id) => {{ const view = {VIEW}, place = view.dots.placeOf(id), x = view.dots.x[place], y = view.dots.y[place]
      return window.Plotly.relayout(view.node, {{ "xaxis.range": [x - 9, x + 0.1], "yaxis.range": [y - 0.1, y + 9] }}).then(() => true) }}"""
    page.evaluate(corner, row)
    page.mouse.move(*page.evaluate(PLACE, row))
    expect(page.locator(SAID)).to_contain_text(f"#{row} · MSE")
    card, whole = (page.locator(f".st-key-map {part}").bounding_box() for part in (".hover", ".aeviz-map"))
    assert card["x"] + card["width"] <= whole["x"] + whole["width"]
    assert card["y"] + card["height"] <= whole["y"] + whole["height"]
