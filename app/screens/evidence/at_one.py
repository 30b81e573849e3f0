"""Views of the Evidence at one ε: the control, the shell, transfer, and the health of the search."""

from __future__ import annotations

from html import escape

import streamlit as st
from components.pieces import PLAIN, download, note, one_radius_of, said, table, titles
from screens.evidence.works import Asked, Found
from session.waiting import value
from theme.language import MARKS

from rgan.common.files import as_csv
from rgan.common.formatting import decimal, per_cent, signed
from rgan.report import rows as evidence_rows
from rgan.report.charts import robustness
from rgan.robustness import one_radius
from rgan.robustness.checks import WORDS, Check
from rgan.robustness.one_radius import STILL, OneRadius, Shell
from rgan.stats.intervals import Interval


def control(asked: Asked, found: Found) -> None:
    """Worst noise beside its controls."""
    note(
        "Badness of every image, as the judge sees it. Lines join the original with its worst; squares are means with "
        "95 % intervals."
    )
    columns, at_radius = dict(zip("AB", titles(asked), strict=True)), one_radius_of(asked, found)
    for side, one in at_radius.items():
        chart = robustness.strips(one, side)
        columns[side].plotly_chart(
            chart,
            key=f"strip:{side}",
            config=PLAIN,
            width="stretch",
            alt=f"{side}: badness of every image by kind of noise; the table has the means",
        )
    headings = ("Noise", "Badness", "Beyond original", "Bad", "Realism", "Entropy", "Loss")
    table(headings, {side: _kinds(one) for side, one in at_radius.items()})
    if len(at_radius) == 2:
        a, b = at_radius.values()
        said(one_radius.verdict(a, b))
        ranks = {side: one_radius.agreement(one) for side, one in at_radius.items()}
        st.caption(
            "**Realism**: 1 or more lies within the real images' own neighbourhoods, where about half of them lie. "
            "**Entropy**: how unsure the judge is which class it sees, in nats. **Loss**: the generator's, by the "
            "model's own critic. **Bad**: badness from 95 % on. Do judge and critic agree which worst images are bad? "
            "Rank correlation of badness with the loss: "
            f"{_ranks(ranks, 'loss')}; with the judge's entropy: {_ranks(ranks, 'entropy')}."
        )
        download("every sample", as_csv(evidence_rows.at_radius(a, b)), "control.csv")


def _ranks(found: dict[str, dict[str, Interval | None]], name: str) -> str:
    """ "A +0.31 (+0.14 to +0.46), B …"."""
    return ", ".join(
        f"{side} none, for one of the two is the same everywhere"
        if (one := ranks[name]) is None
        else f"{side} {signed(one.mean)} (95 % interval {signed(one.low)} to {signed(one.high)})"
        for side, ranks in found.items()
    )


def _kinds(one: OneRadius) -> list[list[str]]:
    """Cells of one model's rows: a row a kind of noise."""
    rises = one_radius.rises(one)
    return [
        [
            f"{MARKS[kind]}&nbsp;{escape(words)}",
            per_cent(float(one.measures[kind].badness.mean())),
            "{}<br>({})".format(*rises[kind].points()) if kind in rises else "",
            per_cent(float(one.measures[kind].bad.double().mean()), 0),
            f"{float(one.measures[kind].opinion.realism.mean()):.2f}",
            f"{float(one.measures[kind].opinion.entropy.mean()):.2f}",
            decimal(float(one.measures[kind].loss.mean())),
        ]
        for kind, words in one_radius.control_words(one).items()
    ]


def shell(asked: Asked, found: Found) -> None:
    """Lengths of the noise on the prior's shell."""
    note(
        "Lengths of the noise: grey original, hatched random, coloured worst; the line is the prior's own density "
        f"(χ with {asked.gans[0].recipe.latent} degrees of freedom)."
    )
    columns = dict(zip("AB", titles(asked), strict=True))
    shells = {side: one_radius.shell(one) for side, one in one_radius_of(asked, found).items()}
    for side, one in shells.items():
        chart = robustness.shell_lengths(one, side)
        columns[side].plotly_chart(
            chart,
            key=f"shell:{side}",
            config=PLAIN,
            width="stretch",
            alt=f"{side}: lengths of original, worst and random noise; the table has the means",
        )
    headings = ("Noise", "Mean length", "Within the prior's central 99 %", "Log-density paid, nats")
    table(headings, {side: _lengths(one) for side, one in shells.items()})
    st.caption(
        "A nat paid makes noise e times less likely under the prior than it was. Noise that pays many nats is "
        "noise that hardly anybody will draw; “Keep the length of z” searches only among noise that pays none."
    )
    if len(shells) == 2:
        download("lengths", as_csv(evidence_rows.lengths(*shells.values())), "lengths.csv")


def _lengths(one: Shell) -> list[list[str]]:
    """Cells of one model's rows: a row a kind of noise."""
    paid = {kind: f"{signed(paid.mean)} ({signed(paid.low)} to {signed(paid.high)})" for kind, paid in one.paid.items()}
    return [
        [
            f"{MARKS[kind]}&nbsp;{kind}", f"{lengths.mean():.2f}", per_cent(one.inside[kind], 0), paid.get(kind, ""),
        ]
        for kind, lengths in one.lengths.items()
    ]  # fmt: skip


def transfer(asked: Asked, found: Found) -> None:
    """Each model's worst noise, tried on the other."""
    task = found[asked.transfer_key()]
    if not asked.attack.radii[0]:
        said((STILL,))
        return
    if not task.done:
        return
    one = value(task)
    left, right = st.columns(2, gap="large")
    pairs = [(finder, judged) for judged in "AB" for finder in "AB"]
    for column, found_on, what, scale in (
        (left, one.badness, "badness beyond random noise, points", 100.0),
        (right, one.loss, "loss beyond random noise, by the critic of the model it is tried on", 1.0),
    ):
        rows = [
            (f"found on {finder},<br>tried on {judged}", judged, found_on[finder][judged]) for finder, judged in pairs
        ]
        column.html(f'<div class="chart-title"><b>{what[0].upper()}{what[1:]}</b>, mean with 95 % interval</div>')
        column.plotly_chart(
            robustness.side_by_side(rows, what, scale=scale),
            key=f"transfer:{scale}",
            alt=f"{what}: worst noise of either model, tried on either",
            config=PLAIN,
            width="stretch",
        )
    said((one.sentence(),))
    download("table", as_csv(evidence_rows.transfers(one)), "transfer.csv")


def health(asked: Asked, found: Found) -> None:
    """The lights on both searches."""
    if not asked.attack.radii[0]:
        said((STILL,))
        return
    columns = titles(asked)
    checked: dict[str, tuple[Check, ...]] = {}
    for side, column in enumerate(columns):
        task = found[asked.health_key(side)]
        if task.done:
            checked["AB"[side]] = value(task)
            column.html("".join(_light(one) for one in checked["AB"[side]]))
    if len(checked) == 2:
        download("checks", as_csv(evidence_rows.health(checked)), "search-health.csv")


def _light(one: Check) -> str:
    remedy = f'<div class="remedy">{escape(one.remedy)}</div>' if one.remedy else ""
    return (
        f'<div class="light {one.state}"><b>{escape(one.name)}</b> <span class="state">{WORDS[one.state]}</span>'
        f'<div class="number">{escape(one.number)}</div><div class="why">{escape(one.meaning)}</div>{remedy}</div>'
    )
