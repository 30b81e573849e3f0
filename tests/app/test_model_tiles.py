"""A model is chosen from tiles of what it draws, by mouse and by keyboard; the address and locked views follow."""

import re

import pytest
from playwright.sync_api import Page, expect

from benchmarks.serving import IDLE
from tests import tiny_models
from tests.nightly import nightly

PAIR = dict(zip("ab", tiny_models.PAIR, strict=True))


def opener(page: Page, label: str):
    return page.get_by_role("button", name=re.compile(f"^{label}: "))


@pytest.mark.parametrize(("width", "scheme"), [pytest.param(1440, "light", marks=nightly), (390, "dark")])
def test_tiles_are_chosen_by_keyboard_and_mouse(browser, address: str, width: int, scheme: str):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{address}/checkpoints?model=digits-dcgan")
    said = "digits-dcgan, DCGAN, digits, seed 0"
    expect(opener(page, "Model")).to_have_accessible_name(f"Model: {said}")
    page.wait_for_selector(IDLE)
    opener(page, "Model").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Model")
    chosen = dialog.get_by_role("option", selected=True)
    expect(chosen).to_be_focused()
    expect(chosen).to_have_accessible_name(said)
    tiles = dialog.get_by_role("option")
    assert tiles.count() == len(list(tiny_models.path("x").parent.glob("*.safetensors")))
    pair = dialog.get_by_role("group", name="digits-dcgan and its twin").get_by_role("option")
    first, twin = (pair.nth(index).bounding_box() for index in (0, 1))
    assert first["y"] == twin["y"] and first["x"] + first["width"] <= twin["x"], "the twin is beside it"
    assert dialog.evaluate(
        "one => one.scrollWidth <= one.clientWidth && one.getBoundingClientRect().right <= innerWidth"
    )
    loaded = "all => all.every(one => one.complete && one.naturalWidth > 0) && all.length"
    assert dialog.locator(".tile img").evaluate_all(loaded) == tiles.count(), "each shows what it draws"

    page.keyboard.press("ArrowRight")
    expect(pair.nth(1)).to_be_focused()
    page.keyboard.press("ArrowDown")
    below = page.evaluate("document.activeElement.getBoundingClientRect()")
    box = pair.nth(1).bounding_box()
    assert below["y"] > box["y"] and abs(below["x"] - box["x"]) < 8
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener(page, "Model")).to_be_focused()
    assert "model=digits-dcgan" in page.url, "nothing was chosen"

    page.keyboard.press("Enter")
    page.keyboard.press("End")
    name = page.evaluate("document.activeElement.dataset.name")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    page.wait_for_url(f"**model={name}*")
    expect(page.get_by_text(f"{name}, ").or_(page.locator(f"img[alt*='samples of {name}']")).first).to_be_visible()
    context.close()


@nightly
def test_choosing_a_baseline_brings_its_twin_and_a_locked_view_has_no_tiles(page: Page, address: str):
    page.goto(f"{address}/embeddings?a={PAIR['a']}&b={PAIR['b']}&map=PCA&points=100&panel=a+noise")
    opener(page, "Model A").click()
    dialog = page.get_by_role("dialog", name="Model A")
    dialog.get_by_role("searchbox").fill("wgan-gp-ROBUST")
    expect(dialog.locator("[role=option]:visible")).to_have_count(2)  # with its twin
    dialog.get_by_role("option", name="digits-wgan-gp, WGAN-GP").click()
    expect(opener(page, "Model B")).to_have_accessible_name(re.compile("digits-wgan-gp-robust"))
    page.wait_for_url("**a=digits-wgan-gp&b=digits-wgan-gp-robust*")
    page.goto(f"{page.url}&lock=a")
    expect(opener(page, "Model B")).to_be_visible()
    expect(opener(page, "Model A")).to_be_hidden()
