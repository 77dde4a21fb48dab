"""In real Chromium: the map under the hand: pictures at the pointer, decoding, lasso, links, placing, a running t-SNE."""

import base64
import io
import json
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from aeviz import data, results
from aeviz.latent.projections.polygon import within
from aeviz.results import MapRequest
from tests.browser.test_first_road import settled

pytestmark = pytest.mark.browser

VIEW = "document.querySelector('.st-key-map .aeviz-map')?.parentElement.aeviz"
# A row's place on the screen, in 2-D.
PLACE = f"""(id) => {{ const view = {VIEW}, place = view.dots.placeOf(id), space = view.space(), box = view.plot.getBoundingClientRect()
  return [box.left + space.toX(view.dots.x[place]), box.top + space.toY(view.dots.y[place])] }}"""
CARD = "document.querySelector('.aeviz-map .hover .words').innerText"
PIXELS = """() => { const canvas = document.querySelector('.aeviz-map .hover canvas')
  const small = Object.assign(document.createElement('canvas'), { width: 8, height: 8 }), pen = small.getContext('2d')
  pen.imageSmoothingEnabled = false; pen.drawImage(canvas, 0, 0, 8, 8)
  return Array.from(pen.getImageData(0, 0, 8, 8).data).filter((_, at) => at % 4 === 0) }"""


RECIPE = {
    "model": {"latent_dim": 4, "body": {"name": "dense", "widths": [32]}},
    "training": {"epochs": 8, "device": "cpu"},
}


def drawn(page: Page) -> None:
    """Wait for the map, and for the page to be still."""
    page.wait_for_selector(".st-key-map .aeviz-map[data-drawn]")
    settled(page)


def redrawn(page: Page, work) -> None:
    """Do something that changes the figure, and wait for the new one."""
    before = page.locator(".st-key-map .aeviz-map").get_attribute("data-drawn")
    work()
    page.wait_for_function(f"document.querySelector('.st-key-map .aeviz-map')?.dataset.drawn !== '{before}'")
    drawn(page)


def choose(page: Page, key: str, option: str) -> None:
    page.locator(f".st-key-{key} input").click()
    page.get_by_role("option", name=option, exact=True).click()


def hovered(page: Page, row: int) -> str:
    """What the card says of the dot of a row, once its picture is there."""
    page.mouse.move(5, 5)
    page.mouse.move(*page.evaluate(PLACE, row))
    page.wait_for_function(f"!document.querySelector('.aeviz-map .hover').hidden && {CARD}.includes('MSE')")
    return page.evaluate(CARD)


def apart(page: Page, rows: np.ndarray) -> list[int]:
    """Rows whose dots have no other within reach of the pointer."""
    lonely = f"""(rows) => {{ const view = {VIEW}, space = view.space(), shown = view.shown()
      const at = (place) => [space.toX(view.dots.x[place]), space.toY(view.dots.y[place])]
      return rows.filter((id) => {{ const [x, y] = at(view.dots.placeOf(id)); let near = 0
        for (let place = 0; place < view.dots.count; place++) {{ if (!shown[view.dots.trace[place]]) continue
          const [a, b] = at(place); if (Math.hypot(a - x, b - y) < 3) near++ }} return near === 1 }}) }}"""
    return page.evaluate(lonely, rows.tolist())


def test_the_right_picture_is_under_the_pointer(server, page, run):
    digits = data.load("digits")
    rows = digits.rows("test")
    page.goto(f"{server.address}/map?run={run.id}")
    drawn(page)

    def check(candidates):
        for row in apart(page, candidates)[:4]:
            said = hovered(page, row)
            assert f"#{row} " in said
            assert said.startswith(digits.classes[digits.labels[row]])
            assert page.evaluate(PIXELS) == digits.images[row][0].ravel().tolist()

    check(rows)
    page.locator(".st-key-map .legend .traces").first.click()
    page.wait_for_function(f"{VIEW}.figure.data.some((trace) => trace.visible === 'legendonly')")
    hidden = page.evaluate(f"{VIEW}.figure.data.find((trace) => trace.visible === 'legendonly').name")
    check(rows[digits.labels[rows] != digits.classes.index(hidden)][::-1])
    redrawn(page, lambda: choose(page, "map-colour", "Reconstruction error"))
    check(rows[50:])
    redrawn(page, lambda: page.locator(".st-key-map-dims").get_by_text("3", exact=True).click())
    box = page.locator(".st-key-map .aeviz-map").bounding_box()
    for step in range(60):
        page.mouse.move(box["x"] + box["width"] * (0.35 + 0.005 * step), box["y"] + box["height"] * 0.45)
        page.wait_for_timeout(30)
        if page.evaluate(f"({VIEW}.hovered ?? -1) >= 0"):
            break
    row = page.evaluate(f"{VIEW}.hovered")
    assert row in rows
    page.wait_for_function(f"{CARD}.includes('#{row} ') && {CARD}.includes('MSE')")
    assert page.evaluate(PIXELS) == digits.images[row][0].ravel().tolist()


def test_a_place_without_a_dot_is_decoded_in_the_browser_as_torch_does(server, page, run):
    page.goto(f"{server.address}/map?run={run.id}")
    drawn(page)
    page.wait_for_function(f"{VIEW}.decoding?.ready")
    assert page.evaluate(f"{VIEW}.decoding.local")
    decoded = page.evaluate(
        f"""() => {{ const {{ decoding }} = {VIEW}, found = []
        for (const [x, y] of [[0, 0], [1.5, -1], [-2, 0.3]]) {{
          const {{ z }} = decoding.inverse.at(x, y)
          found.push([Array.from(z), Array.from(decoding.decoder.decode(z))]) }}
        return found }}"""
    )
    projection = results.project(run, MapRequest(settings={"dims": 2})).projection
    expected = projection.invert(np.array([[0, 0], [1.5, -1], [-2, 0.3]], np.float32))
    np.testing.assert_allclose([z for z, _ in decoded], expected, atol=1e-4)
    images = results.decode_codes(run, np.array([z for z, _ in decoded], np.float32))
    np.testing.assert_allclose([values for _, values in decoded], images.reshape(3, -1), atol=1e-3)
    box = page.locator(".st-key-map .aeviz-map").bounding_box()
    page.mouse.move(box["x"] + 90, box["y"] + 60)
    expect(page.locator(".aeviz-map .hover")).to_contain_text("Decoded here")


def test_a_lasso_picks_what_it_encloses_and_a_link_shows_it_elsewhere(server, new_page, run):
    page = new_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{server.address}/map?run={run.id}")
    drawn(page)
    box = page.locator(".st-key-map .nsewdrag").first.bounding_box()
    corners = [
        (box["x"] + x * box["width"], box["y"] + y * box["height"])
        for x, y in [(0.2, 0.1), (0.8, 0.2), (0.6, 0.8), (0.25, 0.6)]
    ]
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in [*corners[1:], corners[0]]:  # a lasso that ends where it began is no click
        page.mouse.move(*corner, steps=5)
    page.mouse.up()
    expect(page.get_by_text("selected", exact=False).first).to_be_visible()
    outline = np.array(page.evaluate(f"{VIEW}.outline")).reshape(-1, 2)
    points = results.project(run, MapRequest(settings={"dims": 2})).points
    said = f"{len(within(points, outline))} selected"
    expect(page.get_by_text(said)).to_be_visible()
    page.locator(".st-key-map .nsewdrag").first.hover()
    page.mouse.wheel(0, -200)
    redrawn(page, lambda: choose(page, "map-colour", "Clusters (k-means)"))
    expect(page.get_by_text(said)).to_be_visible()
    ranges = f"JSON.stringify({VIEW}.node._fullLayout.xaxis.range.map((end) => Number(end.toPrecision(4))))"
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_timeout(300)
    link, seen = page.evaluate("navigator.clipboard.readText()"), page.evaluate(ranges)

    other = new_page()
    other.goto(link)
    drawn(other)
    expect(other.get_by_text(said)).to_be_visible()
    expect(other.locator(".st-key-map-colour input")).to_have_value("Clusters (k-means)")
    assert other.evaluate(ranges) == seen


def test_a_density_counts_every_dot(server, page, run):
    page.goto(f"{server.address}/map?run={run.id}")
    drawn(page)
    redrawn(page, lambda: page.locator(".st-key-map-show").get_by_text("Density", exact=True).click())
    count = len(data.load("digits").rows("test"))
    expect(page.locator(f".st-key-map .aeviz-map[data-density='{count}']")).to_be_visible()


def test_images_dropped_and_uploaded_land_where_their_own_dots_are(server, page, run):
    digits, row = data.load("digits"), int(data.load("digits").rows("test")[11])
    picture = io.BytesIO()
    Image.fromarray(np.asarray(digits.images[row])[0]).save(picture, "PNG")
    page.goto(f"{server.address}/map?run={run.id}")
    drawn(page)
    drop = """(content) => { const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0)), dropped = new DataTransfer()
      dropped.items.add(new File([bytes], "mine.png", { type: "image/png" })); dropped.items.add(new File(["nothing"], "bad.png"))
      document.querySelector(".aeviz-map").dispatchEvent(new DragEvent("drop", { dataTransfer: dropped, bubbles: true })) }"""
    page.evaluate(drop, base64.b64encode(picture.getvalue()).decode())
    page.wait_for_function(f"{VIEW}.stars.length === 1")
    star = page.evaluate(f"(({{ x, y, near }}) => ({{ x, y, near }}))({VIEW}.stars[0])")
    drawn_map = results.project(run, MapRequest(settings={"dims": 2}))
    own = drawn_map.points[drawn_map.index == row][0]
    np.testing.assert_allclose([star["x"], star["y"]], own, atol=1e-3)
    assert star["near"][0] == row
    expect(page.get_by_test_id("stAlertContentError")).to_contain_text("bad.png")
    page.wait_for_function(f"{VIEW}.overlay.stars.drawn.length === 1")
    x, y, left, top, side = page.evaluate(
        f"(({{ x, y, box }}) => [x, y, box[0], box[1], box[2]])({VIEW}.overlay.stars.drawn[0])"
    )
    assert not (left <= x <= left + side and top <= y <= top + side), "it stands beside its place"
    box = page.locator(".st-key-map .plot").bounding_box()
    page.mouse.move(box["x"] + left + side / 2, box["y"] + top + side / 2)
    expect(page.locator(".aeviz-map .hover .words")).to_have_text("mine.png")


def test_a_tsne_is_seen_while_it_works_stopped_and_gone_on_with(server, page, run):
    asked = {"method": "tsne", "split": "train", "settings": {"dims": 2, "iterations": 5000}}
    request = MapRequest.parse(asked)
    page.goto(f"{server.address}/map?run={run.id}&map={quote(json.dumps(asked))}")
    page.get_by_role("button", name="Draw t-SNE").click()
    page.wait_for_function(f"({VIEW}?.iteration ?? 0) > 20", timeout=180_000)
    page.locator(".st-key-map .aeviz-map").evaluate("node => { window.kept = node }")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Continue")).to_be_visible(timeout=180_000)
    expect(page.get_by_text("Trustworthiness")).to_be_visible(timeout=180_000)
    stopped = results.kept_map(run, request)
    assert 20 < stopped.notes["stopped_at"] < 5000
    page.get_by_role("button", name="Continue").click()
    page.wait_for_function(f"{VIEW}.iteration > {stopped.notes['stopped_at'] + 20}", timeout=180_000)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    expect(page.get_by_role("button", name="Continue")).to_be_visible(timeout=180_000)
    later = results.kept_map(run, request)
    assert later.notes["iterations"] > stopped.notes["iterations"]
    assert page.evaluate("window.kept.isConnected"), "the map was never replaced"
    page.reload()
    expect(page.get_by_role("button", name="Continue")).to_be_visible()
    assert results.kept_map(run, request).seconds == later.seconds, "what is kept is not computed again"
