"""What somebody does while the server cannot answer, and leaves the screen at once: none of it is lost."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from benchmarks.serving import IDLE
from tests.conftest import SHARED

PAIR = "a=digits-dcgan&b=digits-dcgan-robust"


@pytest.fixture
def hanging(address: str) -> Callable[[], AbstractContextManager[None]]:
    """A while in which the server stands still."""
    process = int((Path(os.environ[SHARED]) / "server").read_text().split()[0])

    @contextmanager
    def still() -> Iterator[None]:
        os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(process, signal.SIGCONT)

    return still


def shown(page: Page) -> None:
    """Wait until the page is there to be pressed."""
    page.wait_for_function("document.documentElement.dataset.appears === 'now'")
    page.wait_for_selector(IDLE)


def test_the_stages_radius_goes_along_to_the_next_screen(page: Page, address: str, hanging):
    page.goto(f"{address}/worst-noise?{PAIR}&budget=live")
    expect(page.locator(".stage output")).to_have_text("1.00")
    shown(page)
    page.get_by_role("slider", name="ε, how far the noise may move").focus()
    page.keyboard.press("End")
    page.wait_for_url("**eps=4*")
    with hanging():
        page.get_by_test_id("stSidebarNav").get_by_role("link", name="Evidence").click()
        page.wait_for_timeout(500)
    expect(page.get_by_role("slider", name="ε, radius of the search")).to_have_attribute("aria-valuetext", "4.00")


def test_an_answer_counts_though_the_screen_is_left_before_it_is_heard(page: Page, address: str, hanging):
    page.goto(f"{address}/blind-test?{PAIR}&trials=10&seed=21")
    expect(page.locator(".blind-question")).to_contain_text("pair 1 of 10")
    shown(page)
    screens = page.get_by_test_id("stSidebarNav")
    with hanging():
        page.get_by_role("button", name=re.compile("^Left")).click()
        screens.get_by_role("link", name="Theory").click()
        page.wait_for_timeout(500)
    expect(page.get_by_role("heading", name="Theory")).to_be_visible()
    screens.get_by_role("link", name="Blind test").click()
    expect(page.locator(".blind-question")).to_contain_text("pair 2 of 10")
