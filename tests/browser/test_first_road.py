"""In real Chromium: train on digits, watch the loss, see the map, upload and rebuild."""

import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from aeviz.ui.menu import MENU

pytestmark = pytest.mark.browser

TITLES = [entry.title for entry in MENU.values()]


def digit_png() -> bytes:
    from sklearn.datasets import load_digits

    buffer = io.BytesIO()
    Image.fromarray((load_digits().images[3] * 15.9).astype(np.uint8)).resize((64, 64)).save(buffer, "PNG")
    return buffer.getvalue()


def settled(page: Page) -> None:
    """Wait until the script has begun, if it is to run at all, and has run to its end."""
    page.wait_for_timeout(100)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def test_a_cold_server_shows_its_own_menu_to_a_deep_link(own_server, page):
    page.add_init_script(
        """window.seen = new Set();
        setInterval(() => document.querySelectorAll('[data-testid=stSidebar] a').forEach(
            link => window.seen.add(link.innerText.trim().split('\\n').pop())), 5)"""
    )
    page.goto(f"{own_server.address}/map")
    expect(page.get_by_role("heading", name="Map")).to_be_visible()
    settled(page)
    seen = page.evaluate("[...window.seen]")
    assert set(TITLES) <= set(seen)
    assert not {"map", "train", "main", "home", "app"} & set(seen)


def test_train_watch_map_upload_and_rebuild(server, page):
    page.goto(f"{server.address}/train")
    page.get_by_role("spinbutton", name="Epochs", exact=True).fill("30")
    page.get_by_role("spinbutton", name="Epochs", exact=True).press("Enter")
    settled(page)
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("Done").first).to_be_visible(timeout=180_000)
    expect(page.get_by_text("30 / 30")).to_be_visible()
    expect(page.locator(".st-key-loss_chart .legend button")).to_have_text(["train total", "val total"])
    expect(page.get_by_alt_text("Validation images above, their reconstructions below")).to_be_visible()
    address = page.url

    page.get_by_role("link", name="Map").first.click()
    expect(page.locator(".st-key-map .js-plotly-plot")).to_be_visible()
    points = "document.querySelector('.st-key-map .js-plotly-plot')._fullData.reduce((n, t) => n + t._length, 0)"
    assert page.evaluate(points) == 359
    assert page.url.split("run=")[1] == address.split("run=")[1]

    page.get_by_role("link", name="Reconstruct").first.click()
    page.get_by_text("Upload", exact=True).click()
    page.locator("input[type=file]").set_input_files(
        {"name": "three.png", "mimeType": "image/png", "buffer": digit_png()}
    )
    expect(page.get_by_role("button", name="three.png", exact=True)).to_be_visible()
    expect(page.get_by_text("PSNR")).to_be_visible()
    expect(page.get_by_role("img", name="Reconstruction", exact=True)).to_be_visible()


def test_bad_uploads_are_named_and_the_good_ones_go_on(server, page):
    page.goto(server.address)
    page.get_by_role("button", name="Run the demo").click()
    expect(page.get_by_text("Done").first).to_be_visible(timeout=180_000)
    page.get_by_role("link", name="Reconstruct").first.click()
    page.get_by_text("Upload", exact=True).click()
    files = [
        {"name": "three.png", "mimeType": "image/png", "buffer": digit_png()},
        {"name": "broken![x](y).png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n"},
    ]
    page.locator("input[type=file]").set_input_files(files)
    expect(page.get_by_test_id("stAlertContentError")).to_contain_text("broken![x](y).png")
    expect(page.get_by_role("img", name="Reconstruction", exact=True)).to_be_visible()
