"""The views of the Evidence screen: a picture, the numbers behind it, what they say, and a file of them."""

from __future__ import annotations

from html import escape

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from parts.evidence_works import (
    BREAKS,
    CONTROL,
    CURVES,
    HEALTH,
    REPEATS,
    SHELL,
    TRANSFER,
    Asked,
    Found,
)
from parts.language import MARKS, model_title
from parts.waiting import POLL, settled, value
from rgan import contest, evidence_figures, evidence_rows
from rgan.break_points import BreakPoints, later
from rgan.contest import KINDS, STILL, Corner, Shell
from rgan.degradation import METRICS, MOVED, Curve, Sweep, curve, difference, real_fid, scorable
from rgan.evidence import Interval
from rgan.files import as_csv
from rgan.judges import BAD
from rgan.search_health import Light
from rgan.two_sample import per_cent

PLAIN = {"displayModeBar": False}
LIGHTS = {"good": "● good", "fair": "◐ look closer", "poor": "○ do not trust"}


def show(view: str, asked: Asked, found: Found, names: tuple[str, str]) -> None:
    """Draw one of VIEWS, and redraw it until all it waits for has come.

    Raises:
        RganError: what it needs cannot be computed.
    """
    pending = any(not task.done for task in found.values())
    for task in found.values():
        if task.done:
            value(task)

    def draw() -> None:
        if pending and settled(found):
            st.rerun()
        if pending:
            _progress(view, found)
        DRAWN[view](asked, found, names)

    st.fragment(draw, run_every=POLL if pending else None)()


def _progress(view: str, found: Found) -> None:
    done = sum(1.0 if task.done else task.share for task in found.values()) / len(found)
    st.progress(min(done, 1.0), f"{view}: {per_cent(done, 0)}")


def _titles(names: tuple[str, str], asked: Asked) -> list[DeltaGenerator]:
    columns = st.columns(2, gap="large")
    for side, name, column, gan in zip("AB", names, columns, asked.gans, strict=True):
        column.html(model_title(side, name, gan.recipe.title))
    return columns


def _corners(asked: Asked, found: Found) -> dict[str, Corner]:
    """Those of the models that have come in."""
    tasks = {side: found[asked.corner_key(index)] for index, side in enumerate("AB")}
    return {side: value(task) for side, task in tasks.items() if task.done}


def _control(asked: Asked, found: Found, names: tuple[str, str]) -> None:
    _words(
        "Badness of every image, as the judge sees it. Lines join the original with its worst; squares are means with "
        "95 % intervals."
    )
    columns, corners = dict(zip("AB", _titles(names, asked), strict=True)), _corners(asked, found)
    for side, one in corners.items():
        chart = evidence_figures.strips(one, side)
        columns[side].plotly_chart(chart, key=f"strip:{side}", config=PLAIN, width="stretch")
    headings = ("Noise", "Badness", "Beyond original", "Bad", "Realism", "Entropy", "Loss")
    _table(headings, {side: _kinds(one) for side, one in corners.items()})
    if len(corners) == 2:
        a, b = corners.values()
        _said(contest.verdict(a, b))
        ranks = {side: contest.agreement(one) for side, one in corners.items()}
        st.caption(
            "**Realism**: 1 or more lies within the real images' own neighbourhoods, where about half of them lie. "
            "**Entropy**: how unsure the judge is which class it sees, in nats. **Loss**: the generator's, by the "
            "model's own critic. **Bad**: badness from 95 % on. Do judge and critic agree which worst images are bad? "
            "Rank correlation of badness with the loss: "
            f"{_ranks(ranks, 'loss')}; with the judge's entropy: {_ranks(ranks, 'entropy')}."
        )
        _download("every sample", as_csv(evidence_rows.corners(a, b)), "control.csv")


def _ranks(found: dict[str, dict[str, Interval | None]], name: str) -> str:
    """ "A +0.31 (+0.14 to +0.46), B …"."""
    return ", ".join(
        f"{side} none, for one of the two is the same everywhere"
        if (one := ranks[name]) is None
        else f"{side} {one.mean:+.2f} (95 % interval {one.low:+.2f} to {one.high:+.2f})"
        for side, ranks in found.items()
    )


def _kinds(one: Corner) -> list[list[str]]:
    """Cells of one model's rows: a row a kind of noise."""
    rises = contest.rises(one)
    return [
        [
            f"{MARKS.get(kind, '◇' if kind == 'best' else '○')}&nbsp;"
            + escape(words.replace("as many random as gradients", f"{one.tries} random")),
            per_cent(float(one.trials[kind].badness.mean())),
            contest.interval_points(rises[kind]).replace(" (95 % interval ", "<br>(") if kind in rises else "",
            per_cent(float(one.trials[kind].bad.double().mean()), 0),
            f"{float(one.trials[kind].opinion.realism.mean()):.2f}",
            f"{float(one.trials[kind].opinion.entropy.mean()):.2f}",
            f"{float(one.trials[kind].loss.mean()):.2f}",
        ]
        for kind, words in KINDS.items()
    ]


def _curves(asked: Asked, found: Found, names: tuple[str, str]) -> None:
    task = found[asked.sweep_key]
    state: Sweep | None = value(task) if task.done else task.so_far
    _legend(names)
    if state is None:
        return
    radius = asked.settings.radii[0]
    st.caption(
        f"Bands: lowest and highest of {max(1, state.finished)} of {REPEATS} draws of noise, "
        f"{sum(len(block.z) for block in state.repeats('A')[0])} samples each."
        + ("" if scorable(state) else " FID needs more samples: choose 128 or 256.")
    )
    key = repr((asked.sweep_key, state.finished or state.share))
    floors = {"fid": _real_fid(key, state)}
    left, right = st.columns(2, gap="large")
    for metric, column in zip(METRICS, (left, right, left, right), strict=True):
        lines = {
            (side, kind): line
            for side in state.subjects
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
            evidence_figures.degradation(lines, metric, radius, floor=floors.get(metric)),
            key=f"curve:{metric}", config=PLAIN, width="stretch",
        )  # fmt: skip
    between = {kind: difference(state, kind) for kind in MOVED}
    st.html(
        '<div class="chart-title"><b>B beyond A</b>, points of badness that moving adds in B more than in A, the same '
        "noise in both, with 95 % intervals over all samples. Above 0: B suffers more.</div>"
    )
    radii = (0.0, *asked.plan.radii)
    st.plotly_chart(
        evidence_figures.differences(radii, between, radius), key="curve:between", config=PLAIN, width="stretch"
    )
    if task.done:
        _download("curves", as_csv(evidence_rows.curves(state)), "curves.csv")


@st.cache_resource(max_entries=512, show_spinner=False)
def _curve(key: str, side: str, kind: str, metric: str, _state: Sweep) -> Curve | None:
    """`key` tells all states of a sweep apart whose curves differ."""
    return curve(_state, side, kind, metric)


@st.cache_resource(max_entries=64, show_spinner=False)
def _real_fid(key: str, _state: Sweep) -> float | None:
    return real_fid(_state)


def _about(metric: str, asked: Asked) -> str:
    plan = asked.plan
    return {
        "badness": "mean over images",
        "bad": f"badness {per_cent(BAD, 0)} or more",
        "loss": "each by its own critic: compare shapes, not heights",
        "fid": f"{plan.samples} images against {len(asked.judge.reference)} real ones; dashed: as many real images",
    }[metric]


def _breaks(asked: Asked, found: Found, names: tuple[str, str]) -> None:
    _legend(names)
    task = found[asked.breaks_key()]
    if not task.done:
        return
    points: dict[tuple[str, str], BreakPoints] = value(task)
    st.html(
        '<div class="chart-title">Lines: share of images that have not been bad (further from real ones than '
        f"{per_cent(BAD, 0)} of held-out real images are) at any ε so far, with 95 % intervals. Marks: share that is "
        "not bad at this very ε.</div>"
    )
    st.plotly_chart(
        evidence_figures.survival(points, asked.settings.radii[0]), key="survival", config=PLAIN, width="stretch"
    )
    rows: dict[str, list[list[str]]] = {"A": [], "B": []}
    for (side, kind), one in points.items():
        starts = f"{one.at_once} of {len(one.radius)}"
        cells = [f"{MARKS[kind]}&nbsp;{kind}", starts, str(one.censored), one.median_words(), str(one.recovered)]
        rows[side].append(cells)
    end = f"Never bad up to ε {asked.plan.radii[-1]:g}"
    _table(("Noise", "Bad before moving", end, "In the middle", "Good again further out"), rows)
    won = later(points["A", "worst"], points["B", "worst"])
    if won is not None:
        who = (
            "B breaks later"
            if won.low > 0.5
            else "A breaks later"
            if won.high < 0.5
            else "Neither is shown to break later"
        )
        _said(
            (
                f"{who}: of the noise whose images are good to begin with in both and break at different ε, "
                f"{per_cent(won.mean, 0)} breaks later in B (95 % interval {per_cent(won.low, 0)} to "
                f"{per_cent(won.high, 0)}).",
                "Break points are crossings on the path that the search has found, to within a 64th of the step "
                "between two radii; another search may break an image earlier. Badness goes up and down along a path, "
                "since the search follows the critic and not the judge: every further ε is one more chance to have "
                "been bad once, for random noise as well. Compare worst with random, and lines with marks.",
            )
        )
    _download("break points", as_csv(evidence_rows.breaks(points)), "break-points.csv")


def _shell(asked: Asked, found: Found, names: tuple[str, str]) -> None:
    _words(
        "Lengths of the noise: grey original, hatched random, coloured worst; the line is the prior's own density "
        f"(χ with {asked.gans[0].recipe.latent} degrees of freedom)."
    )
    columns = dict(zip("AB", _titles(names, asked), strict=True))
    shells = {side: contest.shell(one) for side, one in _corners(asked, found).items()}
    for side, one in shells.items():
        chart = evidence_figures.shell_lengths(one, side)
        columns[side].plotly_chart(chart, key=f"shell:{side}", config=PLAIN, width="stretch")
    headings = ("Noise", "Mean length", "Within the prior's central 99 %", "Log-density paid, nats")
    _table(headings, {side: _lengths(one) for side, one in shells.items()})
    st.caption(
        "A nat paid makes noise e times less likely under the prior than it was. Noise that pays many nats is "
        "noise that hardly anybody will draw; “Keep the length of z” searches only among noise that pays none."
    )
    if len(shells) == 2:
        _download("lengths", as_csv(evidence_rows.lengths(*shells.values())), "lengths.csv")


def _lengths(one: Shell) -> list[list[str]]:
    """Cells of one model's rows: a row a kind of noise."""
    paid = {kind: f"{paid.mean:+.2f} ({paid.low:+.2f} to {paid.high:+.2f})" for kind, paid in one.paid.items()}
    return [
        [
            f"{MARKS[kind]}&nbsp;{kind}", f"{lengths.mean():.2f}", per_cent(one.inside[kind], 0), paid.get(kind, ""),
        ]
        for kind, lengths in one.lengths.items()
    ]  # fmt: skip


def _transfer(asked: Asked, found: Found, names: tuple[str, str]) -> None:
    task = found[asked.transfer_key()]
    if not asked.settings.radii[0]:
        _said((STILL,))
        return
    if not task.done:
        return
    one = value(task)
    left, right = st.columns(2, gap="large")
    pairs = [(finder, judged) for judged in "AB" for finder in "AB"]
    for column, table, words, scale in (
        (left, one.badness, "badness beyond random noise, points", 100.0),
        (right, one.loss, "loss beyond random noise, by the critic of the model it is tried on", 1.0),
    ):
        rows = [(f"found on {finder},<br>tried on {judged}", judged, table[finder][judged]) for finder, judged in pairs]
        column.html(f'<div class="chart-title"><b>{words[0].upper()}{words[1:]}</b>, mean with 95 % interval</div>')
        column.plotly_chart(
            evidence_figures.side_by_side(rows, words, scale=scale),
            key=f"transfer:{scale}",
            config=PLAIN,
            width="stretch",
        )
    _said((one.sentence(),))
    _download("table", as_csv(evidence_rows.transfers(one)), "transfer.csv")


def _health(asked: Asked, found: Found, names: tuple[str, str]) -> None:
    if not asked.settings.radii[0]:
        _said((STILL,))
        return
    columns = _titles(names, asked)
    checked: dict[str, tuple[Light, ...]] = {}
    for side, column in enumerate(columns):
        task = found[asked.health_key(side)]
        if task.done:
            checked["AB"[side]] = value(task)
            column.html("".join(_light(one) for one in checked["AB"[side]]))
    if len(checked) == 2:
        _download("checks", as_csv(evidence_rows.health(checked)), "search-health.csv")


def _light(one: Light) -> str:
    remedy = f'<div class="remedy">{escape(one.remedy)}</div>' if one.remedy else ""
    return (
        f'<div class="light {one.state}"><b>{escape(one.name)}</b> <span class="state">{LIGHTS[one.state]}</span>'
        f'<div class="number">{escape(one.number)}</div><div class="why">{escape(one.meaning)}</div>{remedy}</div>'
    )


def _legend(names: tuple[str, str]) -> None:
    st.html(
        '<div class="chart-title">'
        + "&emsp;".join(
            f'<span class="model-{side}">{line} {MARKS[kind]}</span> {side} {escape(name)}, {kind}'
            for side, name in zip("AB", names, strict=True)
            for kind, line in (("worst", "━"), ("random", "┅"))
        )
        + "&emsp;┆ ε as set</div>"
    )


def _table(headings: tuple[str, ...], rows: dict[str, list[list[str]]]) -> None:
    """Rows of HTML cells, those of A and then those of B."""
    head = "".join(f"<th>{escape(words)}" for words in headings)
    body = "".join(
        "<tr>" + "".join(f"<td>{cell}" for cell in (f'<b class="model-{side}">{side}</b> {cells[0]}', *cells[1:]))
        for side, many in rows.items()
        for cells in many
    )
    st.html(f'<div class="wide"><table class="numbers"><tr>{head}{body}</table></div>')


def _words(text: str) -> None:
    st.html(f'<div class="chart-title">{escape(text)}</div>')


def _said(sentences: tuple[str, ...]) -> None:
    st.html("".join(f'<p class="claim">{escape(sentence)}</p>' for sentence in sentences))


def _download(words: str, data: bytes, name: str) -> None:
    st.download_button(
        f"Numbers: {words}",
        data,
        name,
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=f"download:{name}",
    )


DRAWN = {
    CONTROL: _control,
    CURVES: _curves,
    BREAKS: _breaks,
    SHELL: _shell,
    TRANSFER: _transfer,
    HEALTH: _health,
}
