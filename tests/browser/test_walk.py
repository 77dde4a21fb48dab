"""In real Chromium: roads that play, a direction that follows its slider, samples beside their nearest images."""

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from aeviz import results
from aeviz.results import SampleRequest
from tests.browser.test_first_road import settled

pytestmark = pytest.mark.browser
PIXELS = "(canvas) => Array.from(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data).join()"
MOVE = "(slider, amount) => { slider.value = amount; slider.dispatchEvent(new Event('input')) }"
DECODED = (
    "(root) => { const view = root.parentNode.aeviz; return [...view.decoder.decoder.decode(view.code(view.amount))] }"
)
READY = "(root) => Boolean(root.parentNode.aeviz.decoder.local && root.dataset.amount)"


RECIPE = {
    "model": {"variant": "vae", "latent_dim": 4, "body": {"name": "dense", "widths": [32]}},
    "training": {"epochs": 8, "device": "cpu"},
}


def open_view(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name).click()
    settled(page)


def wait_until(page: Page, element, condition: str) -> None:
    page.wait_for_function(condition, arg=element.element_handle())


def test_roads_play_and_a_direction_follows_its_slider(server, page, run):
    page.goto(f"{server.address}/walk?run={run.id}")
    stage, strips = page.locator(".stage[data-step]"), page.locator(".strips[data-step]")
    expect(stage.locator(".screen canvas")).to_have_count(3)
    expect(strips.locator(".row canvas")).to_have_count(4)  # the images, and a strip for each road
    screen = stage.locator(".screen canvas").first
    before, step = screen.evaluate(PIXELS), stage.get_attribute("data-step")
    page.get_by_role("button", name="Play").click()
    expect(strips).not_to_have_attribute("data-step", step)
    page.get_by_role("button", name="Pause").click()
    assert screen.evaluate(PIXELS) != before
    box = strips.locator(".row canvas").nth(1).bounding_box()
    page.mouse.click(box["x"] + 2, box["y"] + 20)
    expect(stage).to_have_attribute("data-step", "0")
    expect(page.get_by_text("step 1 of 16")).to_be_visible()

    open_view(page, "Directions")
    view = page.locator(".direction")
    slider, moved = view.get_by_role("slider"), view.locator(".moved canvas")
    wait_until(page, view, READY)
    before = moved.evaluate(PIXELS)
    slider.evaluate(MOVE, -0.7)
    expect(view).to_have_attribute("data-amount", "-0.7")
    assert moved.evaluate(PIXELS) != before
    vector = np.array(results.class_direction(run, "0 to 1", 0, 1).vector)
    z = results.encode_images(run, np.asarray(results.dataset_of(run).images)[_first_zero(run)])
    wanted = results.decode_codes(run, (z - 0.7 * vector).astype(np.float32))
    np.testing.assert_allclose(view.evaluate(DECODED), wanted.ravel(), atol=1e-3)


def test_an_image_is_chosen_by_its_picture_and_one_brought_takes_its_place(server, page, run):
    page.goto(f"{server.address}/walk?run={run.id}")
    screen = page.locator(".stage[data-step] .screen canvas").first
    screen.wait_for()
    before = screen.evaluate(PIXELS)
    page.get_by_role("button", name="Choose").first.click()
    offered = page.locator(".gallery button.item").last
    name = offered.get_attribute("title")
    offered.click()
    expect(page.get_by_text(f"A {name}")).to_be_visible()
    changed = f"([stage, before]) => ({PIXELS})(stage.querySelector('.screen canvas')) !== before"
    page.wait_for_function(changed, arg=[page.locator(".stage[data-step]").element_handle(), before])
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Your images", exact=True).click()
    picture = (run.path / "preview.webp").read_bytes()
    page.locator("input[type=file]").set_input_files(
        [{"name": "mine.webp", "mimeType": "image/webp", "buffer": picture}]
    )
    expect(page.get_by_text("A mine.webp")).to_be_visible()


def _first_zero(run) -> np.ndarray:
    dataset = results.dataset_of(run)
    rows = dataset.rows("test")
    return rows[dataset.labels[rows] == 0][:1]


def test_a_sample_shows_the_training_image_nearest_to_it(server, page, run):
    page.goto(f"{server.address}/generate?run={run.id}")
    mosaic = page.locator(".mosaic[data-count='64']")
    mosaic.locator("canvas").first.hover(position={"x": 10, "y": 10})
    expect(mosaic).to_have_attribute("data-chosen", "0")
    expect(mosaic.get_by_text("Nearest training image")).to_be_visible()
    found = results.samples(run, SampleRequest())
    expect(mosaic.get_by_text(f"#{found.nearest[0]} · ")).to_be_visible()
    page.get_by_text("Nearest first").click()
    settled(page)
    mosaic.locator("canvas").first.hover(position={"x": 12, "y": 12})
    expect(mosaic).to_have_attribute("data-chosen", str(found.distance.argmin()))
    open_view(page, "Manifold")
    expect(page.locator(".mosaic[data-count='400']")).to_be_visible()
