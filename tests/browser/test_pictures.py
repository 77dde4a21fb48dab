"""In real Chromium: images drawn, pasted and uploaded, and the code of one dragged."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import expect

from aeviz import results

pytestmark = pytest.mark.browser
STATE = """(root) => {
  const { bars, pictures, data } = root.parentNode.aeviz
  return { code: [...bars.code], values: [...pictures.values], x_hat: [...data.x_hat], x: [...data.x], wiped: pictures.wiped, zoom: pictures.view.zoom }
}"""
# The mean grey of the left and of the right part of a panel.
SIDES = """(canvas) => {
  const { data, width, height } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
  const sums = [0, 0]
  for (let at = 0; at < width * height; at++) sums[Number(at % width >= width / 2)] += data[4 * at] / (width * height / 2)
  return sums
}"""
PASTE = """(files) => {
  const clipboardData = new DataTransfer()
  for (const [name, type, content] of files)
    clipboardData.items.add(new File([Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0))], name, { type }))
  document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }))
}"""


RECIPE = {
    "model": {"latent_dim": 4, "body": {"name": "dense", "widths": [32]}},
    "training": {"epochs": 15, "learning_rate": 0.01, "device": "cpu"},
}


@pytest.fixture
def reconstruct(server, page):
    """The page Reconstruct, once it shows the first image of the set."""
    page.goto(f"{server.address}/reconstruct")
    page.locator(".rebuilt[data-drawn]").wait_for()
    return page


def paper():
    """A dark stroke on white paper, as PNG."""
    picture, content = Image.new("L", (60, 60), 250), io.BytesIO()
    ImageDraw.Draw(picture).line([(30, 5), (30, 55)], fill=15, width=9)
    picture.save(content, "PNG")
    return content.getvalue()


def draw(page, *places):
    """Drag the mouse over the sheet from place to place, shares of its sides."""
    box = page.locator(".sketch canvas").bounding_box()
    for number, (x, y) in enumerate(places):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
        if number == 0:
            page.mouse.down()
    page.mouse.up()


def test_a_drawing_is_rebuilt_and_can_be_undone_and_cleared(reconstruct):
    page, strip = reconstruct, reconstruct.locator(".gallery button.item")
    page.get_by_text("Draw", exact=True).click()
    page.locator(".sketch canvas").wait_for()
    expect(page.get_by_text("Upload, draw, photograph or paste an image")).to_be_visible()
    draw(page, (0.3, 0.2), (0.7, 0.2), (0.4, 0.9))
    expect(strip).to_have_count(1)
    x = page.locator(".rebuilt").evaluate(STATE)["x"]
    assert max(x) > 0.5 > np.mean(x), "white on black, as the digits are"
    name = page.locator(".rebuilt").get_attribute("data-drawn")
    draw(page, (0.1, 0.9), (0.9, 0.9))
    expect(page.locator(".rebuilt")).not_to_have_attribute("data-drawn", name)
    page.keyboard.press("Control+z")
    expect(page.locator(".rebuilt")).to_have_attribute("data-drawn", name)
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("Upload, draw, photograph or paste an image")).to_be_visible()
    page.keyboard.press("Control+z")
    page.get_by_role("button", name="Undo").click()
    expect(strip).to_have_count(1)


def test_pasted_and_uploaded_pictures_come_in_and_broken_ones_are_named(reconstruct):
    page = reconstruct
    content = base64.b64encode(paper()).decode()
    page.evaluate(PASTE, [["image.png", "image/png", content], ["image.png", "image/png", btoa(b"nothing")]])
    expect(page.get_by_role("button", name="Pasted.png", exact=True)).to_be_visible()
    expect(page.get_by_text("cannot be read: it is not a picture")).to_be_visible()
    expect(page.get_by_text("colours inverted")).to_be_visible()
    page.locator("input[type=file]").set_input_files(
        [
            {"name": "good.png", "mimeType": "image/png", "buffer": paper()},
            {"name": "cut.png", "mimeType": "image/png", "buffer": paper()[:60]},
        ]
    )
    expect(page.get_by_role("button", name="good.png", exact=True)).to_be_visible()
    expect(page.get_by_text("cut.png cannot be read: it is damaged or truncated")).to_be_visible()
    page.get_by_role("button", name="Remove good.png").click()
    expect(page.locator(".gallery button.item")).to_have_count(1)


def btoa(content):
    return base64.b64encode(content).decode()


def test_the_reconstruction_follows_the_code_and_can_be_wiped(run, reconstruct):
    page, shown = reconstruct, reconstruct.locator(".rebuilt")
    before = shown.evaluate(STATE)
    bar = page.locator(".slot").nth(2)
    box = bar.bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 5, box["y"] + 4, steps=5)
    page.mouse.up()
    expect(page.get_by_text("With this code: MSE")).to_be_visible()
    after = shown.evaluate(STATE)
    assert np.abs(np.subtract(after["values"], before["values"])).max() > 0.02
    torchs = results.decode_codes(run, np.array([after["code"]], np.float32)).ravel()
    assert np.abs(torchs - after["values"]).max() < 1e-3
    bar.dblclick()
    expect(page.get_by_text("Drag a bar")).to_be_visible()
    assert shown.evaluate(STATE)["values"] == before["values"]

    panel, original = page.locator(".reconstruction canvas"), page.locator(".original canvas")
    whole = panel.evaluate(SIDES)
    box = panel.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 90)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 90, steps=3)
    page.mouse.up()
    page.mouse.move(5, 5)
    wiped, first = panel.evaluate(SIDES), original.evaluate(SIDES)
    assert wiped == pytest.approx([first[0], whole[1]], abs=2)
    page.get_by_role("button", name="Zoom in").click()
    assert shown.evaluate(STATE)["zoom"] == pytest.approx(1.6)


def test_an_image_that_was_brought_follows_its_code(reconstruct):
    page, shown = reconstruct, reconstruct.locator(".rebuilt")
    page.get_by_text("Upload", exact=True).click()
    page.locator("input[type=file]").set_input_files([{"name": "mine.png", "mimeType": "image/png", "buffer": paper()}])
    expect(page.get_by_role("button", name="mine.png", exact=True)).to_be_visible()
    before = shown.evaluate(STATE)
    page.locator(".slot").first.press("PageUp")
    expect(page.get_by_text("With this code: MSE")).to_be_visible()
    assert shown.evaluate(STATE)["values"] != before["values"]


def taken(page, name):
    """What a button of what is open saves, and under which name."""
    with page.expect_download() as download:
        page.get_by_role("button", name=name, exact=True).click()
    return Path(download.value.path()).read_bytes(), download.value.suggested_filename


def test_an_image_and_the_errors_of_the_set_are_taken_along(run, reconstruct):
    page, take = reconstruct, reconstruct.get_by_role("button", name="Export")
    take.click()
    content, _ = taken(page, "Picture · PNG")
    assert Image.open(io.BytesIO(content)).width > 1000, "large enough for a talk"
    content, _ = taken(page, "Arrays · NPZ")
    x = np.load(io.BytesIO(content), allow_pickle=False)["x"]
    assert x.ravel().tolist() == pytest.approx(page.locator(".rebuilt").evaluate(STATE)["x"])
    page.keyboard.press("Escape")
    page.get_by_text("Whole test set", exact=True).click()
    expect(page.get_by_text("test images, each beside its reconstruction")).to_be_visible()
    take.click()
    content, name = taken(page, "Plot · SVG")
    assert name == "errors-plot.svg"
    assert b"mean squared error of an image" in content
    content, _ = taken(page, "Table · CSV")
    head, *lines = content.decode().splitlines()
    assert head == "index,label,error"
    assert len(lines) == len(results.dataset_of(run).rows("test"))


def test_a_brush_is_as_thick_as_the_network_can_see(reconstruct):
    page = reconstruct
    page.get_by_text("Draw", exact=True).click()
    draw(page, (0.5, 0.1), (0.5, 0.9))
    expect(page.locator(".gallery button.item")).to_have_count(1)
    x = np.reshape(page.locator(".rebuilt").evaluate(STATE)["x"], (8, 8))
    assert x[2:6].max(axis=1).min() > 0.7, "a stroke is white, not grey"


def test_a_click_on_the_test_set_opens_an_image_closely(reconstruct):
    page = reconstruct
    page.get_by_text("Whole test set", exact=True).click()
    worst = page.locator(".gallery button.item").first
    expect(worst).to_have_attribute("title", re.compile(r"MSE"))
    name, _, error = worst.get_attribute("title").rpartition(" · MSE ")
    worst.click()
    expect(page.locator(".gallery button.item").first).to_have_attribute("title", name)
    expect(page.get_by_test_id("stMetricValue").first).to_have_text(error)
