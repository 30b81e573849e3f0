"""Proposition 0.1: a loss drawn by hand, points P₀, and the worst distribution near them, found in two ways."""

from __future__ import annotations

import numpy as np
import streamlit as st
from components.finding import finding
from components.pieces import chart
from controls.draw import draw
from controls.settings import settings_panel
from screens.theory.curve import curve as drawing
from screens.theory.drawn import LOSSES, Drawn, read
from session import chosen
from session.address import moved
from session.table import CURVE, GAMMA, RHO, STARTS
from theme.html import part
from theme.language import heading

from rgan.common.formatting import decimal
from rgan.report.charts import theory
from rgan.report.parts import Cell, Chart, Row, Table
from rgan.robustness.finding import Finding
from rgan.theory.worst_distribution import (
    Vector,
    Worst,
    by_inner_maximum,
    by_linear_programme,
    inner_maximum,
    robust_values,
)

RADII = np.linspace(0, 6, 61)
ABOUT = r"""
$$\sup_{P}\{\mathbb E_P[l(X)]-\gamma\,W(P,P_0)\}
=\mathbb E_{x_0\sim P_0}\big[\sup_x\{l(x)-\gamma\,d(x,x_0)\}\big]\tag{4}$$

**l** the loss, **P₀** where the mass is, **P** where it goes, **d** = (x − x₀)² what moving costs, **W** the least mean
cost of turning P₀ into P, **ρ** the most that may be spent, **γ** (the paper's λ from (5) on) the price of a unit.

**What needs care.** The paper prints P from the ball of radius ρ on the left. There (4) is an equality only where γ is
at least the price that belongs to ρ; below it the right side is larger, as the table shows. With all P it always holds
(Sinha et al. 2017), for a fixed γ, and without ρ. A loss that grows faster than γ(x − x₀)² has no worst distribution:
both sides are infinite. Here x stays between −3 and 3, so one is always attained.
"""


def show(curve: str, starts: str) -> None:
    """Draw it, of the loss and the points that the address gives."""
    drawn = read(curve, starts)
    ground = drawn.ground
    with settings_panel(in_browser=False):
        radius, price = draw(RHO), draw(GAMMA)
        st.button("Set γ to the price of ρ", on_click=_meet, args=(drawn,), icon=":material/link:", width="stretch")
    worst, programme = by_inner_maximum(ground, radius), by_linear_programme(ground, radius)
    clean = float(ground.mass @ ground.loss[ground.starts])
    finding(
        Finding(
            f"Moving P₀ by a mean square of at most {radius:g} raises the loss from {decimal(clean, 2)} to "
            f"{decimal(worst.value, 2)}; a price of γ = {decimal(worst.price, 3)} leads to the same moves.",
            (f"linear programme {programme.value:.6f}, inner maximum {worst.value:.6f}",),
            () if drawn.understood else ("the address holds no loss or points that can be read: these are the usual",),
        ),
        ABOUT,
        "draw the loss; a click under it sets a point of P₀",
    )
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.html(heading("The loss, P₀ ● and the worst distribution within ρ ▲"))
        drawing(drawn, worst, lambda text: moved(CURVE, text), lambda text: moved(STARTS, text))
        with st.container(horizontal=True, gap="small"):
            for name, one in LOSSES.items():
                st.button(name, on_click=moved, args=(CURVE, one), key=f"loss:{name}")
    values, _ = _curve(drawn.knots.tobytes(), drawn.starts)
    one = theory.robust_loss(RADII, values, radius, worst.value, worst.price, programme.value)
    words = "The worst loss against ρ; its slope is the price γ"
    chart(Chart("theory-rho", one, f"{words}: {worst.value:.3g} at ρ {radius:g}", words), right)
    st.html(part("evidence.html", "table", _table(drawn, radius, price, worst, programme)))


@st.cache_data(max_entries=64, show_spinner=False)
def _curve(knots: bytes, starts: tuple[int, ...]) -> tuple[Vector, Vector]:
    return robust_values(Drawn(np.frombuffer(knots), starts, True).ground, RADII)


def _meet(drawn: Drawn) -> None:
    worst = by_inner_maximum(drawn.ground, chosen.current(RHO))
    chosen.put(GAMMA, min(GAMMA.high, float(np.ceil(1000 * worst.price) / 1000)))


def _table(drawn: Drawn, radius: float, price: float, worst: Worst, programme: Worst) -> Table:
    """Both sides of the robust problem, and of (4), each computed for itself."""
    ground = drawn.ground
    inner, least, most = inner_maximum(ground, price)
    left = by_linear_programme(ground, radius, price)
    dual = worst.price * radius + inner_maximum(ground, worst.price)[0]
    printed = left.value - price * left.spent
    spends = f"{least:.3f}" if most - least < 1e-6 else f"{least:.3f} to {most:.3f}"
    rows = (
        ("Worst E_P[l] within ρ, by the linear programme (3)", programme.value, f"W = {programme.spent:.3f}"),
        (f"min over γ of γρ + E sup(l − γd), at γ = {worst.price:.3f}", dual, "equal: strong duality"),
        (f"Left of (4) as printed, P within ρ, at γ = {price:g}", printed, f"W = {left.spent:.3f}"),
        (f"Right of (4), at γ = {price:g}", inner, f"its P spends W = {spends}"),
    )
    said = "equal" if abs(printed - inner) < 1e-6 else f"the right is larger by {inner - printed:.3f}: γ is too small"
    return Table(
        ("Computed for itself", "Value", "Note"),
        (
            *(Row((Cell(words), Cell(f"{value:.4f}"), Cell(note))) for words, value, note in rows),
            Row((Cell("Left and right of (4)"), Cell(""), Cell(said))),
        ),
    )
