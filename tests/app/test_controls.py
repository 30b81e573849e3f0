"""The table of controls: links say all of it, whatever stands in them is read, and the widgets read the same."""

import math
import sys
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import tiny_models
from tests.app.test_screens import OF_TWO, app
from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "app"))

from components import tour
from controls import lock
from session.control import Named, Number, OneOf, Switch
from session.table import CONTROLS, GROUPS, query

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
MANY = settings(derandomize=True, deadline=None, max_examples=50)


def values(control):
    """All that a control may be."""
    if isinstance(control, Number):
        between = st.integers if isinstance(control.default, int) else st.floats
        return between(control.low, control.high)
    if isinstance(control, OneOf):
        return st.sampled_from(control.options)
    return st.booleans() if isinstance(control, Switch) else NAMES


STATES = st.fixed_dictionaries({}, optional={key: values(control) for key, control in CONTROLS.items()})
NO_NUMBERS = ("", " ", "nan", "-nan", "[1, 2]", "1,2", "None", "0x10", "½")
ODD = (*NO_NUMBERS, "inf", "-inf", "1e400", "-1e400", "٣", "9" * 5000)
WORDS = st.one_of(NAMES, st.floats().map(repr), st.integers().map(str), st.sampled_from(ODD))


def possible(control, value) -> bool:
    """Whether a control may be this."""
    if type(value) is not type(control.default):
        return False
    if isinstance(control, Number):
        return control.low <= value <= control.high and math.isfinite(value)
    return value in control.options if isinstance(control, OneOf) else True


@MANY
@given(state=STATES)
def test_any_state_comes_back_from_its_link(state):
    link = dict(parse_qsl(urlencode(query(**state)), keep_blank_values=True))
    assert link.keys() == state.keys()
    assert {key: CONTROLS[key].read(text) for key, text in link.items()} == state


@MANY
@given(texts=st.fixed_dictionaries(dict.fromkeys(CONTROLS, WORDS)))
def test_whatever_a_link_says_is_moved_into_the_range_or_becomes_the_default(texts):
    for key, text in texts.items():
        control = CONTROLS[key]
        value = control.read(text)
        assert possible(control, value), (key, text, value)
        if text in NO_NUMBERS and not isinstance(value, str):
            assert value == control.default


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [("pick", "777", 256), ("pick", "-1e400", 1), ("budget", "77", "standard"),
     ("eps", "-3", 0.0), ("seed", "inf", 2**31 - 3), ("lam", "0.3", 0.2),
     ("lam", "1e400", 20.0), ("samples", "100", 128), ("trials", "words", 20), ("shell", "TRUE", True),
     ("shell", "2", False), ("system", "WGAN-GP", "wgan-gp"), ("system", "no", "dcgan"), ("a", "", "faces-dcgan")],
)  # fmt: skip
def test_the_nearest_is_taken(key, text, value):
    assert CONTROLS[key].read(text) == value


def test_the_defaults_are_possible_and_every_entry_has_one_name():
    for key, control in CONTROLS.items():
        assert control.key == key and possible(control, control.default), key
        assert isinstance(control, Named) or control.read(control.write(control.default)) == control.default


def test_the_tour_asks_for_what_is_possible():
    for step in tour.STEPS:
        for key, value in step.settings.items():
            assert possible(CONTROLS[key], value), (step.title, key, value)


def test_a_lock_names_groups_and_controls():
    everything = [control.key for group in GROUPS.values() for control in group]
    assert lock.keys(",".join(GROUPS)) == tuple(everything) == lock.HIDEABLE
    assert lock.parameter(everything) == ",".join(GROUPS)
    assert lock.keys("models, lam,nothing") == ("a", "b", "lam") and lock.parameter(["lam", "b", "a"]) == "models,lam"


def drawn(test) -> dict[str, object]:
    """What the widgets of the table's controls have, by their keys."""
    kinds = ("slider", "select_slider", "number_input", "toggle", "text_input", "selectbox", "segmented_control")
    return {one.key: one.value for kind in kinds for one in test.get(kind) if one.key in CONTROLS}


LINKS = (
    ("worst_noise", {"eps": "1.25", "lam": "0.10", "budget": "live", "samples": "16", "seed": "3.7", "shell": "true"}),
    ("worst_noise", {"eps": "nan", "lam": "inf", "budget": "0", "samples": "20", "seed": "1e9", "method": "one-step"}),
    ("worst_noise", {"pick": "70", "samples": "16", "budget": "live", "method": "1"}),
    ("embeddings", {"points": "90", "map": "PCA", "panel": "a noise", "eps": "words", "arrows": "TRUE"}),
    ("embeddings", {"points": "100", "map": "PCA", "panel": "b worst images", "e2b": "9", "side": "B"}),
    ("blind_test", {"trials": "12", "question": "robust", "seed": "-1e400", "eps": "0.5"}),
    ("train", {"width": "20", "latent": "1e400", "iterations": "1e400", "e1": "inf", "weight": "0.25", "robust": "own",
               "train_seed": "-1e400", "system": "WGAN-GP", "solver_steps": "x", "data": "digits"}),
)  # fmt: skip


@pytest.mark.parametrize(("screen", "asked"), LINKS)
def test_the_widgets_read_links_as_the_table_does(screen, asked):
    test = app(screen, **asked)
    assert not test.exception
    found = drawn(test)
    asked = (dict(zip("ab", tiny_models.PAIR, strict=True)) if screen in OF_TWO else {}) | asked
    if screen == "worst_noise":  # the stage has these two
        found |= {key: test.session_state[key] for key in ("eps", "pick")}
    assert set(asked) <= set(found)
    narrowed = {"eps": 4.0, "pick": 16}  # the largest ε of these models, and the number of samples
    usual = {"samples": 16, "against": "judge"} if screen == "worst_noise" else {"against": "judge"}
    found.pop("run", None)  # the runs at hand are other tests'
    for key, value in found.items():
        expected = CONTROLS[key].read(asked[key]) if key in asked else usual.get(key, CONTROLS[key].default)
        if key in ("eps", "pick") and screen == "worst_noise":
            assert value == expected, "moved into the range of the models where it is used"
            continue
        assert value == (min(expected, narrowed[key]) if key in narrowed else expected), key


@pytest.mark.parametrize(
    ("former", "now"),
    [({"steps": "3"}, "live"), ({"steps": "4", "restarts": "4"}, "standard"),
     ({"restarts": "8", "steps": "50"}, "strong"), ({"steps": "x"}, "live"),
     ({"steps": "40", "budget": "live"}, "live")],
)  # fmt: skip
def test_links_with_steps_and_starts_lead_to_the_smallest_budget_that_has_them(former, now):
    test = app("embeddings", **former)
    assert not test.exception and test.query_params["budget"] == now
    assert not {"steps", "restarts"} & set(test.query_params)


@pytest.mark.parametrize(("former", "now"), [("Break points", "Minimal radius"), ("Search health", "Checks")])
def test_links_with_the_old_words_lead_to_the_same_view(former, now):
    test = app("evidence", view=former, samples="16", budget="live")
    assert not test.exception and test.segmented_control(key="view").value == now
