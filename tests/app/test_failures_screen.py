"""The Failures screen: a pool searched in the background, its ranking, one failure, and links to it."""

import dataclasses
import os
import re
import shutil
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import streamlit as st
from playwright.sync_api import Page, expect

from benchmarks.serving import IDLE
from rgan.attack.search import Attack
from rgan.metrics.judges import shipped
from rgan.models import checkpoints
from rgan.robustness.failures.failure import failure
from rgan.robustness.failures.links import fields, permalink
from rgan.robustness.failures.pool import PoolPlan, pool, prevalence, ranking
from rgan.robustness.measured import JudgedGan
from tests import tiny_models
from tests.app.test_screens import app, waited, words
from tests.nightly import nightly

QUICK = {"pool": "256", "budget": "live", "eps": "2"}
REAL = QUICK | dict(zip("ab", tiny_models.REAL, strict=True))  # whose images are not all bad
pytestmark = pytest.mark.timeout(600)  # the check of the search alone takes a minute of processor


@pytest.fixture(scope="module")
def known():
    """The pool that the screen should find."""
    judged_gans = [JudgedGan(gan, shipped("digits")) for gan in tiny_models.load(*tiny_models.REAL)]
    *_, whole = pool(judged_gans, PoolPlan(Attack((2.0,), 0.0, 10), 256))
    return whole


@pytest.fixture
def whole():
    """The screen with its pool searched."""
    test = waited(app("failures", against="critic", **REAL), lambda test: any(b.label == "Better" for b in test.button))
    assert not test.exception and not test.error
    return test


def press(test, label: str):
    return next(button for button in test.button if button.label == label).click().run()


def noise(test) -> int:
    """The row that is looked at."""
    said = " ".join(markdown.value for markdown in test.markdown)
    return int(re.search(r"Noise (\d+) of seed", said)[1])


def linked(test) -> dict[str, str]:
    link = next(code.value for code in test.code if "failure=" in code.value)
    return {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}


def test_the_screen_says_what_the_library_finds(whole, known):
    table = words(whole)
    for side in "AB":
        for share in prevalence(known, side).values():
            assert f"{share.hits} of {share.total}" in table
    orders = {side: ranking(known, side) for side in "AB"}
    assert noise(whole) == orders["A"][0]
    for ranked, order in (("each", orders["B"]), ("A", orders["A"])):  # its own worst, and what A's does to it
        whole.segmented_control(key="of").set_value(ranked).run()
        bad = int(known.rows["B"].measures["worst"].bad[order[:16]].sum())
        assert f"B, the worst: 16 images, {bad} of them broken, circled" in words(whole)
        for place, row in enumerate(order[:3], 1):
            assert f"Place {place}, noise {row} of seed 0: badness" in words(whole)
    press(whole, "Better")
    assert noise(whole) == orders["A"][1]
    whole.segmented_control(key="opened").set_value("B").run()
    assert noise(whole) == orders["A"][1], "B is shown with the noise that A is ranked by"
    whole.segmented_control(key="of").set_value("each").run()
    assert noise(whole) == orders["B"][1]


def test_failures_are_kept_noted_dropped_and_dropping_is_undone(whole):
    press(whole, "Keep")
    press(whole, "Better")
    press(whole, "Keep")
    notes = [field for field in whole.text_input if field.label == "Note"]
    assert len(notes) == 2
    notes[0].set_value("a broken four").run()
    press(whole, "Remove")
    assert [field.value for field in whole.text_input if field.label == "Note"] == [""]
    press(whole, "Undo")
    assert [field.value for field in whole.text_input if field.label == "Note"] == ["a broken four", ""]
    press(whole, "Undo")  # the note before that
    notes = [field for field in whole.text_input if field.label == "Note"]
    assert [field.value for field in notes] == ["", ""]
    notes[0].set_value("a broken four").run()
    assert [one.note for one in whole.session_state["kept_failures"]] == ["a broken four", ""]


def test_a_link_is_followed_changed_into_its_limits_or_says_what_it_needs(whole):
    link = linked(whole)["failure"]
    again = app("failures", failure=link, **REAL)
    assert [said.value for said in again.success if "reproduced" in said.value]
    values = fields(link)
    changed = app("failures", failure=urlencode(values | {"gradients": "0", "radius": "999"}), **REAL)
    said = [one.value for one in changed.warning]
    assert {one.rpartition("taken as ")[2] for one in said if "taken as" in one} == {"1.", "4."}
    assert any("cannot be compared" in one for one in said) and not changed.error
    missing = app("failures", failure=urlencode(values | {"checkpoint": "0" * 64}), **REAL)
    assert any("needs the file with SHA" in said.value for said in missing.error)
    nonsense = app("failures", failure="nonsense", **REAL)
    assert any("copy the whole link again" in said.value for said in nonsense.error) and not nonsense.exception


def test_what_a_link_says_is_for_who_has_the_model_when_it_is_opened(monkeypatch, tmp_path):
    def opened(address: str | None) -> tuple[bool, bool]:
        monkeypatch.setattr(type(st.context), "ip_address", property(lambda self: address))
        test = app("failures", failure=urlencode(link.query()), **QUICK)
        assert not test.exception
        return any("needs the file" in said.value for said in test.error), any(
            said.value.endswith("reproduced.") for said in test.success
        )

    (known,) = tiny_models.load("digits-dcgan")
    other = dataclasses.replace(known, training=dataclasses.replace(known.training, seconds=1.0))
    checkpoints.save(other, tmp_path / "private.safetensors")
    judged = JudgedGan(checkpoints.load(tmp_path / "private.safetensors"), shipped("digits"))
    link = permalink(judged.facts, failure(judged, PoolPlan(Attack((2.0,), 0.0, 1), 2), 0), "private")
    assert opened(None) == (True, False)
    uploads = Path(os.environ["RGAN_UPLOADS"])
    uploads.mkdir(exist_ok=True)
    there = Path(shutil.copy(tmp_path / "private.safetensors", uploads))
    try:
        assert opened(None) == (False, True)
        assert opened("192.0.2.7") == (True, False)
    finally:
        there.unlink()


@nightly
def test_arrow_keys_step_through_the_ranking_and_the_morph(page: Page, address):
    page.goto(f"{address}/failures?{urlencode(QUICK)}")
    place = page.get_by_role("spinbutton", name="Place in the ranking")
    expect(place).to_have_value("1")
    thumb = page.locator(".morph input")
    expect(thumb).to_be_visible()
    where = page.locator(".morph .place")
    expect(where).to_contain_text("100 % of the way")
    thumb.focus()
    page.keyboard.press("Home")
    expect(where).to_contain_text("0 % of the way, 0.00 from the original noise")
    expect(place).to_have_value("1")
    page.get_by_role("heading", name="One failure").click()
    page.keyboard.press("ArrowRight")
    expect(place).to_have_value("2")
    page.keyboard.press("ArrowLeft")
    expect(place).to_have_value("1")
    tile = page.locator(".picks button[data-pick='B:3']").first
    tile.focus()
    page.keyboard.press("ArrowRight")  # from picture to picture, and not through the ranking
    expect(page.locator(".picks button[data-pick='B:4']").first).to_be_focused()
    expect(place).to_have_value("1")
    page.keyboard.press("Enter")
    expect(place).to_have_value("4")
    expect(page.get_by_role("radio", name="B", exact=True)).to_be_checked()
    page.wait_for_url("**opened=B*")
    page.locator(".picks button[data-pick='A:1']").first.click()
    expect(place).to_have_value("1")
    page.get_by_role("heading", name="One failure").click()
    keep = page.get_by_role("button", name="Keep", exact=True)
    keep.focus()
    page.keyboard.press("ArrowRight")
    expect(place).to_have_value("2")
    page.wait_for_selector(IDLE)
    expect(keep).to_be_focused()
    keep.click()
    expect(page.get_by_role("heading", name="Kept failures")).to_be_visible()


def test_the_browser_keeps_what_is_kept(page: Page, address: str):
    """Over a reload, with its note; what stands there and is no failure is passed over."""
    place = "rgan-lab:kept-failures"
    (gan,) = tiny_models.load(tiny_models.REAL[0])
    judged = JudgedGan(gan, shipped("digits"))
    link = permalink(judged.facts, failure(judged, PoolPlan(Attack((2.0,), 0.0, 1), 2), 0), tiny_models.REAL[0])
    page.goto(f"{address}/failures?{urlencode(QUICK | {'failure': urlencode(link.query())})}")
    page.evaluate("([place, text]) => localStorage.setItem(place, text)", [place, '[7, {"checkpoint": "<b>"}, [[]]]'])
    page.reload()
    page.get_by_role("button", name="Keep").first.click()
    note = page.get_by_label("Note")
    note.fill("a broken four")
    note.press("Enter")
    page.wait_for_function("place => localStorage.getItem(place).includes('a broken four')", arg=place)
    page.reload()
    expect(note).to_have_value("a broken four")
    page.get_by_role("button", name="Remove").click()
    page.wait_for_function("place => localStorage.getItem(place) === '[]'", arg=place)
    assert page.locator(".stException").count() == 0
