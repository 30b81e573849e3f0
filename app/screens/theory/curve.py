"""A loss that is drawn with the pointer, P₀ below it, and where its mass goes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st
from screens.theory.drawn import HEIGHTS, MOST_STARTS, Drawn
from session.chosen import told
from theme.html import beside

from rgan.theory.worst_distribution import Worst

_KEY = "theory_curve"
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

    def drawn_anew() -> None:
        if (heights := told(_KEY, "curve")) is not None:
            on_curve(str(heights))

    def begun_elsewhere() -> None:
        if (starts := told(_KEY, "starts")) is not None:
            on_starts(str(starts))

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
        key=_KEY,
        on_curve_change=drawn_anew,
        on_starts_change=begun_elsewhere,
    )
