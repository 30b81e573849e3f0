"""The Theory screen: it shows what the library computes, and its loss is drawn by hand, by pointer and by keys."""

import math
import re
import sys

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from scipy.spatial.distance import jensenshannon

from benchmarks.serving import IDLE
from tests.app.test_screens import app, waited, words
from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "app"))

from screens.theory import drawn, robust_game


@pytest.mark.parametrize("curve", ["", *drawn.LOSSES.values()])
def test_both_ways_agree_and_the_printed_sides_do_where_the_price_is_the_balls(curve):
    test = app("theory", curve=curve, rho="1", gamma="0")
    assert not test.exception and not test.error
    ways = re.search(r"linear programme (\S+), inner maximum ([\d.]+)", words(test))
    assert ways and float(ways[1]) == pytest.approx(float(ways[2]), abs=2e-6)
    assert "γ is too small" in words(test)
    next(one for one in test.button if "price of ρ" in one.label).click().run()
    assert "γ is too small" not in words(test) and test.slider(key="gamma").value > 0


def test_what_the_address_cannot_mean_is_said_and_the_usual_is_shown():
    for query in (
        {"curve": "way too short"},
        {"starts": "1,99"},
        {"starts": "a,b"},
        {"starts": ""},
        {"curve": "é" * 25},
    ):
        test = app("theory", **query)
        assert not test.exception and not test.error
        assert ("no loss or points that can be read" in words(test)) is any(query.values())
    read = drawn.read("", "24,0,3")
    assert read.understood and read.starts == (0, 3, 24)
    assert np.allclose(read.ground.loss[::5], read.knots) and read.ground.starts.tolist() == [0, 15, 120]
    assert set(map(len, drawn.LOSSES.values())) == {drawn.KNOTS}


def test_the_games_numbers_are_the_librarys_and_it_goes_blind():
    test = app("theory", statement="Lemmas 0.2 and 0.3", mix="1", rho_r="0.1", rho_g="0.1")
    assert not test.exception and not test.error
    solved = robust_game.solve(robust_game._game(1.0, 0.1, 0.1, 1.0, 0.7))
    game = robust_game._game(1.0, 0.1, 0.1, 1.0, 0.7)
    mixed = game.mixtures(solved.worst_real, solved.worst_fake)
    value = 2 * jensenshannon(*mixed) ** 2 - 2 * math.log(2)
    assert f"the best critic reaches V = {value:.2f}".replace("-", "−") in words(test)
    next(one for one in test.button if "blind" in one.label).click().run()
    assert "The game is blind here" in words(test) and test.slider(key="mix").value == 0.5


def test_the_bounds_are_of_the_chosen_model():
    test = waited(
        app("theory", statement="Lemmas 0.4 and 0.5", a="digits-dcgan", error="0.5"),
        lambda test: "asks for" in words(test),
    )
    assert not test.exception and not test.error
    said = words(test)
    assert "For ε = 0.5 Lemma 0.4 asks for" in said and "there were 1,079" in said
    assert "k_x, steepest slope" in said


def test_the_loss_is_drawn_by_the_pointer_and_by_keys(page: Page, address: str):
    page.goto(f"{address}/theory")
    chart = page.locator(".drawn-loss")
    expect(chart.locator(".knot")).to_have_count(drawn.KNOTS)
    page.wait_for_selector(IDLE)
    page.wait_for_function("document.documentElement.dataset.appears === 'now'")
    before = page.locator(".finding .words").inner_text()
    box = chart.locator(".sheet").bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 1)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 1, steps=6)
    page.mouse.up()
    page.wait_for_url(re.compile(r"curve=zz"))
    page.wait_for_selector(IDLE)
    assert page.locator(".finding .words").inner_text() != before
    knots = re.search(r"curve=(\w+)", page.url)[1]
    assert len(knots) == drawn.KNOTS and knots[:10] == "z" * 10

    chart.locator(".knot").first.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.wait_for_url(re.compile(r"curve=zzzy"))
    page.wait_for_selector(IDLE)
    expect(chart.locator(".knot").nth(3)).to_be_focused()
    expect(chart.locator(".start")).to_have_count(3)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"starts=3%2C7%2C9%2C10"))
    expect(chart.locator(".start")).to_have_count(4)
