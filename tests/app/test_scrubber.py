"""The slider through the pictures of a training: it follows the latest, and passes over what is not trained yet."""

from streamlit.testing.v1 import AppTest

from tests.conftest import ROOT

LAST, REACHED = 2000, 300
APP = f"""
import sys
sys.path[:0] = [{str(ROOT / "app")!r}, {str(ROOT)!r}]
from types import SimpleNamespace as Some
import streamlit as st
from components.learning import scrubber

plan = Some(iterations={LAST})
st.text(scrubber([Some(plan=plan, iteration=at) for at in ({REACHED}, 0)]))
"""


def test_it_passes_over_what_no_training_has_reached():
    test = AppTest.from_string(APP).run()

    def moved(to: int) -> int:
        test.select_slider[0].set_value(to).run()
        assert not test.exception and test.select_slider[0].value == int(test.text[0].value)
        return int(test.text[0].value)

    drawn = [round(LAST * (k / 120) ** 2) for k in range(121)]
    there = [one for one in drawn if one <= REACHED]
    assert int(test.text[0].value) == LAST, "it opens at the latest"
    assert moved(drawn[-2]) == there[-1], "one step back leads to the last picture"
    assert moved(there[-5]) == there[-5]
    assert moved(drawn[-9]) == LAST, "and beyond that lies the latest"
