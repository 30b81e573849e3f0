"""Lemmas 0.4 and 0.5: what their bounds ask for, beside what a model's own critic shows."""

from __future__ import annotations

import streamlit as st
from components.finding import finding, progress
from components.pieces import chart
from controls.draw import choose, draw, stop_without
from controls.settings import settings_panel
from controls.two_models import classes
from session.state import load, models, shown, want
from session.table import ERROR, FAILURE, WEIGHT_SLOPE, A
from session.tasks import Task
from session.waiting import redrawn, value
from theme.html import part

from rgan.common.formatting import decimal
from rgan.data.datasets import KNOWN
from rgan.models.gan import Gan
from rgan.report.charts import theory
from rgan.report.parts import Cell, Chart, Row, Table
from rgan.robustness.finding import Finding
from rgan.theory.sample_bounds import Measured, measure, samples_for_critic, samples_for_generator, tail

ABOUT = r"""
$$m\ \ge\ \frac{C\,\Delta_B^2 k_x^2}{\varepsilon^2}
\Big(N\log\frac{k_\theta N}{\varepsilon}+\log\frac1\eta\Big)\tag{15}$$
$$m\ \ge\ \frac{C_g\,\Delta_{z}^2 k_x^2 k_z^2}{\varepsilon^2}
\Big(N_g\log\frac{k_\theta k_\varphi N_g}{\varepsilon}+\log\frac1\eta\Big)\tag{17}$$

**m** samples, **N**, **N_g** weights of critic and generator, **k** largest slopes, **Δ** largest distances, **ε** the
largest |V_m − V|, **η** how often it may be larger, **C** a constant that the paper leaves open and is 1 here.

**What needs care.** The slopes and distances are measured on a few images: the true ones are larger, so more is asked
for. Δ_z is infinite under a normal prior, and only measured here. The dashed line on the right is McDiarmid's bound
(25) for this one critic; the lemma takes it for all critics at once, which is where N enters. V is that of the file's
real images and as many generated ones, and m of them are drawn with replacement, so that V is known exactly. That this
critic was trained on the real images is not part of it.
"""


def show() -> None:
    """Draw it, for the chosen model."""
    names = tuple(models())
    with settings_panel(in_browser=False):
        name = choose(A, names)
        error, failure, weight_slope = draw(ERROR), draw(FAILURE), draw(WEIGHT_SLOPE)
    stop_without(names, name)
    classes(load(name))
    gan = shown(name)
    key = ("theory", gan.digest)
    task: Task[Measured] = want({key: lambda report: measure(gan, report=report)})[key]
    redrawn(
        lambda: _shown(name, gan, value(task), error, failure, weight_slope) if task.done else _awaited(name, task),
        waiting=not task.done, over=lambda: task.done,
    )  # fmt: skip


def _awaited(name: str, task: Task[Measured]) -> None:
    waiting, share = progress(f"Measuring the slopes of {name}", [task])
    finding(None, ABOUT, "", waiting=waiting, share=share)


def _shown(name: str, gan: Gan, found: Measured, error: float, failure: float, weight_slope: float) -> None:
    had = trained_with(gan)

    def critic(at: float) -> float:
        return samples_for_critic(found.slope, weight_slope, found.diameter, found.critic_weights, at, failure)

    def generator(at: float) -> float:
        return samples_for_generator(
            found.slope,
            found.noise_slope,
            weight_slope,
            1.0,
            found.noise_diameter,
            found.generator_weights,
            at,
            failure,
        )

    enough = next((size for size, each in found.gaps.items() if theory.quantile(each) <= error), None)
    own = (
        f"its own |V_m − V| is below {error:g} in 95 % of draws from m = {enough} on"
        if enough is not None
        else f"its own |V_m − V| is above {error:g} in more than 5 % of draws of m = {max(found.gaps)}"
    )
    finding(
        Finding(
            f"For ε = {error:g} Lemma 0.4 asks for {_large(critic(error))} images and there were {had:,}; {own}. "
            "The bound explains what matters, not how much is needed.",
            (f"Lemma 0.5 asks for {_large(generator(error))} noise vectors", f"V = {decimal(found.value, 3)}"),
        ),
        ABOUT,
        f"{found.repeats} draws of each m",
    )
    left, right = st.columns(2, gap="large")
    errors = ERROR.options
    samples = {"Lemma 0.4": [critic(one) for one in errors], "Lemma 0.5": [generator(one) for one in errors]}
    chart(
        Chart(
            "theory-asked", theory.asked(errors, samples, had),
            f"Samples asked for against ε; {had:,} there were",
            "Samples asked for: blue Lemma 0.4, orange 0.5; dashed: there were",
        ),
        left,
    )  # fmt: skip
    bound = {size: next((g for g in _GAPS if tail(size, g, found.slope, found.diameter) <= 0.05), _GAPS[-1])
             for size in found.gaps}  # fmt: skip
    chart(
        Chart(
            "theory-gaps", theory.gaps(found, bound), f"Measured gaps of {name} against m",
            "Measured |V_m − V|: 95 % stay below ▲; dashed: promised by (25)",
        ),
        right,
    )  # fmt: skip
    rows = (
        ("N, weights of the critic", f"{found.critic_weights:,}"),
        ("N_g, weights of the generator", f"{found.generator_weights:,}"),
        ("k_x, steepest slope of log D found", f"{found.slope:.3g}"),
        ("k_z, steepest slope of G found", f"{found.noise_slope:.3g}"),
        ("Δ_B, largest distance of two images found", f"{found.diameter:.3g}"),
        ("Δ_z, largest distance of two noise vectors found", f"{found.noise_diameter:.3g}"),
    )
    table = Table((name, "measured"), tuple(Row((Cell(words), Cell(number))) for words, number in rows), numbers=1)
    st.html(part("evidence.html", "table", table))


_GAPS = [10 ** (k / 50) for k in range(-100, 401)]  # of |V_m − V|, rising


def trained_with(gan: Gan) -> int:
    """How many images it was trained on, as its file or the name of its data set tells; 0 if neither does."""
    told = gan.trained_on.told.partition("-")[0]
    known = KNOWN[gan.data].what if gan.data in KNOWN else ""
    words = known.partition(" ")[0].replace(",", "")
    return int(told) if told.isdigit() else int(words) if words.isdigit() else 0


def _large(number: float) -> str:
    """ "5.8·10¹³"."""
    base, _, power = f"{number:.1e}".partition("e")
    return f"{base}·10{str(int(power)).translate(str.maketrans('-0123456789', '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'))}"
