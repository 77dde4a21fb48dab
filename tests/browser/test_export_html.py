"""In real Chromium, without a network: the page that a run is taken along as."""

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

from aeviz.export.page.html import write_html
from aeviz.results import MapRequest
from tests.exports import MARKUP, QUOTES, hostile, untrained

pytestmark = pytest.mark.browser
TSNE = MapRequest(method="tsne", limit=120, settings={"iterations": 50})
PLACES = [(0.5, 0.5), (0.2, 0.3), (0.7, 0.1), (0.35, 0.8), (0.9, 0.9)]  # shares of the map's sides
READY = (
    "(({ view }) => view.dots && (!view.flat || view.space()) && (!view.decoding || view.decoding.ready))(window.aeviz)"
)
DECODE = """(places) => {
  const { decoding } = window.aeviz.view, { x0, x1, y0, y1 } = decoding.inverse.about
  return places.map(([x, y]) => {
    let found
    decoding.at(x0 + x * (x1 - x0), y0 + y * (y1 - y0), (values) => { found = [...values] })
    const { z, condition } = decoding.inverse.at(x0 + x * (x1 - x0), y0 + y * (y1 - y0))
    return { z: [...z], condition: condition && [...condition], found }
  })
}"""
DOT = """(text) => {
  const { view } = window.aeviz, space = view.space(), box = view.root.getBoundingClientRect()
  const trace = view.dots.traces.findIndex((one) => one.name.includes(text))
  const place = view.dots.trace.findIndex((one) => one === trace)
  return { x: box.left + space.toX(view.dots.x[place]), y: box.top + space.toY(view.dots.y[place]), row: view.dots.ids[place] }
}"""


@pytest.fixture
def open_map(page, tmp_path):
    """Opens a run's page from disk with the network off; it may ask for nothing but itself."""
    asked = []
    page.context.set_offline(True)
    page.on("request", lambda request: asked.append(request.url))

    def open_run(run, request=TSNE):
        path = tmp_path / "map.html"
        write_html(run, path, lambda *_: None, request)
        page.goto(path.as_uri())
        expect(page.locator(".aeviz-map[data-drawn]")).to_be_visible()
        page.wait_for_function(READY)
        return path.as_uri()

    yield open_run
    assert asked == [(tmp_path / "map.html").as_uri()]


def test_a_dot_shows_its_image_and_what_hostile_classes_are_called(page, open_map):
    open_map(hostile())
    expect(page).to_have_title(MARKUP + " ".join(QUOTES.split()))
    dot = page.evaluate(DOT, "onerror")
    page.mouse.move(dot["x"], dot["y"])
    card = page.locator(".card.hover")
    expect(card).to_contain_text(MARKUP)
    expect(card).to_contain_text(f"#{dot['row']} · MSE")
    expect(card.locator("canvas")).to_have_count(2)
    page.mouse.click(dot["x"], dot["y"])
    pinned = page.locator(".card.pinned")
    expect(pinned).to_contain_text("Nearest in the codes")
    expect(pinned.locator(".line canvas")).to_have_count(8)
    assert page.locator("img").count() == 0
    assert page.evaluate("window.harmed") is None


@pytest.mark.parametrize("variant", ["autoencoder", "cvae"])
@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_a_place_is_decoded_as_torch_decodes_it(method, variant, page, open_map):
    run = untrained({"variant": variant, "latent_dim": 5, "body": {"name": "conv", "channels": (4, 6)}})
    open_map(run, TSNE if method == "tsne" else MapRequest(method="pca", limit=120))
    decoded = page.evaluate(DECODE, PLACES)
    condition = torch.tensor([each["condition"] for each in decoded]) if variant == "cvae" else None
    with torch.no_grad():
        wanted = run.load().decode(torch.tensor([each["z"] for each in decoded]), condition).flatten(1).numpy()
    assert condition is None or (condition[:, :-1].sum(1) > 0.999).all(), "every place has a class"
    np.testing.assert_allclose([each["found"] for each in decoded], wanted, atol=1e-3)
    assert np.ptp(wanted, axis=0).max() > 1e-3, "the places differ"


@pytest.mark.parametrize(
    ("method", "said"), [("pca", "Decoded here"), ("tsne", "Decoded here, from its neighbours' codes")]
)
def test_an_empty_place_shows_what_the_decoder_makes_of_it_and_how_it_was_found(page, open_map, method, said):
    open_map(untrained(), TSNE if method == "tsne" else MapRequest(method="pca", limit=120))
    box = page.locator(".aeviz-map .nsewdrag").bounding_box()
    page.mouse.move(box["x"] + 32, box["y"] + box["height"] / 2)
    expect(page.locator(".card.hover .words b").first).to_have_text(said)


def test_on_a_phone_a_tap_leaves_the_sheet_alone(page, open_map):
    page.set_viewport_size({"width": 390, "height": 844})
    open_map(untrained())
    said = """() => {
      const { view } = window.aeviz, space = view.space(), place = [space.toX(view.dots.x[0]), space.toY(view.dots.y[0])]
      view.point(...place, true)
      view.click(...place, false)
      const frame = () => new Promise(requestAnimationFrame)
      return frame().then(frame).then(() => view.cards.hover.hidden)
    }"""
    assert page.evaluate(said), "what the finger passed over lies under the sheet otherwise"
    expect(page.locator(".card.pinned")).to_be_visible()


def test_dots_can_be_coloured_by_error_and_shown_as_pictures(page, open_map):
    open_map(untrained())
    page.get_by_text("Error", exact=True).click()
    expect(page.locator(".aeviz-map[data-drawn='figure/Error']")).to_be_visible()
    expect(page.locator(".colorbar")).to_be_visible()
    page.get_by_text("Pictures", exact=True).click()
    page.wait_for_function("window.aeviz.view.pictures.small.size > 5")


def test_a_map_of_three_dimensions_can_be_taken_along(page, open_map):
    open_map(untrained({"latent_dim": 4}), MapRequest(method="pca", limit=60, settings={"dims": 3}))
    expect(page.get_by_text("Decoded", exact=True)).to_have_count(0)
    assert page.evaluate("window.aeviz.view.dots.count") == 60


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_as_light_as_its_reader_likes_it(scheme, page, open_map):
    page.emulate_media(color_scheme=scheme)
    open_map(untrained())
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(15, 17, 22)"}[scheme]
