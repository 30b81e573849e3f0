"""For a class: the tour, views with hidden controls, and the blind test on the page."""

import re

from playwright.sync_api import Page, expect

from benchmarks.serving import IDLE
from rgan.metrics.judges import shipped
from rgan.robustness.blind_test import BROKEN, RANDOM, WORST, BlindTestPlan, pairs, tally
from tests import tiny_models
from tests.app.test_screens import app, waited, words
from tests.nightly import nightly
from tests.robustness.test_shipped_answers import answers


def settled(page: Page) -> None:
    page.wait_for_selector(IDLE)


@nightly
def test_the_tour_leads_through_five_live_screens_and_ends(page: Page, address: str):
    page.goto(address)
    page.get_by_role("link", name="Take the tour").click()
    bar, headings = page.locator(".st-key-tour"), []
    for number in range(1, 6):
        expect(bar.get_by_text(f"{number} of 5")).to_be_visible()
        expect(bar.get_by_text("Try ·")).to_be_visible()
        expect(bar.get_by_text("Look for ·")).to_be_visible()
        settled(page)
        headings.append(page.get_by_role("heading").first.inner_text())
        assert f"tour={number}" in page.url
        if number == 3:
            expect(page.get_by_role("slider", name="λ, price of moving")).to_have_attribute("aria-valuetext", "1")
        if number > 1:
            expect(bar).to_be_focused()
        if number < 5:
            bar.get_by_role("link", name=re.compile("Next")).press("Enter")
    assert headings == ["RGAN Lab", "Worst noise", "Worst noise", "Evidence", "Embeddings"]
    bar.get_by_role("link", name="Back").click()
    expect(bar.get_by_text("4 of 5")).to_be_visible()
    bar.get_by_role("link", name="End").click()
    expect(page.get_by_role("link", name="Take the tour")).to_be_visible()
    expect(bar).to_have_count(0)
    assert "tour" not in page.url


@nightly
def test_a_locked_view_hides_what_it_names_keeps_its_values_and_can_be_opened(page: Page, address: str):
    page.goto(f"{address}/worst-noise?lock=models,lam&a=mnist-dcgan&lam=0.5&seed=3")
    expect(page.locator(".stage .pane canvas")).to_have_count(2)
    price = page.get_by_role("slider", name="λ, price of moving")
    for hidden in (
        price,
        page.get_by_role("button", name=re.compile("^Model A: ")),
        page.get_by_role("button", name="Defaults"),
    ):
        expect(hidden).to_be_hidden()
    expect(page.get_by_role("spinbutton", name="Seed")).to_have_value("3")
    expect(page.locator(".stage .settings")).to_contain_text("λ 0.5, seed 3")
    expect(page.locator(".stage .pane").first).to_contain_text("mnist-dcgan")
    page.get_by_role("link", name="Evidence").click()
    expect(page.get_by_role("heading", name="Evidence")).to_be_visible()
    settled(page)
    expect(price).to_be_hidden()  # the lock goes along to other pages
    expect(page.get_by_role("spinbutton", name="Seed")).to_have_value("3")  # and so do the values that the link gave
    expect(page.locator(".finding .settings").first).to_contain_text("λ 0.5")
    page.get_by_role("link", name="Show all controls").click()
    expect(price).to_be_visible()
    settled(page)
    page.get_by_role("button", name="Lock this view").click()
    page.get_by_role("button", name="search", exact=True).click()
    link = page.get_by_role("textbox", name="Link to the locked view")
    expect(link).to_have_value(re.compile(r"/evidence\?.*lock=search"))


def test_the_faces_break_as_the_tour_says():
    """Of the 16 faces of Home at ε 2, nearly all are broken under worst noise, and no more under random than before."""
    for one in answers("faces-dcgan"):
        at = one.radii.index(2.0)
        before, worst, random = (
            int(row.sum()) for row in (one.worst.broken[0], one.worst.broken[at], one.random.broken[at])
        )
        assert worst >= 14 and before < 8 and random <= before + 1


def test_a_control_that_a_link_sets_out_of_range_is_clamped_and_that_is_said():
    test = app("embeddings", eps="77")
    assert test.slider(key="eps").value == 4.0 and not test.exception
    assert "is not offered here" in test.toast[0].value


@nightly
def test_answers_are_counted_kept_and_shown_against_the_judge():
    a, b = tiny_models.REAL
    test = app("blind_test", eps="3", seed="4", trials="10", against="critic", a=a, b=b)
    gans = tuple(tiny_models.load(a, b))
    made = pairs(gans, BlindTestPlan(BROKEN, 10, 3.0, seed=4), shipped("digits"))
    answers = [pair.target if pair.kind == WORST else 0 for pair in made]
    for number, answer in enumerate(answers):
        assert f"pair {number + 1} of 10" in words(test)
        assert not any(word in words(test) for word in ("worst noise", "random noise of", "framed")), (
            "nothing is given away"
        )
        test.button(key=f"choose_{('left', 'right')[answer]}").click().run()
    shown = words(test)
    for told in (answers, [pair.judged for pair in made]):
        for kind in (WORST, RANDOM):
            assert f"<td>{tally(made, told, kind).words()}" in shown
    assert shown.count('class="target"') == 10
    assert "visitors here" not in shown, "one test is no more than yours"
    test.number_input(key="seed").set_value(5).run()
    assert "pair 1 of 10" in words(test)
    test.number_input(key="seed").set_value(4).run()
    assert words(test).count('class="target"') == 10, "the answers of the first test are kept"
    next(button for button in test.button if button.label.startswith("Again")).click().run()
    for _ in range(10):
        test.button(key="choose_left").click().run()
    assert "All 2 visitors here" in words(test), "tests of other seeds count too"
    waited(test, lambda test: not any("Checking the search" in caption.value for caption in test.caption))
    assert test.number_input(key="seed").value == 5 and not test.exception


def test_a_class_has_a_result_of_its_own():
    of_class = {"class": "7b", "trials": "10", "seed": "11", "eps": "2.5"}
    first = app("blind_test", **of_class)
    assert "Nobody of 7b has finished" in words(first)
    for _ in range(10):
        first.button(key="choose_left").click().run()
    other = app("blind_test", **of_class | {"class": "8a"})
    assert "Nobody of 8a has finished" in words(other), "another class"
    for _ in range(10):
        other.button(key="choose_right").click().run()
    assert "All 2 visitors here" in words(other) and "8a, 1 test" in words(other)
    teacher = app("blind_test", **of_class | {"seed": "12"})
    made = pairs(
        tuple(tiny_models.load(*tiny_models.PAIR)), BlindTestPlan(BROKEN, 10, 2.5, "judge", 11), shipped("digits")
    )
    assert "7b, 1 test" in words(teacher) and "pair 1 of 10" in words(teacher)
    for kind in (WORST, RANDOM):
        assert f"<td>{tally(made, [0] * 10, kind).words()}" in words(teacher)
