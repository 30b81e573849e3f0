"""The Laboratory screen: a training goes on when it is asked to, a link retraces it, turns are fair."""

import re
import sys
import types

import pytest
from playwright.sync_api import Page, expect
from streamlit.testing.v1 import AppTest

from benchmarks.serving import IDLE
from tests.app.test_screens import app
from tests.conftest import ROOT
from tests.importing.test_points import CRITIC, GENERATOR, saved

sys.path.insert(0, str(ROOT / "app"))

from screens.laboratory import knobs
from session.places import Places
from session.table import LAB_PRICE, LABORATORY, query

from rgan.common.errors import SettingsError
from rgan.theory.laboratory.lessons import LESSONS
from rgan.theory.laboratory.settings import Settings
from rgan.theory.laboratory.twins import Event, Plan

SMALL = {"lab_g_width": "4", "lab_c_width": "4", "lab_g_layers": "1", "lab_c_layers": "1", "lab_budget": "live"}


def stands(test: AppTest) -> Plan:
    return test.session_state["laboratory_held"].at


def asked(test: AppTest, kind: str, **more: object) -> AppTest:
    """As the browser does, whose component AppTest does not run."""
    aim = test.session_state["laboratory_aims"]
    test.session_state["laboratory_ask"] = {"kind": kind, "aim": aim, **more}
    return test.run()


def test_the_table_has_the_librarys_settings_and_their_defaults():
    assert {name: control.default for name, control in LABORATORY.items()} == {
        name: getattr(Settings(), name) for name in LABORATORY
    }
    named = {one.name for one in Settings.__dataclass_fields__.values()}
    assert named == {*LABORATORY, "drawn", "start"}


def test_a_training_goes_on_when_it_is_asked_and_a_link_retraces_it():
    test = app("laboratory", **SMALL)
    assert not test.exception and not test.error and stands(test).steps == 0
    asked(test, "play", stride=1)
    played = stands(test)
    assert 0 < played.steps <= 8 and test.run() and stands(test) == played, "nothing goes on unasked"
    asked(test, "critic")
    test.slider(key="lab_e1").set_value(1.0).run()
    asked(test, "step")
    end = stands(test)
    assert end.steps == played.steps + 1
    assert end.past == (Event(played.steps, "critic"), Event(played.steps, "noise_radius", 0.3))

    link = {"lab_e1": "1", "lab_steps": str(end.steps), "lab_past": knobs.write_past(end)}
    other = app("laboratory", **SMALL, **link)
    for _ in range(30):
        if stands(other) == end:
            break
        asked(other, "catch")
    assert stands(other) == end and not other.exception
    one, two = (each.session_state["laboratory_held"].twins.state() for each in (test, other))
    assert all(one[name].equal(value) for name, value in two.items())
    test.number_input(key="lab_seed").set_value(4).run()
    assert stands(test) == Plan(stands(test).settings) and stands(test).settings.seed == 4, "another seed begins anew"


def test_what_a_link_cannot_mean_is_said_and_training_begins():
    for past in ("5.critic", "x", "1.lab_e1.much", "2.lab_data.grid"):
        test = app("laboratory", **SMALL, lab_steps="3", lab_past=past)
        assert not test.exception and "cannot be retraced" in test.toast[0].value
        assert stands(test).steps == 0


def test_the_past_is_told_and_read_again():
    past = (Event(3, "critic"), Event(3, "loss", "hinge"), Event(7, "generator_rate", 0.005), Event(9, "generator"))
    plan = Plan(Settings(), 9, past)
    assert knobs.write_past(plan) == "3.critic,3.lab_loss.hinge,7.lab_g_rate.0.005,9.generator"
    assert knobs.read_past(knobs.write_past(plan)) == past
    with pytest.raises(SettingsError):
        knobs.read_past("3.lab_steps.4")


def test_drawn_points_are_the_data():
    test = app("laboratory", **SMALL, lab_data="drawn by you", lab_drawn="00zz0!hh")
    assert stands(test).settings.drawn[0] == (-2.5, -2.5) and len(stands(test).settings.drawn) == 3
    test.session_state["lab_prior"], test.session_state["lab_loss"] = "uniform", "wasserstein"
    test.run()
    asked(test, "play", stride=2)
    assert not test.exception and stands(test).steps > 0 and stands(test).settings.prior == "uniform"
    asked(test, "drawn", points="zz")
    assert stands(test).settings.drawn == ((2.5, 2.5),) and test.query_params["lab_drawn"] == "zz"
    assert (
        knobs.read_points("a") == ()
        and len(knobs.read_points("".join(a + b for a in "abcdefgh" for b in "01234567890"))) <= 60
    )


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda one: one.key)
def test_a_lesson_is_a_short_link_and_a_long_one(lesson):
    """Both lead to one training; the long one is what the address says once it is open."""
    values = knobs.of_lesson(lesson)
    read = {name: control.read(control.write(values[control.key])) for name, control in LABORATORY.items()}
    assert Settings(**read) == lesson.plan.settings
    assert LAB_PRICE.low <= lesson.price <= LAB_PRICE.high and query(**values)


def test_a_lesson_says_what_to_try_and_leads_to_its_step():
    test = app("laboratory", lesson="one-step")
    assert not test.exception and test.session_state["laboratory_goal"] == LESSONS[3].plan
    assert stands(test) == LESSONS[3].plan, "it opens at its step: the way there was gone beforehand"
    said = " ".join(one.body for one in test.get("html"))
    assert LESSONS[3].todo in said and LESSONS[3].look in said
    assert test.query_params["lab_steps"] == "1000" and test.session_state["lab_method"] == "one-step"
    asked(test, "look")
    assert test.session_state["laboratory_goal"] == stands(test), "who has paused on the way stands where he is"
    test.selectbox(key="lab_data").set_value("grid").run()
    test.button(key="lesson:blurs").click().run()
    assert test.session_state["laboratory_goal"] == LESSONS[2].plan and test.query_params["lab_e1"] == "2"


@pytest.mark.parametrize("kind", ["look", "play", "catch"])
def test_what_was_asked_before_a_lesson_was_opened_does_not_end_it(kind, monkeypatch):
    """The browser asks without end; on a busy server what it asked before comes together with the click."""
    monkeypatch.setattr("screens.laboratory.training.lesson_before", lambda plan: None)  # nothing stands ready
    reached = types.SimpleNamespace(get=lambda plan: None, put=lambda experiment: None)
    monkeypatch.setattr("screens.laboratory.training._reached", lambda: reached)  # nor did another test come there
    test = app("laboratory", **SMALL)
    before = {"kind": kind, "stride": 1, "aim": test.session_state["laboratory_aims"]}
    test.button(key="lesson:blurs").click()
    test.session_state["laboratory_ask"] = before
    test.run()
    assert test.session_state["laboratory_goal"] == LESSONS[2].plan and stands(test).steps == 0
    asked(test, "catch")
    assert 0 < stands(test).steps <= LESSONS[2].plan.steps


def test_so_many_train_at_once_and_the_others_come_by_turns():
    now = [0.0]
    places = Places(2, patience=5, turn=50, clock=lambda: now[0])

    def ask(at: float, who: str) -> list[int]:
        now[0] = at
        return [places.ask(one) for one in who]

    assert ask(0, "abcd") == [0, 0, 1, 2]
    assert ask(4, "bcd") == [0, 1, 2]
    assert ask(6, "dc") == [1, 0], "a has not asked for longer than anybody waits"
    for second in range(8, 52, 4):
        assert ask(second, "bcd") == [0, 0, 1]
    assert ask(52, "bcd") == [1, 0, 0], "b has had its turn, and others wait"
    places.leave("c")
    assert ask(54, "bd") == [0, 0]
    now[0] = 62
    places.served("b")
    assert ask(64, "ebc") == [0, 0, 1], "b was not away: its last stretch took so long"
    assert ask(200, "b") == [0] and ask(203, "b") == [0], "alone nobody's turn ends"


def test_it_plays_pauses_and_is_worked_by_keys(page: Page, address: str):
    sent: list[object] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.goto(f"{address}/laboratory?" + "&".join(f"{name}={value}" for name, value in SMALL.items()))
    bench = page.locator(".lab")
    expect(bench.locator(".at")).to_have_text("step 0")
    page.wait_for_selector(IDLE)
    page.wait_for_function("document.documentElement.dataset.appears === 'now'")
    bench.locator(".play").click()
    expect(bench.locator(".at")).not_to_have_text("step 0")
    bench.locator(".play").click()
    expect(bench.locator(".said")).to_contain_text("gradients) finds")
    page.wait_for_url(re.compile(r"lab_steps=\d+"))
    stood = bench.locator(".at").inner_text()
    assert f"lab_steps={stood.removeprefix('step ')}" in page.url

    sent.clear()
    page.wait_for_timeout(1500)
    assert not sent and bench.locator(".at").inner_text() == stood, "a paused laboratory asks for nothing"

    canvas = bench.locator(".twin.A canvas")
    canvas.focus()
    page.keyboard.press("ArrowRight")
    expect(bench.locator(".twin.A .pointed")).to_contain_text("true worst")
    expect(bench.locator(".twin.B .pointed")).to_contain_text("‖r‖")
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + box["width"] - 20, box["y"] + 20)
    expect(bench.locator(".twin.A .pointed")).to_contain_text("z (")
    inked = page.evaluate("""() => { const c = document.querySelector('.twin.A canvas');
      return new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size }""")
    assert inked > 50, "something is drawn"
    bench.locator("[data-layer=a]").click()
    page.wait_for_url(re.compile(r"lab_show=\w*a"))
    bench.locator(".critic").click()
    page.wait_for_url(re.compile(r"lab_past=\d+.critic"))


def test_a_strangers_gan_of_points_is_where_the_twins_begin(monkeypatch):
    monkeypatch.setattr("session.visitors.is_operator", lambda: True)
    file = saved({"generator": GENERATOR.state_dict(), "critic": CRITIC.state_dict()})
    test = app("laboratory", **SMALL)
    test.file_uploader[0].set_value([("points.pth", file, "")]).run()
    assert not test.exception and stands(test).settings.start is not None
    assert "2–16–16–2" in " ".join(one.value for one in test.caption)
    asked(test, "play", stride=1)
    assert stands(test).steps > 0
    next(one for one in test.button if one.label == "Leave it").click().run()
    assert stands(test).settings.start is None and stands(test).steps == 0
    test.file_uploader[0].set_value([("none.pth", b"nothing", "")]).run()
    assert test.error and not test.exception
