"""One set of settings for all screens: each shows those that it uses, a value holds everywhere until it is put back."""

import re

import pytest
from playwright.sync_api import Page, expect
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from benchmarks.serving import IDLE
from tests.app.test_controls import drawn
from tests.app.test_screens import app, words
from tests.nightly import nightly

SHARED = {"eps", "lam", "against", "samples", "seed"}
USED = {  # of the shared ones; the Worst noise screen has ε on its stage
    "worst_noise": {"lam", "against", "samples", "seed"},
    "failures": {"eps", "lam", "against", "seed"},  # its pool has a size of its own
    "embeddings": {"eps", "lam", "seed"},
    "evidence": {"eps", "lam", "samples", "seed"},
    "blind_test": {"eps", "against", "seed"},
    "reproduce": set(),
    "train": set(),
    "checkpoints": set(),
    "home": set(),  # ε on its stage too
}
ASKED = {"eps": 0.5, "lam": 0.1, "against": "critic", "samples": 32, "seed": 3}


def go(test: AppTest, screen: str) -> AppTest:
    """To another screen, as a link of the navigation leads there: without the parameters."""
    test.query_params.clear()
    test._page_hash = calc_hash("" if screen == "home" else screen.replace("_", "-"))
    return test.run()


def mark(test: AppTest) -> str:
    found = re.search(r'class="shared( changed)?"', words(test))
    return "" if found is None else "changed" if found[1] else "as shared"


def resets(test: AppTest) -> list[str]:
    return [button.label for button in test.button if button.key == "reset"]


@pytest.fixture(scope="module")
def opened() -> dict[str, AppTest]:
    """Every screen as a link with the smallest budget opens it."""
    return {screen: app(screen, budget="live") for screen in USED}


@pytest.mark.parametrize("screen", USED)
def test_a_screen_shows_the_settings_that_it_uses(opened, screen):
    found = drawn(opened[screen])
    assert SHARED & set(found) == USED[screen]
    settings = set(found) - {"a", "b", "view", "panel", "show", "by", "of", "kind", "opened", "place", "model", "run"}
    assert mark(opened[screen]) == ("as shared" if settings else "")


def test_what_is_chosen_holds_on_every_screen_and_one_reset_puts_all_back():
    test = app("worst_noise", budget="live")
    assert mark(test) == "as shared"
    test.select_slider(key="lam").set_value(ASKED["lam"])
    test.select_slider(key="samples").set_value(ASKED["samples"])
    test.segmented_control(key="against").set_value(ASKED["against"])
    test.number_input(key="seed").set_value(ASKED["seed"]).run()
    assert mark(test) == "changed" and resets(test) == ["Reset"]
    go(test, "evidence")
    test.slider(key="eps").set_value(ASKED["eps"]).run()
    for screen in ("embeddings", "home", "blind_test", "failures"):
        go(test, screen)
        found = drawn(test)
        assert {key: value for key, value in found.items() if key in SHARED} == {
            key: ASKED[key] for key in found if key in SHARED
        }, screen
        assert mark(test) == ("changed" if USED[screen] else ""), screen
        assert all(f"{key}=" not in test.query_params for key in SHARED)
    test.button(key="reset").click().run()
    assert mark(test) == "as shared" and drawn(test)["eps"] == 1.0 and drawn(test)["against"] == "critic"
    go(test, "evidence")
    assert mark(test) == "as shared"
    assert {key: drawn(test)[key] for key in USED["evidence"]} == {"eps": 1.0, "lam": 0.0, "samples": 128, "seed": 0}


def test_what_is_left_at_a_screens_default_takes_that_of_the_next():
    test = app("worst_noise", budget="live")
    assert drawn(test)["samples"] == 16
    go(test, "evidence")
    assert drawn(test)["samples"] == 128
    test.select_slider(key="samples").set_value(16).run()
    assert mark(test) == "changed"
    go(test, "worst_noise")
    assert drawn(test)["samples"] == 16
    go(test, "evidence")
    assert drawn(test)["samples"] == 16, "chosen, though another screen has it as its default"


def test_reset_leads_to_what_the_link_shared_and_then_to_the_defaults():
    test = app("evidence", eps="0.5", seed="7", samples="16", budget="live")
    assert mark(test) == "as shared" and resets(test) == ["Defaults"]
    test.number_input(key="seed").set_value(8).run()
    assert mark(test) == "changed" and resets(test) == ["Reset"]
    test.button(key="reset").click().run()
    assert mark(test) == "as shared" and drawn(test)["seed"] == 7 and drawn(test)["eps"] == 0.5
    test.button(key="reset").click().run()
    assert drawn(test)["seed"] == 0 and drawn(test)["eps"] == 1.0 and mark(test) == "changed"


def test_a_locked_view_goes_back_to_its_link_and_no_further():
    test = app("evidence", lock="search", lam="0.5", samples="16", budget="live")
    assert mark(test) == "as shared" and not resets(test)
    test.select_slider(key="samples").set_value(32).run()
    assert resets(test) == ["Reset"]
    test.button(key="reset").click().run()
    assert drawn(test)["samples"] == 16 and drawn(test)["lam"] == 0.5


@nightly
def test_the_stages_radius_goes_along_and_back(page: Page, address: str):
    stage, mark = page.locator(".stage output"), page.locator(".shared")
    screens = page.get_by_test_id("stSidebarNav")
    page.goto(f"{address}/worst-noise?a=digits-dcgan&b=digits-dcgan-robust&budget=live")
    expect(stage).to_have_text("1.00")
    expect(mark).not_to_have_class(re.compile("changed"))
    page.get_by_role("slider", name="ε, how far the noise may move").focus()
    page.keyboard.press("End")
    page.wait_for_url("**eps=4*")
    expect(mark).to_have_class(re.compile("changed"))
    screens.get_by_role("link", name="Evidence").click()
    expect(page.get_by_role("slider", name="ε, radius of the search")).to_have_attribute("aria-valuetext", "4.00")
    screens.get_by_role("link", name="Worst noise").click()
    expect(stage).to_have_text("4.00")
    page.get_by_role("slider", name="ε, how far the noise may move").focus()
    page.keyboard.press("Home")
    page.wait_for_url("**eps=0*")
    page.wait_for_selector(IDLE)
    page.get_by_role("button", name="Reset").click()
    expect(stage).to_have_text("1.00")
    expect(mark).not_to_have_class(re.compile("changed"))


def test_the_radius_on_home_is_that_of_the_other_screens_once_it_is_moved():
    test = app("home")
    go(test, "evidence")
    assert drawn(test)["eps"] == 1.0, "Home begins farther out, which nobody has chosen"
    test = app("home", eps="3")
    go(test, "evidence")
    assert drawn(test)["eps"] == 3.0
