"""In real Chromium, by mouse alone: import a zip, train on it, lasso, walk, download the run, delete it, load it again."""

import io
import json
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.test_first_road import settled

pytestmark = pytest.mark.browser


def zip_of_pictures() -> bytes:
    """Sixty little pictures in three folders, and one broken file."""
    rng = np.random.default_rng(0)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(60):
            colour = [(230, 60, 60), (60, 200, 60), (60, 60, 230)][number % 3]
            pixels = np.clip(np.array(colour) + rng.normal(0, 20, (24, 24, 3)), 0, 255).astype(np.uint8)
            picture = io.BytesIO()
            Image.fromarray(pixels).save(picture, "PNG")
            archive.writestr(f"{['red', 'green', 'blue'][number % 3]}/{number}.png", picture.getvalue())
        archive.writestr("red/broken.png", b"\x89PNG nothing")
    return buffer.getvalue()


def choose(page: Page, key: str, option: str) -> None:
    """Pick an option of a list."""
    page.locator(f".st-key-{key} input").click()
    page.get_by_role("option", name=option).click()
    settled(page)


def lasso(page: Page, chart: str) -> None:
    """Draw around the whole map."""
    box = page.locator(f".st-key-{chart} .nsewdrag").first.bounding_box()
    corners = [(0.02, 0.02), (0.98, 0.02), (0.98, 0.98), (0.02, 0.98), (0.02, 0.04)]
    path = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*path[0])
    page.mouse.down()
    for place in path[1:]:
        page.mouse.move(*place, steps=8)
    page.mouse.up()


def bring_pictures(page: Page) -> None:
    """Import the zip as a set, and look at it."""
    page.get_by_role("link", name="Data", exact=True).first.click()
    page.get_by_role("button", name="Import images").click()
    page.get_by_role("dialog").locator("input[type=file]").set_input_files(
        {"name": "blobs.zip", "mimeType": "application/zip", "buffer": zip_of_pictures()}
    )
    expect(page.get_by_role("textbox", name="Name")).to_have_value("blobs")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("Added 60 images as blobs")).to_be_visible()
    expect(page.get_by_text("1 files were skipped")).to_be_visible()
    page.get_by_role("button", name="View images").click()
    expect(page.get_by_role("combobox", name="Images")).to_have_value("blobs")
    shown = page.get_by_alt_text("A page of images")
    expect(shown).to_have_count(1)  # a moment later: the page of the set before still stands beside it
    expect(shown).to_be_visible()


def train_on_them(page: Page) -> None:
    page.get_by_role("link", name="Train", exact=True).first.click()
    expect(page.get_by_role("combobox", name="Images")).to_have_value("blobs")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("20 / 20")).to_be_visible(timeout=180_000)


def pick_all(page: Page) -> None:
    """Draw around the test images on the map, and take their table."""
    page.get_by_role("link", name="Map", exact=True).first.click()
    expect(page.locator(".st-key-map .js-plotly-plot")).to_be_visible()
    settled(page)
    lasso(page, "map")
    expect(page.get_by_text("12 selected")).to_be_visible()
    expect(page.get_by_alt_text("Selected images, their reconstructions below")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Table").click()
    lines = saved.value.path().read_text().splitlines()
    assert len(lines) == 13
    assert lines[0].startswith("index,label,file,z1")


def look_closer(page: Page) -> None:
    """Zoom and selection stay where the colour changes."""
    ranges = "JSON.stringify(document.querySelector('.st-key-map .js-plotly-plot')._fullLayout.xaxis.range)"
    before = page.evaluate(ranges)
    page.locator(".st-key-map .nsewdrag").first.hover()
    page.mouse.wheel(0, -300)
    page.wait_for_timeout(800)
    zoomed = page.evaluate(ranges)
    assert zoomed != before
    choose(page, "map-colour", "Reconstruction error")
    expect(page.get_by_text("12 selected")).to_be_visible()
    page.wait_for_function(f"{ranges} === {zoomed!r}")
    page.get_by_role("button", name="Clear selection").click()
    expect(page.get_by_text("12 selected")).to_have_count(0)


def walk_straight(page: Page) -> None:
    page.get_by_role("link", name="Walk", exact=True).first.click()
    expect(page.locator(".strips[data-step]")).to_be_visible()
    page.get_by_role("checkbox", name="Spherical").click(force=True)
    expect(page.locator(".stage .screen")).to_have_count(2)


def name_it(page: Page) -> None:
    """A title and a note for the run."""
    page.get_by_role("link", name="Runs", exact=True).first.click()
    page.get_by_role("textbox", name="Title").fill("My blobs")
    page.get_by_role("textbox", name="Title").press("Enter")
    expect(page.get_by_role("heading", name="My blobs")).to_be_visible()
    page.get_by_role("textbox", name="Note").fill("three colours")
    page.get_by_role("textbox", name="Note").press("Control+Enter")
    settled(page)


def take_it_along(page: Page, archive: Path) -> None:
    """The run with its test images, as a zip."""
    page.get_by_role("button", name="Export").click()
    page.get_by_text("Include up to 2,000 test images").click()
    settled(page)
    with page.expect_download() as saved:
        page.locator(".st-key-download-zip button").click()
    saved.value.save_as(archive)
    page.keyboard.press("Escape")


def delete_it(page: Page) -> None:
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete run").click()
    expect(page.get_by_text("No runs yet.").first).to_be_visible()

    settled(page)


def load_it(page: Page, archive: Path) -> None:
    page.locator("input[type=file]").set_input_files(archive)
    expect(page.get_by_role("heading", name="My blobs")).to_be_visible()
    page.get_by_role("button", name="Open map").click()
    expect(page.locator(".st-key-map .js-plotly-plot")).to_be_visible()


def test_the_whole_road_by_mouse_alone(server, page, tmp_path):
    page.goto(server.address)
    bring_pictures(page)
    train_on_them(page)
    pick_all(page)
    look_closer(page)
    walk_straight(page)
    name_it(page)
    (run,) = [path for path in (server.folder / "runs").iterdir() if (path / "config.json").exists()]
    assert json.loads((run / "note.json").read_text()) == {"title": "My blobs", "note": "three colours"}
    archive = tmp_path / "shared.zip"
    take_it_along(page, archive)
    delete_it(page)
    load_it(page, archive)


def written(run: Path) -> int:
    """Bytes of metrics so far."""
    path = run / "metrics.jsonl"
    return path.stat().st_size if path.exists() else 0


def test_two_visitors_see_the_same_run_and_one_stops_it(server, new_page):
    first, second = new_page(), new_page()
    first.goto(f"{server.address}/train")
    first.get_by_role("spinbutton", name="Epochs").fill("100000")
    first.get_by_role("spinbutton", name="Epochs").press("Enter")
    settled(first)
    first.get_by_role("button", name="Train", exact=True).click()
    expect(first.get_by_role("button", name="Pause")).to_be_visible()
    second.goto(first.url)
    expect(second.get_by_role("button", name="Stop")).to_be_visible()
    second.get_by_role("button", name="Stop").click()
    expect(first.get_by_text("Stopped").first).to_be_visible()
    expect(first.get_by_role("button", name="Continue")).to_be_visible()


def test_a_training_survives_refresh_page_switch_and_the_death_of_the_server(own_server, new_page):
    page = new_page(complains=True)
    page.goto(f"{own_server.address}/train")
    page.get_by_role("spinbutton", name="Epochs", exact=True).fill("100000")
    page.get_by_role("spinbutton", name="Epochs", exact=True).press("Enter")
    settled(page)
    page.get_by_role("button", name="Train", exact=True).first.click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.get_by_role("link", name="Walk", exact=True).first.click()
    page.get_by_role("link", name="Train", exact=True).first.click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()

    (run,) = [path for path in (own_server.folder / "runs").iterdir() if (path / "config.json").exists()]
    own_server.kill()
    before = written(run)
    assert any(time.sleep(0.1) or written(run) > before for _ in range(200)), "it goes on without the server"
    page.goto("about:blank")
    own_server.start()
    page.goto(f"{own_server.address}/train?run={run.name}")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped").first).to_be_visible()


def test_a_folder_brings_its_labels_and_its_own_split(server, page, tmp_path):
    rng = np.random.default_rng(0)
    for number in range(24):
        folder = tmp_path / "pets" / ["train", "test"][number % 4 == 0] / ["cat", "dog"][number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (20, 30, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    page.goto(f"{server.address}/data")
    page.get_by_role("button", name="Import images").click()
    page.get_by_role("dialog").get_by_text("Folder", exact=True).click()
    field = page.get_by_role("dialog").locator("input[type=file][webkitdirectory]")
    expect(field).to_be_attached()
    settled(page)
    field.set_input_files(tmp_path / "pets")
    page.get_by_role("dialog").get_by_text("Pad").click()
    expect(page.get_by_text("padded to a square")).to_be_visible()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("Added 24 images")).to_be_visible()
    folder = server.folder / "data" / "own" / "pets"
    meta = json.loads((folder / "meta.json").read_text())
    assert meta["classes"] == ["cat", "dog"]
    assert meta["splits"]["test"] == 6
    assert not list((server.folder / "data" / ".uploads").glob("*")), "uploads are not kept twice"


def test_an_import_can_be_cancelled_and_leaves_nothing(server, page, tmp_path):
    picture = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (500, 500, 3), dtype=np.uint8)).save(picture, "PNG")
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(3000):
            archive.writestr(f"{number}.png", picture.getvalue() if number % 10 else picture.getvalue()[:-20])
    page.goto(f"{server.address}/data")
    page.get_by_role("button", name="Import images").click()
    page.get_by_role("dialog").get_by_text("Path", exact=True).click()
    settled(page)
    page.get_by_role("textbox", name="Folder or zip on this machine").fill(str(tmp_path / "many.zip"))
    page.get_by_role("textbox", name="Folder or zip on this machine").press("Enter")
    settled(page)
    page.get_by_role("button", name="Import", exact=True).click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled. Nothing was saved.")).to_be_visible()
    assert not list((server.folder / "data" / "own").glob("*"))
