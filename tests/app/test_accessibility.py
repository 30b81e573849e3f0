"""Every screen by axe-core: roles, names, contrast and structure."""

from itertools import cycle
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests import tiny_models
from tests.app.test_screens import OF_TWO, SCREENS
from tests.nightly import mostly_nightly

SIZES = cycle([(1440, "light"), (390, "dark"), (1000, "dark"), (390, "light")])
EACH = dict(zip(SCREENS, SIZES, strict=False))
RULES = {"resultTypes": ["violations"]}


@pytest.mark.parametrize("screen", mostly_nightly(EACH, "home", "failures"))
def test_axe_finds_nothing(browser, address: str, screen: str):
    from axe_playwright_python.sync_playwright import Axe

    width, scheme = EACH[screen]
    query = urlencode(dict(zip("ab", tiny_models.PAIR, strict=True)) if screen in OF_TWO else {"data": "digits"})
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{address}/{'' if screen == 'home' else screen.replace('_', '-')}?{query}")
    expect(page.locator("h1")).to_be_visible()
    page.wait_for_function("window.mendedPage")
    expect(page.locator("[data-test-script-state=notRunning]")).to_be_attached()
    found = Axe().run(page, options=RULES).response["violations"]
    assert not found, [(one["id"], one["help"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found]
    context.close()


def test_on_a_phone_keys_never_go_where_nothing_is_seen(browser, address: str):
    """From the top of the page on: the closed sidebar with its links and settings lies beside the window."""
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(f"{address}/worst-noise?{urlencode(dict(zip('ab', tiny_models.PAIR, strict=True)))}")
    page.wait_for_function("window.mendedPage && document.documentElement.dataset.appears === 'now'")
    expect(page.locator("[data-test-script-state=notRunning]")).to_be_attached()
    for _ in range(12):
        page.keyboard.press("Tab")
        place = page.evaluate("() => { const { right, left } = document.activeElement.getBoundingClientRect(); "
                              "return [left, right, document.activeElement.outerHTML.slice(0, 200)]; }")  # fmt: skip
        assert place[1] > 0 and place[0] < 390, place
    page.close()
