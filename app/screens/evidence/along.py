"""Views of the Evidence along ε: robustness curves and minimal radii."""

from __future__ import annotations

import itertools

import streamlit as st
from components.pieces import chart, download, legend, note, said, table
from screens.evidence.works import REPEATS, Asked, Found
from session.waiting import value

from rgan.common.files import as_csv
from rgan.report import evidence
from rgan.report import rows as evidence_rows
from rgan.report.parts import Chart
from rgan.robustness.curves import METRICS, Curves
from rgan.robustness.minimal_radius import PARTS, TOLERANCE, MinimalRadii


def curves(asked: Asked, found: Found) -> None:
    """Badness, share of bad images, loss and FID against ε."""
    task = found[asked.sweep_key]
    state: Curves | None = value(task) if task.done else task.so_far
    legend(asked)
    if state is None:
        return
    st.caption(
        f"Bands: lowest and highest of {max(1, state.finished)} of {REPEATS} draws of noise, "
        f"{sum(len(block.z) for block in state.repeats('A')[0])} samples each."
        + ("" if state.scorable else " FID needs more samples: choose 128 or 256.")
    )
    key = repr((asked.sweep_key, state.finished or state.share))
    charts = _charts(key, asked.attack.radii[0], len(asked.judge.reference), state)
    left, right = st.columns(2, gap="large")
    for metric, column in zip(METRICS, itertools.cycle((left, right)), strict=False):
        if metric in charts:
            chart(charts[metric], column)
    chart(evidence.between(state, asked.attack.radii[0]))
    if task.done:
        download("curves", as_csv(evidence_rows.curves(state)), "curves.csv")


@st.cache_resource(max_entries=64, show_spinner=False)
def _charts(key: str, radius: float, real: int, _state: Curves) -> dict[str, Chart]:
    """`key` tells all states of a sweep apart whose curves differ."""
    return evidence.curves(_state, radius, real=real)


def minimal_radius(asked: Asked, found: Found) -> None:
    """Where images break, as survival curves."""
    legend(asked)
    task = found[asked.minimal_radii_key()]
    if not task.done:
        return
    points: dict[tuple[str, str], MinimalRadii] = value(task)
    section = evidence.minimal_radius(points, asked.attack.radii[0])
    survival = section.charts["survival"]
    note(survival.about)
    chart(survival)
    table(section.table)
    if section.said:
        said(
            (
                *section.said,
                "Minimal radii are the first crossings seen on the path that the search has found: each step between "
                f"two radii is looked at in {PARTS} parts, and a crossing narrowed down to a {1 / TOLERANCE:.0f}th of "
                "the step. Another search may break an image earlier. Badness goes up and down along a path, since the "
                "search follows the critic and not the judge: every further ε is one more chance to have been bad "
                "once, for random noise as well. Compare worst with random, and lines with marks.",
            )
        )
    download("minimal radii", as_csv(evidence_rows.minimal_radius(points)), "break-points.csv")
