"""Lemmas 0.2 and 0.3: two distributions on a line, their worst ones, and the critic that is best against these."""

from __future__ import annotations

import math

import numpy as np
import streamlit as st
from components.finding import finding
from components.pieces import chart
from controls.draw import draw
from controls.settings import settings_panel
from scipy.stats import norm
from screens.theory.drawn import PLACES
from session import chosen
from session.table import FAKE_MEAN, FAKE_RHO, FAKE_SPREAD, MIX, REAL_RHO

from rgan.common.formatting import decimal
from rgan.report.charts import theory
from rgan.report.charts.basic import COLOURS, NEUTRAL
from rgan.report.parts import Chart
from rgan.robustness.finding import Finding
from rgan.theory.game import (
    Game,
    Solved,
    by_the_lemma,
    distance,
    jensen_shannon,
    optimised_critic,
    robust_value,
    solve,
)
from rgan.theory.worst_distribution import Vector

LINE = PLACES[::2] * 4 / 3  # from −4 to 4
REAL = (-1.0, 0.5)  # mean and standard deviation of p_r
PASSES = 8  # times that the lemma's formula is taken
ABOUT = r"""
$$D^*(x)=\frac{p_r^\lambda(x)}{p_r^\lambda(x)+p_g^\lambda(x)},\qquad
V(G,D^*)=-2\log 2+2\,\mathrm{JSD}(p_r^\lambda\,\|\,p_g^\lambda)\tag{12, 21}$$

**p_r**, **p_g** where real and generated images lie, **p′** their worst distributions within ρ, **pλ** = (1 − λ)p + λp′
the mixtures, **D** the critic, **V** what it maximises, **JSD** the Jensen-Shannon divergence.

**What needs care.** p′ is worst *for D*, so D* is defined by itself. Taken once, for the critic of p_r and p_g, the
formula gives a critic against which other distributions are worse. The optimum is where both answer each other: it is
found here by the method of Frank & Wolfe, each of whose steps is Proposition 0.1, and the gap says how far from it the
answer can be. The paper prints (1 − log D) for log(1 − D), and in (9) and (11) sup where the critic’s adversary takes
inf.

**Lemma 0.3.** p_r^λ = p_g^λ does not mean p_r = p_g: from λ = ½, and with balls that reach from one to the other, the
worst distributions change places and no critic sees a difference.
"""


def show() -> None:
    """Draw it."""
    with settings_panel(in_browser=False):
        weight, real_radius, fake_radius = draw(MIX), draw(REAL_RHO), draw(FAKE_RHO)
        mean, spread = draw(FAKE_MEAN), draw(FAKE_SPREAD)
        st.button(
            "Where does the game go blind?", on_click=_blind, args=(mean, spread), icon=":material/visibility_off:",
            width="stretch",
        )  # fmt: skip
    game = _game(weight, real_radius, fake_radius, mean, spread)
    solved, lemma, points = _solved(game.weight, game.real_radius, game.fake_radius, mean, spread)
    values = [robust_value(game, critic) for critic in lemma]
    chance = -2 * math.log(2)
    if solved.value - chance <= 2 * max(solved.gap, 1e-3) and jensen_shannon(game.real, game.fake) > 0.01:
        words = (
            "The game is blind here: real and generated ones differ, their mixtures with the worst distributions do "
            "not, and no critic does better than chance."
        )
    else:
        words = (
            f"Against the worst distributions the best critic reaches V = {decimal(solved.value, 2)}; the lemma’s "
            f"formula, taken once, {decimal(values[1], 2)}, and the best critic of a plain GAN {decimal(values[0], 2)}."
        )
    finding(
        Finding(
            words,
            (
                f"2·JSD − 2 log 2 of the mixtures {decimal(solved.value, 4)}: at most {solved.gap:.4f} too large",
                f"chance {decimal(chance, 4)}",
            ),
        ),
        ABOUT,
        f"{solved.steps} steps of Frank & Wolfe",
    )
    left, right = st.columns(2, gap="large")
    one = Chart(
        "theory-densities", theory.densities(game, solved), "Densities of p_r, p_g and their worst distributions",
        "Real in blue, generated in orange; dashed their worst distributions",
    )  # fmt: skip
    chart(one, left)
    shown: dict[str, tuple[Vector, str, str]] = {
        "best of a plain GAN": (lemma[0], NEUTRAL, "dot"),
        "the lemma’s, taken once": (lemma[1], COLOURS["B"], "dash"),
        "best against its worst": (solved.critic, COLOURS["A"], "solid"),
    }
    chart(
        Chart(
            "theory-critics", theory.critics(game, shown, points), "Three critics over x",
            "Critics: solid best against its worst, dashed the lemma’s, dotted a plain GAN’s",
        ),
        right,
    )  # fmt: skip
    chart(
        Chart(
            "theory-passes", theory.passes(values, solved.value, solved.gap),
            f"V of the lemma’s critic, pass by pass: {', '.join(decimal(value, 2) for value in values)}; the game’s "
            f"value: {decimal(solved.value, 2)}",
            "The lemma’s formula taken again and again, against the worst answer to it; the line: the game’s value",
        )
    )  # fmt: skip


def _game(weight: float, real_radius: float, fake_radius: float, mean: float, spread: float) -> Game:
    real, fake = (norm.pdf(LINE, *one) for one in (REAL, (mean, spread)))
    return Game(LINE, real / real.sum(), fake / fake.sum(), weight, real_radius, fake_radius)


@st.cache_data(max_entries=256, show_spinner="Solving the game …")
def _solved(
    weight: float, real_radius: float, fake_radius: float, mean: float, spread: float
) -> tuple[Solved, list[Vector], Vector]:
    game = _game(weight, real_radius, fake_radius, mean, spread)
    solved = solve(game)
    mixed = game.mixtures(solved.worst_real, solved.worst_fake)
    return solved, by_the_lemma(game, PASSES), optimised_critic(*mixed)


def _blind(mean: float, spread: float) -> None:
    game = _game(0.5, 0.0, 0.0, mean, spread)
    far = distance(game.places, game.real, game.fake)
    chosen.put(MIX, 0.5)
    for control in (REAL_RHO, FAKE_RHO):
        chosen.put(control, min(control.high, float(np.ceil(20 * far) / 20)))
