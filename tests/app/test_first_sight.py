"""What a screen shows at first sight: the answer to its defaults, the answer before while another is computed, and
nothing that moves under the reader."""

import importlib
import re
import threading

import pytest
from playwright.sync_api import Page, expect

from benchmarks.serving import IDLE
from rgan.attack.search import BUDGETS
from rgan.robustness import at_radius
from tests.app.test_screens import app, waited, words
from tests.conftest import ROOT
from tests.nightly import mostly_nightly, nightly

DEFAULT = {"a": "faces-dcgan", "b": "faces-dcgan-robust", "budget": "standard"}
FOUND = {
    "evidence": "58 of A’s 128 images",
    "failures": "of A’s 256 images",
    "blind_test": "pair 1 of 20",
    "embeddings": "Of what the paper reads from its Figure 4, these two models",
}
# Of layout that shifts, by value, without what follows a click at once: https://web.dev/articles/cls
SHIFTS = """window.shifts = [];
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifts.push([one.value, one.startTime]);
}).observe({ type: 'layout-shift', buffered: true });"""


def cumulative_shift(shifts: list[tuple[float, float]]) -> float:
    """The measure that web.dev defines: the largest sum over a window of shifts less than a second apart, of five
    seconds at most. `shifts`: (value, milliseconds)."""
    worst = so_far = begun = last = 0.0
    for value, at in shifts:
        if at - last > 1000 or at - begun > 5000:
            so_far, begun = 0.0, at
        so_far, last = so_far + value, at
        worst = max(worst, so_far)
    return worst


@pytest.fixture
def shipped(monkeypatch):
    """The shipped models, their answers, and the usual budget."""
    monkeypatch.syspath_prepend(str(ROOT / "app"))
    paths = importlib.import_module("session.paths")
    monkeypatch.setattr("session.state.SHIPPED", ROOT / "checkpoints")
    monkeypatch.setattr("session.paths.SHIPPED", ROOT / "checkpoints")
    monkeypatch.setitem(BUDGETS, "standard", 200)
    paths.answers.clear()
    yield
    paths.answers.clear()


@pytest.mark.parametrize("screen", FOUND)
def test_the_default_pairs_answer_is_there_at_once(shipped, screen):
    test = app(screen, **DEFAULT)
    assert not test.exception and not test.error
    assert FOUND[screen] in words(test) and 'class="awaited"' not in words(test)


def test_the_answer_before_stays_until_the_new_one_is_there(monkeypatch):
    usual, go = at_radius.at_radius, threading.Event()

    def slow(*args, **more):
        assert more["seed"] != 8 or go.wait(60)
        return usual(*args, **more)

    monkeypatch.setattr("rgan.robustness.at_radius.at_radius", slow)
    asked = {"samples": "16", "eps": "2", "budget": "live"}
    test = waited(app("evidence", seed="7", **asked), lambda test: 'class="finding"' in words(test) and ready(test))
    before = said(test)
    test.number_input(key="seed").set_value(8).run()
    assert said(test) == before and 'class="finding old"' in words(test)
    assert "Until then" in words(test) and 'class="awaited"' in words(test)
    go.set()
    waited(test, ready)
    assert 'class="finding old"' not in words(test) and said(test) and not test.exception


def said(test) -> str:
    return re.search(r'class="words">([^<]*)<', words(test))[1]


def ready(test) -> bool:
    return 'class="awaited"' not in words(test)


# What the screens of two models show, and where the first picture of a screen is.
SCREENS = (
    "", "worst-noise", "failures", "embeddings", "evidence", "blind-test", "theory", "train?data=digits", "checkpoints",
    "reproduce",
)  # fmt: skip
WITHOUT_PICTURE = {"reproduce", "train?data=digits"}  # until a study, or a training, has been made
TOP = """() => Math.min(...[...document.querySelectorAll(
    '[data-testid=stMain] :is(img, canvas, .js-plotly-plot)')].filter((one) => !one.closest('.model-tiles'))
    .map((one) => one.getBoundingClientRect()).filter((box) => box.width > 60 && box.height > 40).map((box) => box.top)
)"""


@pytest.fixture(scope="module")
def laptop(browser, address):
    """A new browser on a wide screen, before a server that has been visited."""
    visitor = browser.new_page()
    visitor.goto(address)
    visitor.wait_for_selector(IDLE)
    visitor.close()
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.add_init_script(SHIFTS)
    yield page
    context.close()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("screen", mostly_nightly(SCREENS, "", "train?data=digits"))
def test_a_screen_comes_without_a_jump_and_its_picture_begins_in_the_upper_half(laptop: Page, address: str, screen):
    laptop.goto(f"{address}/{screen}")
    laptop.wait_for_function("document.documentElement.dataset.appears === 'now'")
    if screen not in WITHOUT_PICTURE:
        laptop.wait_for_function(f"({TOP})() < 450", timeout=400_000)  # searched first, beside other tests
    laptop.wait_for_selector(IDLE)
    laptop.wait_for_timeout(500)
    expect(laptop.get_by_test_id("stSidebar")).to_have_attribute("data-collapsed", "false")
    shifted = laptop.evaluate("window.shifts")
    assert cumulative_shift(shifted) <= 0.1, shifted
    assert screen in WITHOUT_PICTURE or laptop.evaluate(TOP) < 450


@nightly
def test_nothing_moves_while_a_screen_comes(page: Page, address: str):
    page.add_init_script(SHIFTS)
    page.goto(f"{address}/evidence")
    page.wait_for_selector(IDLE)
    for name in ("Failures", "Embeddings", "Train", "Evidence"):
        page.evaluate("window.shifts = []")
        page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
        page.wait_for_selector(IDLE)
        page.wait_for_timeout(500)
        assert cumulative_shift(page.evaluate("window.shifts")) <= 0.1, name


def test_what_the_words_mean_opens_and_stays(page: Page, address: str):
    """By the arrow in its button, which another replaces as the popover opens: the press was taken for one outside."""
    page.goto(f"{address}/theory")
    meaning = page.locator(".st-key-finding [data-testid=stPopoverButton]").first  # another is for narrow screens
    page.wait_for_function("document.documentElement.dataset.appears === 'now'")
    page.wait_for_selector(IDLE)
    expect(meaning).to_be_visible()
    button = meaning.bounding_box()
    page.mouse.move(button["x"] + button["width"] / 2, button["y"] + button["height"] / 2)  # over the arrow
    page.wait_for_timeout(1000)
    page.mouse.down()
    page.mouse.up()
    page.wait_for_timeout(1000)
    expect(page.get_by_text("What needs care")).to_be_visible()
