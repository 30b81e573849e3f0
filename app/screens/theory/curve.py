"""A loss that is drawn with the pointer, P₀ below it, and where its mass goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st
from screens.theory.drawn import HEIGHTS, MOST_STARTS, Drawn
from session.chosen import Slot
from theme.html import beside

from rgan.theory.worst_distribution import Worst

_TOLD = Slot[Any]("theory_curve", None)  # what the drawing says last
LEAST = 0.002  # of the mass: what moves less is not drawn
_mount = st.components.v2.component(
    "curve",
    css=beside(__file__, "css"),
    js=beside(__file__, "js"),
    html='<div class="curve-place"></div>',
    isolate_styles=False,
)  # fmt: skip


def curve(drawn: Drawn, worst: Worst, on_curve: Callable[[str], None], on_starts: Callable[[str], None]) -> None:
    """Draw it; `on_curve` is told of new heights, `on_starts` of other points of P₀, both as in the address."""
    ground = drawn.ground
    moves = [
        [int(ground.starts[row]), int(to), round(float(worst.plan[row, to]), 4)]
        for row, to in np.argwhere(worst.plan > LEAST)
    ]
    _mount(
        data={
            "loss": [round(float(one), 4) for one in ground.loss],
            "knots": [round(float(one), 4) for one in drawn.knots],
            "starts": list(drawn.starts),
            "moves": moves,
            "heights": HEIGHTS,
            "most": MOST_STARTS,
            "ends": [float(ground.places[0]), float(ground.places[-1])],
        },
        key=_TOLD.key,
        on_curve_change=lambda: on_curve(str(_TOLD.get().curve)),
        on_starts_change=lambda: on_starts(str(_TOLD.get().starts)),
    )
