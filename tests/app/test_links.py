"""Links that ask for what there is not: said on every screen, and nothing slips into its place."""

import math
import sys
from pathlib import Path

import pytest

from tests import tiny_models
from tests.app.test_screens import OF_TWO, SCREENS, app
from tests.conftest import ROOT
from tests.nightly import mostly_nightly

sys.path.insert(0, str(ROOT / "app"))

from session.control import Named, Number, Text
from session.table import CONTROLS

KINDS = {
    "too large": "1e400",
    "too small": "-inf",
    "no number": "nan",
    "a list": "[1, 2]",
    "nothing": "",
    "twice": ["1", "2"],
}


@pytest.mark.parametrize("kind", mostly_nightly(KINDS, "too large"))
@pytest.mark.parametrize("screen", SCREENS)
def test_no_value_in_a_link_ends_a_screen(screen, kind):
    asked = {key: KINDS[kind] for key, one in CONTROLS.items() if not isinstance(one, (Named, Text))}
    test = app(screen, **asked)
    assert not test.exception
    drawn = [one for key, one in CONTROLS.items() if key in asked and key in test.session_state]
    for one in drawn:
        value = test.session_state[one.key]
        assert type(value) is type(one.default) and (not isinstance(one, Number) or math.isfinite(value))
    said = " ".join(toast.value for toast in test.toast)
    if kind in ("too large", "no number") and screen == "worst_noise":
        assert all(one.name in said for one in drawn if one.key in ("seed", "lam", "samples")), said


@pytest.mark.parametrize("screen", OF_TWO)
def test_a_model_that_is_not_here_is_said_and_stays_in_the_address(screen):
    test = app(screen, a="runs/gone`$x", b="runs/other", seed="7")
    (error,) = test.error
    assert r"runs/gone\`\$x and runs/other are not here" in error.value.replace(r"\-", "-").replace(r"\:", ":")
    assert (test.query_params["a"], test.query_params["b"]) == ("runs/gone`$x", "runs/other")
    assert test.selectbox(key="a").value == "runs/gone`$x"
    test.selectbox(key="a").set_value(tiny_models.PAIR[1]).run()
    assert "runs/other is not here" in test.error[0].value
    test.selectbox(key="b").set_value(tiny_models.PAIR[1]).run()
    assert not test.error and not test.exception


def test_a_model_deleted_in_another_tab_is_said_to_be_gone(runs):
    there = Path(runs / "checkpoint.safetensors")
    there.write_bytes(tiny_models.path(tiny_models.PAIR[0]).read_bytes())
    test = app(a="runs/test-broken")
    assert not test.error
    there.unlink()
    test.run()
    assert "is not here" in test.error[0].value and test.selectbox(key="a").value == "runs/test-broken"


@pytest.mark.parametrize("key", ["model", "a"])
def test_the_choices_of_checkpoints_are_kept_too(key):
    test = app("checkpoints", **{key: "gone"})
    assert [error.value.startswith("gone is not here") for error in test.error] == [True]
    assert test.selectbox(key=key).value == "gone"
