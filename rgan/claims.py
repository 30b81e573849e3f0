"""What the paper claims of its Tables and Figures 1 and 3, held against these models, paired by training seed."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rgan.ablation import MIN_SEEDS, Ablation
from rgan.evaluation import MEASURES, Evaluation

OUTCOMES = ("supported", "not supported", "undecided", "no claim")
CLAIMED = ("score", "fid")  # the measures of the paper
LEVEL = 0.05

# Rows compared: what the paper says of the first against the second, and where.
_ROBUST = (
    ("both", "none", "training both players robustly beats no robust part", "Figure 1, Table 2"),
    ("generator", "none", "a robust generator alone beats no robust part", "Table 2"),
    ("critic", "none", "a robust critic alone beats no robust part", "Table 2"),
    ("both", "generator", "both robust beats a robust generator alone", "Table 2"),
    ("both", "critic", "both robust beats a robust critic alone", "Table 2"),
    ("critic", "generator", "a robust critic alone gains more than a robust generator alone", "Table 2"),
)

# Harm by worst noise: of the first row, or of the first row minus the second's.
_NOISE = (
    (("none",), "worst noise makes the baseline worse"),
    (("none", "both"), "worst noise harms the model with both robust less than the baseline"),
)


@dataclass(frozen=True)
class Paired:
    """A mean difference over training seeds with its 95 % t interval and two-sided p; above 0 it favours the claim."""

    mean: float
    low: float
    high: float
    p: float
    count: int


@dataclass(frozen=True)
class Claim:
    """One claim for one column: what the paper says, in what measure and at what ε (0: original noise), the outcome.

    outcome is one of OUTCOMES and rests on the interval of this claim alone; `holm` is p after Holm's correction for
    all claims tested together. test and holm are None where there are too few seeds.
    """

    column: str
    paper: str
    where: str
    measure: str
    radius: float
    outcome: str
    because: str
    test: Paired | None = None
    holm: float | None = None


def paired(differences: Sequence[float]) -> Paired:
    """The one-sample t test of differences (n ≥ 2), which is the paired test of the values they are differences of."""
    from scipy.stats import t

    count, mean = len(differences), statistics.fmean(differences)
    error = statistics.stdev(differences) / math.sqrt(count)
    if error == 0:
        return Paired(mean, mean, mean, float(mean == 0), count)
    reach = float(t.ppf(1 - LEVEL / 2, count - 1)) * error
    return Paired(mean, mean - reach, mean + reach, float(2 * t.sf(abs(mean) / error, count - 1)), count)


def claims(columns: Iterable[Ablation], radii: Sequence[float]) -> tuple[Claim, ...]:
    """Every claim whose rows are there, for each column and each of CLAIMED; p corrected over all of them."""
    drafts = [claim for column in columns for measure in CLAIMED for claim in _of(column, measure, radii)]
    tested = [claim for claim in drafts if claim.test is not None]
    corrected = iter(holm([claim.test.p for claim in tested if claim.test is not None]))
    return tuple(claim if claim.test is None else _corrected(claim, next(corrected), len(tested)) for claim in drafts)


def holm(values: Sequence[float]) -> list[float]:
    """p values after Holm's correction for as many tests (Holm 1979)."""
    order = sorted(range(len(values)), key=lambda index: values[index])
    corrected, largest = [0.0] * len(values), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(values) - rank) * values[index]))
        corrected[index] = largest
    return corrected


def gains(column: Ablation, row: str, other: str, measure: str) -> list[float]:
    """How much better a row is than another on original noise, for each seed that both have."""
    return _differences(column, (row, other), _better(measure))


def _of(column: Ablation, measure: str, radii: Sequence[float]) -> list[Claim]:
    found = []
    for first, second, words, where in _ROBUST:
        if {first, second} <= column.models.keys():
            found.append(_claim(column, words, where, measure, 0.0, gains(column, first, second, measure)))
    for radius in radii:
        for rows, words in _NOISE:
            if set(rows) <= column.models.keys():
                worst, random = (
                    _differences(column, rows, _harm(measure, kind, radius)) for kind in ("worst", "random")
                )
                said = f"{words} (ε {radius:g})"
                found.append(_claim(column, said, "Figure 3", measure, radius, worst, random))
    return found


def _better(measure: str) -> Callable[[Evaluation], float]:
    """The measure on original noise, turned so that more is better."""
    sign = 1.0 if MEASURES[measure].higher else -1.0
    return lambda one: sign * one.mean(measure)


def _harm(measure: str, noise: str, radius: float) -> Callable[[Evaluation], float]:
    """How much worse the measure is on that noise than on the original."""
    sign = 1.0 if MEASURES[measure].higher else -1.0
    return lambda one: sign * (one.mean(measure) - one.mean(measure, noise, radius))


def _differences(column: Ablation, rows: tuple[str, ...], value: Callable[[Evaluation], float]) -> list[float]:
    """`value` of the first row minus that of the second (or of nothing), for each seed that all rows have."""
    known = [
        {model.training.seed: model.evaluation for model in column.models.get(row, ()) if model.evaluation is not None}
        for row in rows
    ]
    common = sorted(set.intersection(*(set(one) for one in known)))
    return [value(known[0][seed]) - (value(known[1][seed]) if len(rows) > 1 else 0.0) for seed in common]


def _claim(
    column: Ablation,
    words: str,
    where: str,
    measure: str,
    radius: float,
    differences: list[float],
    control: Sequence[float] = (),
) -> Claim:
    """A claim on differences that favour it above 0; control: the same with random noise of the same length."""
    number = MEASURES[measure].number
    draft = Claim(column.title, words, where, measure, radius, "no claim", "")
    beside = f"; random noise of the same length: {number(statistics.fmean(control), '+')}" if control else ""
    if len(differences) < MIN_SEEDS:
        mean = f", difference {number(statistics.fmean(differences), '+')}{beside}" if differences else ""
        shared = f"{len(differences)} of the {MIN_SEEDS} training seeds that a claim needs"
        return dataclasses.replace(draft, because=shared + mean)
    test = paired(differences)
    outcome = "supported" if test.low > 0 else "not supported" if test.high < 0 else "undecided"
    because = (
        f"difference {number(test.mean, '+')}, 95 % interval {number(test.low, '+')} to {number(test.high, '+')} over "
        f"{test.count} seeds{beside}"
    )
    return dataclasses.replace(draft, outcome=outcome, because=because, test=test)


def _corrected(claim: Claim, p: float, count: int) -> Claim:
    decided = claim.outcome in ("supported", "not supported")
    words = f"; this does not outlast the correction for {count} claims" if decided and p > LEVEL else ""
    return dataclasses.replace(claim, holm=p, because=claim.because + words)
