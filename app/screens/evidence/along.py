"""Views of the Evidence along ε: robustness curves and minimal radii."""

from __future__ import annotations

import itertools

import streamlit as st
from components.pieces import chart, download, legend, numbers
from screens.evidence.works import Asked, Found
from session.waiting import value
from theme.html import part

from rgan.common.files import as_csv
from rgan.report import evidence
from rgan.report import rows as evidence_rows
from rgan.report.parts import Chart
from rgan.robustness import finding
from rgan.robustness.curves import METRICS, Curves
from rgan.robustness.finding import Finding
from rgan.robustness.first import REPEATS
from rgan.robustness.minimal_radius import PARTS, TOLERANCE


def _curves(asked: Asked, found: Found) -> Curves | None:
    task = found[asked.curves_key]
    state: Curves | None = value(task) if task.done else task.so_far
    return state


def curves_found(asked: Asked, found: Found) -> Finding | None:
    """From where on worst noise does more than random noise."""
    state = _curves(asked, found)
    return None if state is None else finding.curves(state)


def curves(asked: Asked, found: Found) -> None:
    """Badness, share of bad images, loss and FID against ε."""
    state = _curves(asked, found)
    legend(asked)
    if state is None:
        return
    charts = _charts(repr((asked.curves_key, state.finished or state.share)), asked.attack.radii[0],
                     len(asked.judge.reference), state)  # fmt: skip
    left, right = st.columns(2, gap="large")
    for metric, column in zip(METRICS, itertools.cycle((left, right)), strict=False):
        if metric in charts:
            chart(charts[metric], column)
    chart(evidence.between(state, asked.attack.radii[0]))
    st.caption(
        f"Bands: lowest and highest of {max(1, state.finished)} of {REPEATS} draws of noise, "
        f"{sum(len(block.z) for block in state.repeats('A')[0])} samples each."
        + ("" if state.scorable else " FID needs more samples: choose 128 or 256.")
    )
    with numbers():
        st.html(part("evidence.html", "table", evidence.along(state)))
        if found[asked.curves_key].done:
            download("curves", as_csv(evidence_rows.curves(state)), "curves.csv")


@st.cache_resource(max_entries=64, show_spinner=False)
def _charts(key: str, radius: float, real: int, _state: Curves) -> dict[str, Chart]:
    """`key` tells all states of a sweep apart whose curves differ."""
    return evidence.curves(_state, radius, real=real)


def minimal_radius_found(asked: Asked, found: Found) -> Finding | None:
    """Which model breaks later."""
    task = found[asked.minimal_key]
    return finding.minimal_radius(value(task).found) if task.done else None


def minimal_radius(asked: Asked, found: Found) -> None:
    """Where images break, as survival curves."""
    legend(asked)
    task = found[asked.minimal_key]
    if not task.done:
        return
    points = value(task).found
    section = evidence.minimal_radius(points, asked.attack.radii[0])
    chart(section.charts["survival"])
    with numbers():
        st.html(part("evidence.html", "table", section.table))
        count = len(points["A", "worst"].radius)
        st.caption(
            f"{section.charts['survival'].about} {count} samples: {REPEATS} draws of {asked.samples}. Minimal radii "
            "are the first crossings seen on the path that the search has found: each step between two radii is looked "
            f"at in {PARTS} parts, and a crossing narrowed down to a {1 / TOLERANCE:.0f}th of the step. Another search "
            "may break an image earlier, and an image may be good again further out, for the search follows the critic "
            "and not the judge."
        )
        download("minimal radii", as_csv(evidence_rows.minimal_radius(points)), "break-points.csv")
