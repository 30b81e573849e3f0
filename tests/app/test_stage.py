"""The stage inside Streamlit: it mounts, tells the screen what was picked, and takes new data without starting anew."""

import pytest
from playwright.sync_api import expect

from benchmarks.serving import IDLE, Server
from tests.conftest import ROOT

APP = f"""
import sys
sys.path[:0] = [{str(ROOT / "app")!r}, {str(ROOT)!r}]
import streamlit as st
from components.stage import stage
from rgan.report.stage import OnStage, stage_data
from rgan.robustness.encoding import encoded
from tests.robustness import made_up

seed = 5 if st.checkbox("another seed") else 0
models = [OnStage(encoded(made_up.frames((0.0, 1.0, 2.0, 3.0), (9, 16, 16, 1), seed, model=name))) for name in "ab"]
stage(stage_data(models, radius=1.0), "here", on_pick=lambda one: st.session_state.update(one=one), parameter="eps")
st.text(f"told {{st.session_state.get('one')}} {{st.query_params.get('eps')}} {{seed}}")
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    app = tmp_path_factory.mktemp("app") / "app.py"
    app.write_text(APP, encoding="utf-8")
    server = Server(("-m", "streamlit", "run", str(app)))
    server.start()
    yield server.address
    server.stop()


def test_it_mounts_tells_and_goes_on(page, served):
    page.goto(served)
    expect(page.locator(".stage .pane canvas")).to_have_count(2)
    expect(page.get_by_text("told None None 0")).to_be_visible()
    page.wait_for_selector(IDLE)
    page.evaluate("window.before = document.querySelector('.stage')")
    page.get_by_role("option").nth(3).click()
    expect(page.get_by_text("told 3 None 0")).to_be_visible()
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**eps=2*")
    expect(page.get_by_text("told 3 None 0")).to_be_visible()  # moving ε asks for no run
    sentence = page.locator(".stage .sentence").text_content()
    page.get_by_text("another seed").click()
    expect(page.get_by_text("told 3 2 5")).to_be_visible()
    expect(page.locator(".stage .sentence")).not_to_have_text(sentence)
    expect(page.locator(".stage output")).to_have_text("2.00")
    expect(page.locator(".stage .picked")).to_have_count(2)
    assert page.evaluate("window.before === document.querySelector('.stage')")
