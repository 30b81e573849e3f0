"""The Evidence as tables, charts and sentences, for the report and for the screen alike."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rgan.common.formatting import decimal, per_cent, signed
from rgan.metrics.judges import BAD
from rgan.report.charts import robustness
from rgan.report.charts.robustness import MARKS
from rgan.report.parts import Cell, Chart, Row, Section, Table
from rgan.robustness import one_radius
from rgan.robustness.at_radius import AtRadius
from rgan.robustness.collapse import Collapse
from rgan.robustness.curves import METRICS, MOVED, Curves, RobustnessCurve, curve, difference
from rgan.robustness.frames import Frames
from rgan.robustness.minimal_radius import MinimalRadii, later_words
from rgan.robustness.one_radius import OneRadius, Shell, Transfer
from rgan.stats.intervals import Interval, mean_intervals, share

PATH_METRICS = {**METRICS, "change": "change of the image, % of black to white"}


def noise(kind: str, words: str = "") -> str:
    """ "▲ worst noise": words with the mark of their kind."""
    return f"{MARKS[kind]} {words or kind}"


def control(at_radius: AtRadius, *, opinion: bool = False) -> Section:
    """Worst noise beside its controls, in one model or two; `opinion`: the judge's other numbers as well."""
    more = ("Realism", "Entropy") if opinion else ()
    return Section(
        {
            side: Chart(
                f"control-{side}",
                robustness.strips(one, side),
                f"Badness of every image of {side} under each kind of noise; the means are in the table",
            )
            for side, one in at_radius.found.items()
        },
        Table(
            ("Noise", "Badness", "Beyond original, 95 % interval", "Bad images", "As different as", *more, "Loss"),
            tuple(
                row
                for side, one in at_radius.found.items()
                for row in _kinds(side, one, at_radius.collapse[side], opinion)
            ),
            numbers=1,
        ),
        at_radius.said,
    )


def _kinds(side: str, one: OneRadius, alike: Collapse, opinion: bool) -> list[Row]:
    rises = one_radius.rises(one)
    rows = []
    for kind, words in one_radius.control_words(one).items():
        measure = one.measures[kind]
        more = (measure.opinion.realism, measure.opinion.entropy) if opinion else ()
        cells = (
            Cell(noise(kind, words)),
            Cell(per_cent(float(measure.badness.mean()))),
            _rise(rises[kind]) if kind in rises else Cell(""),
            Cell(per_cent(float(measure.bad.double().mean()))),
            Cell(f"{alike.of[kind].count.mean:.0f} of {alike.of[kind].images}" if kind in alike.of else ""),
            *(Cell(decimal(float(values.mean()))) for values in (*more, measure.loss)),
        )
        rows.append(Row(cells, side))
    return rows


def _rise(one: Interval) -> Cell:
    points, limits = one.points()
    return Cell(f"{points} ({limits})")


def curves(state: Curves, radius: float, *, real: int | None = None) -> dict[str, Chart]:
    """What can be drawn along ε, by metric, and marked at ε `radius`; `real`: images that FID is measured against."""
    charts = {}
    for metric, words in METRICS.items():
        lines = {
            (side, kind): line
            for side in state.blocks
            for kind in MOVED
            if (line := curve(state, side, kind, metric)) is not None
        }
        if lines:
            floor = state.real_fid if metric == "fid" else None
            charts[metric] = Chart(
                f"curve-{metric}",
                robustness.degradation(lines, metric, radius, floor=floor),
                f"{words} against ε for worst and random noise",
                words[0].upper() + words[1:],
                _about(metric, state.plan.samples, real),
            )
    return charts


def path(found: Mapping[str, Frames], radius: float) -> tuple[Chart, ...]:
    """Of the frames of one model or two: the share of broken images and the mean loss along ε, with 95 % intervals; the
    change of the images where there is no judge."""
    judged, lossy = (
        all(test(one) for one in found.values())
        for test in (lambda one: one.judged, lambda one: bool(np.isfinite(one.worst.loss).all()))
    )
    metrics = ["bad" if judged else "change", *(["loss"] if lossy else [])]
    return tuple(
        Chart(
            f"path-{metric}",
            robustness.degradation(
                {(side, kind): _along_path(one, kind, metric) for side, one in found.items() for kind in MOVED},
                metric,
                radius,
            ),
            f"{PATH_METRICS[metric]} against ε for worst and random noise",
            PATH_METRICS[metric].capitalize(),
            "each by its own critic: compare shapes, not heights" if metric == "loss" else "bands: 95 % intervals",
        )
        for metric in metrics
    )


def _along_path(one: Frames, kind: str, metric: str) -> RobustnessCurve:
    track = one.worst if kind == "worst" else one.random
    if metric == "bad":
        assert track.broken is not None
        found: list[Interval] = [share(int(row.sum()), len(row)) for row in track.broken]
    else:
        rows = track.loss if metric == "loss" else 100 * track.change
        found = mean_intervals(rows) if rows.shape[1] > 1 else [Interval(*[float(row[0])] * 3) for row in rows]
    mean, low, high = (np.array([getattr(each, name) for each in found]) for name in ("mean", "low", "high"))
    return RobustnessCurve(np.array(one.radii), mean, low, high)


def _about(metric: str, samples: int, real: int | None) -> str:
    against = "" if real is None else f" against {real} real ones"
    return {
        "badness": "mean over images",
        "bad": f"badness {per_cent(BAD, 0)} or more",
        "loss": "each by its own critic: compare shapes, not heights",
        "fid": f"{samples} images{against}; dashed: as many real ones",
        "different": f"of {samples}, by the judge's features (Vendi score)",
    }[metric]


def between(state: Curves, radius: float) -> Chart:
    """What moving adds to B's badness beyond A's, along ε."""
    return Chart(
        "curve-between",
        robustness.differences((0.0, *state.plan.radii), {kind: difference(state, kind) for kind in MOVED}, radius),
        "What moving adds to B's badness beyond A's, against ε",
        "B beyond A",
        "points of badness that moving adds in B more than in A, the same noise in both, with 95 % intervals over all "
        f"samples. Above 0, B suffers more. {MARKS['worst']} worst noise, {MARKS['random']} random noise.",
    )


def along(state: Curves) -> Table:
    """Mean badness at each ε, and of two models B's beyond A's."""
    lines = {
        f"{side} {noise(kind)}": line
        for side in state.blocks
        for kind in MOVED
        if (line := curve(state, side, kind, "badness")) is not None
    }
    cells = [
        [Cell(f"{radius:g}"), *(Cell(per_cent(float(line.mean[k]))) for line in lines.values())]
        for k, radius in enumerate((0.0, *state.plan.radii))
    ]
    head = ["ε", *lines]
    if len(state.blocks) == 2:
        head.append(f"B beyond A, {noise('worst')} (95 % interval)")
        for row, one in zip(cells, difference(state, "worst"), strict=True):
            row.append(_rise(one))
    return Table(tuple(head), tuple(Row(tuple(row)) for row in cells), numbers=0)


def minimal_radius(found: Mapping[tuple[str, str], MinimalRadii], radius: float) -> Section:
    """Where images break, in one model or two; ε `radius` is marked."""
    (end,) = {one.last for one in found.values()}
    rows = tuple(
        Row(
            (
                Cell(noise(kind)),
                Cell(f"{one.at_once} of {len(one.radius)}"),
                Cell(f"{one.censored}"),
                Cell(one.median_words()),
                Cell(f"{one.recovered}"),
            ),
            side,
        )
        for (side, kind), one in found.items()
    )
    two = {side for side, _ in found} == {"A", "B"}
    words = later_words(found["A", "worst"], found["B", "worst"]) if two else ""
    return Section(
        {
            "survival": Chart(
                "survival",
                robustness.survival(found, radius),
                "Share of images that have not been bad at any ε so far; the counts are in the table",
                about="Lines: share of images that have not been bad (further from real ones than "
                f"{per_cent(BAD, 0)} of held-out real images are) at any ε so far, with 95 % intervals for worst "
                "noise. Marks: share that is not bad at this very ε, since an image may be good again further out.",
            )
        },
        Table(
            ("Noise", "Bad before moving", f"Never bad up to ε {end:g}", "In the middle", "Good again further out"),
            rows,
        ),
        (words,) if words else (),
    )


def shell(found: Mapping[str, Shell]) -> Section:
    """Lengths of the noise on the prior's shell, in one model or two."""
    rows = []
    for side, one in found.items():
        paid = {
            kind: f"{signed(nats.mean)} ({signed(nats.low)} to {signed(nats.high)})" for kind, nats in one.paid.items()
        }
        rows += [
            Row(
                (
                    Cell(noise(kind)),
                    Cell(decimal(float(lengths.mean()))),
                    Cell(per_cent(one.inside[kind], 0)),
                    Cell(paid.get(kind, "")),
                ),
                side,
            )
            for kind, lengths in one.lengths.items()
        ]
    return Section(
        {
            side: Chart(
                f"shell-{side}",
                robustness.shell_lengths(one, side),
                f"{side}: lengths of original, worst and random noise; the table has the means",
            )
            for side, one in found.items()
        },
        Table(
            ("Noise", "Mean length", "Within the prior's central 99 %", "Log-density paid, nats"),
            tuple(rows),
            numbers=1,
        ),
    )


def transfer(one: Transfer) -> dict[str, Chart]:
    """Each model's worst noise, tried on the other, by what is measured there."""
    charts = {}
    for name, table, what, scale in (
        ("badness", one.badness, "badness beyond random noise, points", 100.0),
        ("loss", one.loss, "loss beyond random noise, by the critic of the model it is tried on", 1.0),
    ):
        rows = [
            (f"found on {finder},<br>tried on {judged}", judged, table[finder][judged])
            for judged in "AB"
            for finder in "AB"
        ]
        charts[name] = Chart(
            f"transfer-{name}",
            robustness.side_by_side(rows, what, scale=scale),
            f"{what}: worst noise of either model, tried on either",
            what[0].upper() + what[1:],
            "mean with 95 % interval",
        )
    return charts
