"""In real Chromium: a web page is made while one watches, cancelled, made again, fetched and opened."""

import pytest
from playwright.sync_api import expect

from aeviz import export, results
from aeviz.export import EXPORTS
from tests.browser.conftest import own_paths
from tests.exports import untrained

pytestmark = pytest.mark.browser


def test_a_page_is_made_cancelled_made_again_fetched_and_opened(server, new_page, tmp_path):
    with own_paths(server.folder):
        run = untrained(set="shapes", params={"count": 6000})
    page = new_page()
    make, cancel, download = (page.locator(f".st-key-{what}-html button") for what in ("make", "cancel", "download"))
    page.goto(f"{server.address}/runs")
    page.get_by_role("button", name="Export").click()
    make.click()
    expect(page.get_by_text("Computing t-SNE")).to_be_visible()
    cancel.click()
    expect(page.get_by_text("Cancelled. Nothing was saved.")).to_be_visible()
    with own_paths(server.folder):
        assert not list(run.results.glob("*html*"))
        assert results.kept_map(run, EXPORTS["html"].shows(run)) is None
    make.click()
    expect(cancel).to_be_visible()
    page.reload()
    page.get_by_role("button", name="Export").click()
    expect(download).to_be_visible(timeout=180_000)
    with page.expect_download() as saved:
        download.click()
    assert saved.value.suggested_filename == f"{run.id}-tsne.html"
    saved.value.save_as(tmp_path / "map.html")
    with own_paths(server.folder):
        made = export.stored_export(run, EXPORTS["html"])
    assert (tmp_path / "map.html").read_bytes() == made.read_bytes()

    elsewhere = new_page()
    elsewhere.context.set_offline(True)
    elsewhere.goto((tmp_path / "map.html").as_uri())
    expect(elsewhere.locator(".aeviz-map[data-drawn]")).to_be_visible()
    assert elsewhere.evaluate("window.aeviz.view.dots.count") == 1200
