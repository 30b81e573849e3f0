"""What a picture of robustness shows, in one or two sentences of ordinary words, with the numbers apart.

An image is called broken where its badness is BAD or more. A difference is claimed only where its 95 % interval
leaves out 0, and nothing where the search finds too little.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from rgan.common.formatting import per_cent
from rgan.robustness.at_radius import AtRadius
from rgan.robustness.checks import FAIR, GOOD, POOR, Check, against, strength, too_weak
from rgan.robustness.curves import Curves
from rgan.robustness.failures.pool import Pool, between, beyond, prevalence
from rgan.robustness.measured import Measures
from rgan.robustness.minimal_radius import MinimalRadii, later
from rgan.robustness.one_radius import STILL, OneRadius, Shell, Transfer, differences
from rgan.stats.intervals import Interval, mean_interval

BRACKETS = "in brackets 95 % intervals"
WITHHELD = "No verdict: the search finds too little of the worst noise."


@dataclass(frozen=True)
class Finding:
    """A sentence or two; numbers: what they rest on, for small type; doubts: what else to look at before believing it.

    weak: nothing is claimed since the search finds too little; a larger budget may help.
    """

    words: str
    numbers: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    weak: bool = False


def _withheld(why: list[str]) -> Finding:
    return Finding(WITHHELD, tuple(why), weak=True)


def _broken(measures: Mapping[str, Mapping[str, Measures]]) -> str:
    """ "58 of A’s 128 images (random noise: 41) and 44 of B’s (33)"."""
    worst, random = ([int(one[kind].bad.sum()) for one in measures.values()] for kind in ("worst", "random"))
    count = len(next(iter(measures.values()))["worst"].bad)
    return f"{worst[0]:,} of A’s {count:,} images (random noise: {random[0]:,}) and {worst[1]:,} of B’s ({random[1]:,})"


def _against_random(shown: Mapping[str, bool], counts: str) -> str:
    """Whether worst noise is shown to do more harm than random noise, in both models, in one, or in neither."""
    if all(shown.values()):
        harms = "harms both models more than random noise does"
    elif not any(shown.values()):
        harms = "is not shown to harm either model more than random noise does"
    else:
        one, other = ("A", "B") if shown["A"] else ("B", "A")
        harms = f"harms {one} more than random noise does, which is not shown for {other}"
    return f"Worst noise {harms}: it breaks {counts}."


def at_radius(found: AtRadius) -> Finding | None:
    """Of two models at one ε; None before the search is checked, without which nothing can be said."""
    a, b = found.found["A"], found.found["B"]
    if a.radius == 0:
        return Finding(STILL)
    if not found.checks:
        return None
    if why := against(found.checks):
        return _withheld(why)
    each = {side: one.beyond("random") for side, one in found.found.items()}
    more = {side: one.positive for side, one in each.items()}
    counts = _broken({side: one.measures for side, one in found.found.items()})
    apart, _ = differences(a, b)
    rises = {side: mean_interval(one.rise("worst")) for side, one in found.found.items()}
    added, beyond = (
        ", ".join(f"{side} {one.bracketed_points()}" for side, one in every.items()) for every in (rises, each)
    )
    numbers = [
        f"Points of badness that worst noise adds: {added}, A less B {apart.bracketed_points()}",
        f"beyond random noise: {beyond}",
        BRACKETS,
    ]
    return Finding(
        f"{_against_random(more, counts)} {_less(a, b)}",
        tuple(numbers),
        tuple(_doubts(found.checks)),
    )


def _less(a: OneRadius, b: OneRadius) -> str:
    """Which of the two loses less."""
    apart, beyond_random = differences(a, b)
    if not apart.excludes_zero or not beyond_random.excludes_zero or (apart.mean > 0) != (beyond_random.mean > 0):
        return "Which of the two loses less cannot be said."
    less, more = ("B", "A") if apart.mean > 0 else ("A", "B")
    one, other = (a, b) if less == "A" else (b, a)

    def worse(kind: str) -> bool:
        return mean_interval(one.measures[kind].badness - other.measures[kind].badness).positive

    if not worse("original"):
        return f"{less} loses less."
    if worse("worst"):
        return f"{more} starts better and stays better, but loses more."
    return f"{less} loses less, but has less to lose: its images are worse to begin with."


def strength_words(found: Pool) -> str:
    """How much of the worst noise the search of a pool finds."""
    return strength({side: one.words for side, one in found.strength.items()})


def _doubts(found: Mapping[str, tuple[Check, ...]]) -> list[str]:
    doubted = {side: [check.number for check in checks if check.state == FAIR] for side, checks in found.items()}
    return [f"{side}’s search {', '.join(numbers)}" for side, numbers in doubted.items() if numbers]


def checks(found: Mapping[str, tuple[Check, ...]]) -> Finding:
    """Whether the searches of two models are to be trusted."""
    states = [check.state for each in found.values() for check in each]
    counted = f"{sum(state == GOOD for state in states)} of {len(states)} checks are good"
    if POOR in states:
        return _withheld(against(found))
    if FAIR in states:
        return Finding(f"The searches hold, with reservations: {counted}, none is bad.")
    return Finding(f"The searches can be trusted: {counted}.")


def curves(state: Curves) -> Finding:
    """From which ε on worst noise leaves random noise behind, in two models."""
    words = []
    for side in state.blocks:
        found = beyond_random(state, side)
        first = next((r for k, r in enumerate(state.plan.radii) if all(one.positive for one in found[k:])), None)
        words.append("nowhere for good" if first is None else f"from ε {first:g} on")
    falls = [side for side in state.blocks if _falls(state, side)]
    more = (
        f" {' and '.join(f'{side}’s' for side in falls)} images get better again further out: the search follows the "
        "critic, not the judge."
        if falls
        else ""
    )
    return Finding(f"Worst noise makes worse images than random noise {words[0]} in A, {words[1]} in B.{more}")


def beyond_random(state: Curves, side: str) -> list[Interval]:
    """Badness under worst noise beyond that under random noise of the same length, at each radius: pairs of all
    samples, each radius with an interval of its own."""
    return [
        mean_interval(_along(state, side, "worst", k) - _along(state, side, "random", k)) for k in range(_count(state))
    ]


def _falls(state: Curves, side: str) -> bool:
    """Whether badness under worst noise is lower at the largest radius than at one before."""
    end = _along(state, side, "worst", _count(state) - 1)
    return any(mean_interval(_along(state, side, "worst", k) - end).positive for k in range(_count(state) - 1))


def _count(state: Curves) -> int:
    return len(state.plan.radii)


def _along(state: Curves, side: str, kind: str, radius: int) -> Tensor:
    return torch.cat([block.measures[kind][radius].badness for block in state.blocks[side]])


def minimal_radius(found: Mapping[tuple[str, str], MinimalRadii]) -> Finding:
    """Which of two models breaks later, and by which ε half of the images have been broken."""
    won = later(found["A", "worst"], found["B", "worst"])
    if won is None or won.low <= 0.5 <= won.high:
        words = "Neither model is shown to break later than the other"
    else:
        words = "B breaks later than A" if won.low > 0.5 else "A breaks later than B"
    halves = [found[side, "worst"].median_words() for side in "AB"]
    numbers = () if won is None else (
        f"of the noise that breaks in them at different ε, {per_cent(won.mean, 0)} breaks later in B (95 % interval "
        f"{per_cent(won.low, 0)} to {per_cent(won.high, 0)})",
    )  # fmt: skip
    return Finding(f"{words}: of A’s images {halves[0]}, of B’s {halves[1]}.", numbers)


def shell(found: Mapping[str, Shell]) -> Finding:
    """Whether worst noise lies where ordinary noise does."""
    worst, random = ([per_cent(one.inside[kind], 0) for one in found.values()] for kind in ("worst", "random"))
    return Finding(
        f"Where 99 % of ordinary noise lies, {worst[0]} of A’s worst noise and {worst[1]} of B’s lies too; of random "
        f"noise as far, {random[0]} and {random[1]}."
    )


def transfer(found: Transfer) -> Finding:
    """What is left of each model's worst noise in the other."""
    moved = {side: found.badness[side][other] for side, other in (("A", "B"), ("B", "A"))}
    positive = {side: one.positive for side, one in moved.items()}
    if all(positive.values()):
        words = "What is worst for one model is bad for the other too."
    elif not any(positive.values()):
        words = "What is worst for one model is not shown to be bad for the other."
    else:
        one, other = ("A", "B") if positive["A"] else ("B", "A")
        words = (
            f"What is worst for {one} is bad for {other} too; what is worst for {other} is not shown to be for {one}."
        )
    numbers = tuple(
        f"A’s on B: {one.in_points()} of badness beyond random noise" if side == "A" else f"B’s on A: {one.in_points()}"
        for side, one in moved.items()
    )
    return Finding(words, numbers)


def pool(found: Pool) -> Finding | None:
    """How many images break in two models, of all that were tried; None before the search is checked."""
    if not found.plan.radius:
        return Finding(STILL)
    if why := too_weak(found.strength):
        return _withheld(why)
    if not found.strength:
        return None
    each = {side: beyond(found, side, "worst", "random") for side in found.rows}
    counts = _broken({side: rows.measures for side, rows in found.rows.items()})
    words = _against_random({side: one.positive for side, one in each.items()}, counts)
    worst = between(found, "worst")
    if worst.excludes_zero:
        more, fewer = ("A", "B") if worst.mean > 0 else ("B", "A")
        start = between(found, "original")
        before = ", as without it" if start.excludes_zero and (start.mean > 0) == (worst.mean > 0) else ""
        words += f" Under it more of {more}’s images are broken than of {fewer}’s{before}."
    shares = {side: prevalence(found, side) for side in found.rows}
    numbers = [
        f"{side} broken: original {one['original'].bracketed()}, worst {one['worst'].bracketed()}, random "
        f"{one['random'].bracketed()}"
        for side, one in shares.items()
    ]
    return Finding(words, (*numbers, BRACKETS))
