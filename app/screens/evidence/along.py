"""Views of the Evidence along ε: degradation curves and break points."""

from __future__ import annotations

import streamlit as st
from components.pieces import PLAIN, download, legend, said, table
from screens.evidence.works import REPEATS, Asked, Found
from session.waiting import value
from theme.language import MARKS

from rgan.common.files import as_csv
from rgan.common.formatting import per_cent
from rgan.metrics.judges import BAD
from rgan.report import rows as evidence_rows
from rgan.report.charts import robustness
from rgan.robustness.curves import METRICS, MOVED, Curves, RobustnessCurve, curve, difference
from rgan.robustness.minimal_radius import PARTS, TOLERANCE, MinimalRadii, later_words


def curves(asked: Asked, found: Found) -> None:
    """Badness, share of bad images, loss and FID against ε."""
    task = found[asked.sweep_key]
    state: Curves | None = value(task) if task.done else task.so_far
    legend(asked)
    if state is None:
        return
    radius = asked.attack.radii[0]
    st.caption(
        f"Bands: lowest and highest of {max(1, state.finished)} of {REPEATS} draws of noise, "
        f"{sum(len(block.z) for block in state.repeats('A')[0])} samples each."
        + ("" if state.scorable else " FID needs more samples: choose 128 or 256.")
    )
    key = repr((asked.sweep_key, state.finished or state.share))
    floors = {"fid": state.real_fid}
    left, right = st.columns(2, gap="large")
    for metric, column in zip(METRICS, (left, right, left, right), strict=True):
        lines = {
            (side, kind): line
            for side in state.blocks
            for kind in MOVED
            if (line := _curve(key, side, kind, metric, state)) is not None
        }
        if not lines:
            continue
        column.html(
            f'<div class="chart-title"><b>{METRICS[metric][0].upper()}{METRICS[metric][1:]}</b>, '
            f"{_about(metric, asked)}</div>"
        )
        column.plotly_chart(
            robustness.degradation(lines, metric, radius, floor=floors.get(metric)),
            key=f"curve:{metric}", config=PLAIN, width="stretch",
            alt=f"{METRICS[metric][0]} against ε, A and B, worst and random noise",
        )  # fmt: skip
    between = {kind: difference(state, kind) for kind in MOVED}
    st.html(
        '<div class="chart-title"><b>B beyond A</b>, points of badness that moving adds in B more than in A, the same '
        "noise in both, with 95 % intervals over all samples. Above 0: B suffers more.</div>"
    )
    radii = (0.0, *asked.plan.radii)
    st.plotly_chart(
        robustness.differences(radii, between, radius),
        key="curve:between",
        config=PLAIN,
        width="stretch",
        alt="Badness that moving adds in B beyond A, against ε",
    )
    if task.done:
        download("curves", as_csv(evidence_rows.curves(state)), "curves.csv")


@st.cache_resource(max_entries=512, show_spinner=False)
def _curve(key: str, side: str, kind: str, metric: str, _state: Curves) -> RobustnessCurve | None:
    """`key` tells all states of a sweep apart whose curves differ."""
    return curve(_state, side, kind, metric)


def _about(metric: str, asked: Asked) -> str:
    plan = asked.plan
    return {
        "badness": "mean over images",
        "bad": f"badness {per_cent(BAD, 0)} or more",
        "loss": "each by its own critic: compare shapes, not heights",
        "fid": f"{plan.samples} images against {len(asked.judge.reference)} real ones; dashed: as many real ones",
    }[metric]


def breaks(asked: Asked, found: Found) -> None:
    """Where images break, as survival curves."""
    legend(asked)
    task = found[asked.breaks_key()]
    if not task.done:
        return
    points: dict[tuple[str, str], MinimalRadii] = value(task)
    st.html(
        '<div class="chart-title">Lines: share of images that have not been bad (further from real ones than '
        f"{per_cent(BAD, 0)} of held-out real images are) at any ε so far, with 95 % intervals. Marks: share that is "
        "not bad at this very ε.</div>"
    )
    st.plotly_chart(
        robustness.survival(points, asked.attack.radii[0]),
        key="survival",
        config=PLAIN,
        width="stretch",
        alt="Share of images not yet bad against ε, A and B, worst and random noise",
    )
    rows: dict[str, list[list[str]]] = {"A": [], "B": []}
    for (side, kind), one in points.items():
        starts = f"{one.at_once} of {len(one.radius)}"
        cells = [f"{MARKS[kind]}&nbsp;{kind}", starts, str(one.censored), one.median_words(), str(one.recovered)]
        rows[side].append(cells)
    end = f"Never bad up to ε {asked.plan.radii[-1]:g}"
    table(("Noise", "Bad before moving", end, "In the middle", "Good again further out"), rows)
    words = later_words(points["A", "worst"], points["B", "worst"])
    if words:
        said(
            (
                words,
                "Break points are the first crossings seen on the path that the search has found: each step between "
                f"two radii is looked at in {PARTS} parts, and a crossing narrowed down to a {1 / TOLERANCE:.0f}th of "
                "the step. Another search may break an image earlier. Badness goes up and down along a path, since the "
                "search follows the critic and not the judge: every further ε is one more chance to have been bad "
                "once, for random noise as well. Compare worst with random, and lines with marks.",
            )
        )
    download("break points", as_csv(evidence_rows.breaks(points)), "break-points.csv")
