"""In real Chromium: a network edited layer by layer from the keyboard, and with the mouse."""

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_first_road import settled

pytestmark = pytest.mark.browser


def row(page: Page, at: int) -> Locator:
    """A row of the table: 0 is the image, then the layers, then the code."""
    return page.locator(f".st-key-network_layers .row[data-at='{at}']")


def cell(page: Page, at: int, name: str) -> Locator:
    return row(page, at).locator(f"[data-name='{name}']")


def costs(page: Page, at: int) -> list[str]:
    return [text.strip() for text in row(page, at).locator(".cost").all_inner_texts()]


def sizes(page: Page, count: int) -> list[str]:
    return [cell(page, at, "size").input_value() for at in range(1, count + 1)]


def focus_row(page: Page, at: int) -> None:
    """By the mouse, beside all fields."""
    row(page, at).locator(".number").click()
    expect(row(page, at)).to_be_focused()


@pytest.fixture
def form(server, page):
    """The page Train, with the dense network of the digits."""
    page.goto(f"{server.address}/train")
    expect(row(page, 2)).to_be_visible(timeout=180_000)  # of a server that has just started
    settled(page)
    return page


def test_layers_are_added_moved_changed_and_removed_by_one_key_each(form):
    focus_row(form, 2)
    form.keyboard.press("Enter")
    expect(row(form, 3)).to_be_focused()
    expect(cell(form, 4, "latent")).to_be_visible()
    assert sizes(form, 3) == ["512", "128", "128"]

    form.keyboard.type("40")
    expect(cell(form, 3, "size")).to_be_focused()
    expect(row(form, 3).locator(".cost.parameters")).to_have_text("5,160")
    assert cell(form, 3, "size").evaluate("node => node.selectionStart") == 2, "the caret stays where one types"

    form.keyboard.press("Enter")
    expect(row(form, 3)).to_be_focused()
    assert sizes(form, 3) == ["512", "128", "40"], "a number ends with Enter, and no layer is added"
    cell(form, 3, "size").fill("0")
    expect(row(form, 3)).to_contain_text("Size must be a whole number from 1 to 8,192.")
    cell(form, 3, "size").fill("40")
    expect(row(form, 3)).not_to_contain_text("must be")

    form.keyboard.press("ArrowUp")
    assert cell(form, 3, "size").input_value() == "44"
    form.keyboard.press("Shift+ArrowUp")
    assert cell(form, 3, "size").input_value() == "88"
    form.keyboard.press("Shift+ArrowDown")
    form.keyboard.press("ArrowDown")
    assert cell(form, 3, "size").input_value() == "40"

    form.keyboard.press("Alt+ArrowUp")
    expect(cell(form, 2, "size")).to_be_focused()
    assert sizes(form, 3) == ["512", "40", "128"]
    expect(form.get_by_role("textbox", name="Layer widths")).to_have_value("512, 40, 128")

    form.keyboard.press("Escape")
    expect(row(form, 2)).to_be_focused()
    form.keyboard.press("Delete")
    expect(row(form, 2)).to_be_focused()
    expect(form.get_by_role("textbox", name="Layer widths")).to_have_value("512, 128")
    expect(row(form, 2).locator(".cost.parameters")).to_have_text("65.7k")


def test_costs_and_drawing_follow_each_edit(form):
    expect(row(form, 1).locator(".cost.parameters")).to_have_text("33.3k")
    assert costs(form, 0)[0] == "1 × 8 × 8"
    cell(form, 1, "size").click()
    form.keyboard.press("Shift+ArrowDown")
    expect(row(form, 1).locator(".cost.parameters")).to_have_text("16.6k")
    expect(row(form, 1).locator(".cost.shape")).to_have_text("256")
    expect(form.locator(".st-key-network_hourglass")).to_contain_text("256")
    cell(form, 3, "latent").fill("5")
    expect(form.get_by_text("5 numbers")).to_be_visible()
    expect(form.get_by_role("spinbutton", name="Latent size", exact=True)).to_have_value("5")
    expect(cell(form, 3, "latent")).to_be_focused()


def test_edits_are_undone_and_done_again(form):
    focus_row(form, 1)
    form.keyboard.press("Delete")
    expect(form.get_by_role("textbox", name="Layer widths")).to_have_value("128")
    form.keyboard.type("77")
    expect(form.get_by_role("textbox", name="Layer widths")).to_have_value("77")
    form.keyboard.press("Control+z")
    expect(form.get_by_role("textbox", name="Layer widths")).to_have_value("128")
    form.keyboard.press("Control+z")
    expect(form.get_by_role("textbox", name="Layer widths")).to_have_value("512, 128")
    form.keyboard.press("Control+y")
    expect(form.get_by_role("textbox", name="Layer widths")).to_have_value("128")
    form.keyboard.press("Control+Shift+z")
    expect(form.get_by_role("textbox", name="Layer widths")).to_have_value("77")


def test_a_layer_that_does_not_fit_is_marked_where_it_breaks(form):
    cell(form, 2, "kind").select_option("conv")
    expect(row(form, 2)).to_have_class(re.compile(r"\bbroken\b"))
    expect(row(form, 2).locator(".problem")).to_contain_text("it needs an image")
    expect(form.get_by_role("button", name="Train", exact=True)).to_be_disabled()
    expect(row(form, 1).locator(".cost.parameters")).to_have_text("33.3k")
    focus_row(form, 2)
    form.keyboard.press("Alt+ArrowUp")
    expect(form.locator(".st-key-network_layers .broken")).to_have_count(0)
    expect(form.get_by_role("combobox", name="Layers")).to_have_value("Custom")
    expect(row(form, 1).locator(".cost.shape")).to_have_text("128 × 4 × 4")
    expect(form.get_by_role("button", name="Train", exact=True)).to_be_enabled()


def test_what_is_typed_wrongly_is_marked_and_not_taken(form):
    cell(form, 1, "size").fill("0")
    assert cell(form, 1, "size").get_attribute("aria-invalid") is not None
    settled(form)
    expect(form.get_by_role("textbox", name="Layer widths")).to_have_value("512, 128")
    cell(form, 2, "size").click()
    expect(cell(form, 1, "size")).to_have_value("512")


def test_a_complaint_outlives_the_answer_to_what_was_typed_before(form):
    focus_row(form, 2)
    form.keyboard.type("9999")  # the first digit goes to the server, and the fourth is one too many
    settled(form)
    expect(form.get_by_role("textbox", name="Layer widths")).to_have_value("512, 999")
    expect(row(form, 2)).to_contain_text("Size must be a whole number from 1 to 8,192.")


def test_fields_of_the_form_reach_the_table_and_can_be_undone_there(form):
    form.get_by_role("textbox", name="Layer widths").fill("300, 200, 100")
    form.get_by_role("textbox", name="Layer widths").press("Enter")
    expect(cell(form, 3, "size")).to_have_value("100")
    focus_row(form, 3)
    form.keyboard.press("Control+z")
    expect(form.get_by_role("textbox", name="Layer widths")).to_have_value("512, 128")


def test_the_table_works_on_a_phone(server, page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{server.address}/train")
    expect(row(page, 1)).to_be_visible()
    settled(page)
    inside = "node => node.scrollWidth <= node.clientWidth + 1"
    assert page.locator(".st-key-network_layers .editor").evaluate(inside)
    cell(page, 1, "size").fill("64")
    expect(row(page, 1).locator(".cost.shape")).to_contain_text("64")
    page.get_by_role("button", name="Remove the layer").click()
    expect(cell(page, 1, "size")).to_have_value("128")


def test_the_mouse_does_the_same_and_a_custom_network_is_trained(form, server):
    focus_row(form, 1)
    form.get_by_role("button", name="Add a layer below").click()
    expect(cell(form, 3, "size")).to_be_visible()
    cell(form, 1, "kind").select_option("conv")
    cell(form, 1, "size").fill("8")
    cell(form, 2, "kind").select_option("pool")
    expect(cell(form, 2, "size")).to_be_hidden()
    cell(form, 3, "activation").select_option("tanh")
    focus_row(form, 3)
    expect(form.get_by_role("button", name="Move down")).to_be_disabled()
    form.get_by_role("button", name="Undo").click()
    form.get_by_role("button", name="Redo").click()
    expect(row(form, 2).locator(".cost.shape")).to_have_text("8 × 2 × 2")
    settled(form)
    form.get_by_role("spinbutton", name="Epochs").fill("2")
    form.get_by_role("spinbutton", name="Epochs").press("Enter")
    settled(form)
    form.get_by_role("button", name="Train", exact=True).click()
    expect(form.get_by_text("2 / 2")).to_be_visible(timeout=180_000)
    (run,) = [path for path in (server.folder / "runs").iterdir() if (path / "config.json").exists()]
    body = json.loads((run / "config.json").read_text())["model"]["body"]
    assert body["name"] == "custom"
    assert [layer["kind"] for layer in body["layers"]] == ["conv", "pool", "dense"]
    assert (body["layers"][0]["size"], body["layers"][2]["activation"]) == (8, "tanh")
