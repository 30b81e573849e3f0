"""Markup of the app's own templates: what comes from a stranger's file is shown, and never becomes markup."""

import sys

import numpy as np
import pytest

from rgan.report.parts import Cell, Picture, Row, Table
from rgan.robustness.checks import Check
from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "app"))

from components import board
from theme import language
from theme.html import part

NAME = "one <b onclick=\"x\"> & 'two'"
PICTURE = Picture(b"", NAME, NAME)


@pytest.mark.parametrize(
    "html",
    [
        language.model_title("A", NAME, NAME, language.stamp(NAME)),
        language.heading(NAME, language.live_stamp(NAME, False, 1.0)),
        language.title(NAME),
        language.marked("worst", NAME),
        board.card(NAME, NAME, NAME, np.zeros((2, 4, 4, 1), np.uint8)),
        part("board.html", "facts", [(NAME, NAME)]),
        part("board.html", "shown", "A", NAME, PICTURE),
        part("checkpoints.html", "check", "good", NAME, [NAME], [NAME]),
        part("checkpoints.html", "tried", [(PICTURE, NAME)]),
        part("evidence.html", "legend", {"A": NAME}, "1", "0", 10),
        part("evidence.html", "table", Table((NAME,), (Row((Cell(NAME),), "A"),))),
        part("macros.html", "checks", [Check(NAME, "poor", NAME, NAME, NAME)]),
        part("macros.html", "claims", [NAME]),
    ],
)
def test_a_name_is_shown_and_is_no_markup(html):
    assert "<b onclick" not in html and "'two'" not in html
    assert "one &lt;b onclick=&#34;x&#34;&gt; &amp; &#39;two&#39;" in html
