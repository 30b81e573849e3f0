"""What the paper claims of its Tables and Figures 1 and 3, held against these models, paired by training seed."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rgan.attack.objectives import CRITIC
from rgan.common.formatting import per_cent
from rgan.paper import published
from rgan.paper.ablation import MIN_SEEDS, Ablation
from rgan.paper.evaluation import MEASURES, RAISED, Evaluation
from rgan.robustness.checks import LOOSE
from rgan.stats.intervals import LEVEL, Outcome, TTest, holm, t_test

CLAIMED = ("score", "fid")  # the measures of the paper

# Rows compared: what the paper says of the first against the second, and where.
_ROBUST = (
    ("both", "none", "training both players robustly beats no robust part", "Figure 1, Table 2"),
    ("generator", "none", "a robust generator alone beats no robust part", "Table 2"),
    ("critic", "none", "a robust critic alone beats no robust part", "Table 2"),
    ("both", "generator", "both robust beats a robust generator alone", "Table 2"),
    ("both", "critic", "both robust beats a robust critic alone", "Table 2"),
    ("critic", "generator", "a robust critic alone gains more than a robust generator alone", "its words on Table 2"),
)

# Harm by worst noise beyond that by random noise of the same length: the first row's, or that less the second's.
_NOISE = (
    (("none",), "worst noise makes the baseline worse"),
    (("none", "both"), "worst noise harms the model with both robust less than the baseline"),
)


@dataclass(frozen=True)
class Claim:
    """One claim for one column: what the paper says, in what measure and at what ε (0: original noise), the outcome.

    rows: those compared. objective: what the search for worst noise raised. outcome is decided only where the interval
    and `holm` both decide, p after Holm's correction for the `family` claims tested together. test and holm are None
    where there are too few seeds.
    """

    column: str
    rows: tuple[str, ...]
    paper: str
    where: str
    measure: str
    radius: float
    outcome: Outcome | Literal["no claim"]
    because: str
    test: TTest | None = None
    holm: float | None = None
    family: int = 0
    objective: str = CRITIC


def claims(
    columns: Iterable[Ablation], radii: Sequence[float], objectives: Sequence[str] = (CRITIC,)
) -> tuple[Claim, ...]:
    """Every claim whose rows are there, for each column and each of CLAIMED.

    A family for Holm's correction is one question asked of one column by one measure: who gains on original noise, or,
    over all ε, whether worst noise by one objective harms the baseline, or the robust model less. So a baseline that
    stands in two columns gets the same outcome in both.
    """
    families = [
        family for column in columns for measure in CLAIMED for family in _families(column, measure, radii, objectives)
    ]
    return tuple(claim for family in families for claim in _corrected(family))


def gains(column: Ablation, row: str, other: str, measure: str) -> list[float]:
    """How much better a row is than another on original noise, for each seed that both have."""
    return _differences(column, (row, other), _better(measure))


def _families(
    column: Ablation, measure: str, radii: Sequence[float], objectives: Sequence[str]
) -> Iterator[list[Claim]]:
    yield [
        _claim(Claim(column.title, (first, second), words, where, measure, 0.0, "no claim", ""),
               gains(column, first, second, measure), beside=_against_itself(column, first, second))
        for first, second, words, where in _ROBUST if {first, second} <= column.models.keys()
    ]  # fmt: skip
    for objective in objectives:
        for rows, words in _NOISE:
            if set(rows) <= column.models.keys():
                yield [
                    _on_worst_noise(column, rows, words, measure, (index, radius), objective)
                    for index, radius in enumerate(radii)
                ]


def _against_itself(column: Ablation, first: str, second: str) -> str:
    """Words where the paper's own table says the reverse of what its text says of all systems."""
    one, other = (published.table_2(column.system, row) for row in (first, second))
    if one is None or other is None or one.mean > other.mean:
        return ""
    return f"; the paper's own Table 2 says the reverse of this system, {one.words} against {other.words}"


def _on_worst_noise(
    column: Ablation, rows: tuple[str, ...], words: str, measure: str, at: tuple[int, float], objective: str
) -> Claim:
    """Tested on what worst noise harms more than random noise of the same length; the whole harm stands beside it.

    No claim is made where the search finds too little of the worst noise of one of the models.
    """
    index, radius = at
    random, worst = ("random", radius, objective), ("worst", radius, objective)
    beyond = _differences(column, rows, _harm(measure, random, worst))
    whole = _differences(column, rows, _harm(measure, ("original", 0.0, objective), worst))
    beside = f"; against original noise {MEASURES[measure].number(statistics.fmean(whole), '+')}" if whole else ""
    by = "" if objective == CRITIC else f", found by raising {RAISED[objective]}"
    draft = Claim(
        column.title, rows, f"{words} (ε {radius:g}{by})", "Figure 3", measure, radius, "no claim", "",
        objective=objective,
    )  # fmt: skip
    known = [model.evaluation for row in rows for model in column.models[row] if model.evaluation]
    found = [one.strength[objective][index] for one in known]
    if found and min(found) < LOOSE:
        least = f"the search finds only {per_cent(min(found), 0)} of the worst noise of one of them"
        return dataclasses.replace(draft, because=f"{least}: choose a larger budget")
    return _claim(draft, beyond, " beyond random noise of the same length", beside)


def _better(measure: str) -> Callable[[Evaluation], float]:
    """The measure on original noise, turned so that more is better."""
    sign = 1.0 if MEASURES[measure].higher else -1.0
    return lambda one: sign * one.mean(measure)


def _harm(
    measure: str, control: tuple[str, float, str], noise: tuple[str, float, str]
) -> Callable[[Evaluation], float]:
    """How much worse the measure is on one kind of noise, as (name, radius, objective), than on its control."""
    sign = 1.0 if MEASURES[measure].higher else -1.0
    return lambda one: sign * (one.mean(measure, *control) - one.mean(measure, *noise))


def _differences(column: Ablation, rows: tuple[str, ...], value: Callable[[Evaluation], float]) -> list[float]:
    """`value` of the first row minus that of the second (or of nothing), for each seed that all rows have."""
    known = [
        {model.training.seed: model.evaluation for model in column.models.get(row, ()) if model.evaluation is not None}
        for row in rows
    ]
    common = sorted(set.intersection(*(set(one) for one in known)))
    return [value(known[0][seed]) - (value(known[1][seed]) if len(rows) > 1 else 0.0) for seed in common]


def _claim(draft: Claim, differences: Sequence[float], kind: str = "", beside: str = "") -> Claim:
    """`draft` decided by differences that favour it above 0; kind, beside: words after "difference" and at the end."""
    number = MEASURES[draft.measure].number
    if len(differences) < MIN_SEEDS:
        mean = f", difference{kind} {number(statistics.fmean(differences), '+')}{beside}" if differences else ""
        shared = f"{len(differences)} of the {MIN_SEEDS} training seeds that a claim needs"
        return dataclasses.replace(draft, because=shared + mean)
    test = t_test(differences)
    because = (
        f"difference{kind} {number(test.mean, '+')}, 95 % interval {number(test.low, '+')} to "
        f"{number(test.high, '+')} over {test.count} seeds{beside}"
    )
    return dataclasses.replace(draft, outcome=test.outcome, because=because, test=test)


def _corrected(family: Sequence[Claim]) -> list[Claim]:
    """The claims of one family with Holm's p, undecided where an interval does not outlast the correction."""
    values = [claim.test.p for claim in family if claim.test is not None]
    corrected = iter(holm(values))
    found = []
    for claim in family:
        if claim.test is None:
            found.append(claim)
            continue
        p, outcome, because = next(corrected), claim.outcome, claim.because
        if outcome != "undecided" and p > LEVEL:
            because += (
                f"; the interval alone says {outcome}, which does not outlast the correction for {len(values)} claims"
            )
            outcome = "undecided"
        found.append(dataclasses.replace(claim, outcome=outcome, because=because, holm=p, family=len(values)))
    return found
