"""One model or two at one radius, with the checks of their searches: a budget that finds too little is raised.

A verdict rests on worst noise that has been found. Where the standard budget finds less than nine tenths of what an
unlike attack of ten times as many gradients does, in one of the models, both are searched again with the strong one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rgan.attack.search import BUDGETS, Attack, surveyed
from rgan.common import answers
from rgan.common.progress import Mapper
from rgan.robustness import one_radius
from rgan.robustness.checks import POOR, Check, against, check_attack, strength
from rgan.robustness.collapse import Collapse, collapse
from rgan.robustness.measured import JudgedGan, by_side
from rgan.robustness.one_radius import STILL, OneRadius

VERSION = 1  # of the way all this is measured


@dataclass(frozen=True)
class AtRadius:
    """What is known so far, by side "A" and, where there are two, "B"; the checks come after what they check.

    collapse: whether images become alike. before: of what the budget found before it was raised, in words; empty where
    it was not.
    """

    found: dict[str, OneRadius]
    collapse: dict[str, Collapse]
    checks: dict[str, tuple[Check, ...]]
    before: str = ""

    @property
    def said(self) -> tuple[str, ...]:
        """The verdict and what it rests on, or that there is none and why; empty before the checks have come."""
        first, *other = self.found.values()
        if first.radius == 0:
            return (STILL,)
        if not self.checks:
            return ()
        refused = tuple(f"No verdict: {why}" for why in against(self.checks))
        verdict = one_radius.verdict(first, *other) if other else (one_radius.against_random("A", first),)
        alike = tuple(one.sentence(side) for side, one in self.collapse.items())
        alike += tuple(f"{side}: {one.attributes.sentence}" for side, one in self.found.items() if one.attributes)
        found = (strength({side: checks[0].number for side, checks in self.checks.items()}),)
        return (refused or verdict + alike + found) + tuple(filter(None, [self.raised]))

    @property
    def raised(self) -> str:
        """That the budget was raised, and why; empty where it was not."""
        if not self.before:
            return ""
        gradients = next(iter(self.found.values())).perturbation.attack.gradients
        return f"Searched anew with {gradients:,} gradients, since with {BUDGETS['standard']:,} {self.before}"


def question(judged_gans: Sequence[JudgedGan], attack: Attack, *, samples: int, seed: int) -> dict[str, Any]:
    """What `at_radius` of these answers, as `rgan.common.answers` has it."""
    models = [judged.digests for judged in judged_gans]
    made = surveyed(attack.price, judged_gans[0].gan.recipe.latent)
    return answers.question("at radius", VERSION, models, attack=attack, samples=samples, seed=seed, **made)


def at_radius(
    judged_gans: Sequence[JudgedGan],
    attack: Attack,
    *,
    samples: int,
    seed: int,
    run: Mapper = map,
    report: Callable[[float, AtRadius | None], None] = lambda share, so_far: None,
) -> AtRadius:
    """Search at the only radius of `attack`, try the controls, check the search, and do it again if it was too weak.

    Args:
        report: is told from any thread which share is done, and what is known where that is news.

    Raises:
        SettingsError: no model or more than two, or they draw from different numbers of noise dimensions; or fewer than
            2 samples.
        CheckpointError: a model has no critic.
    """
    named = by_side(judged_gans)
    planned, spent = 0.0, 0.0

    def measured(attack: Attack, before: str) -> AtRadius:
        shares = dict.fromkeys(named, 0.0)

        def search(item: tuple[str, JudgedGan]) -> OneRadius:
            side, judged = item

            def told(share: float) -> None:
                shares[side] = share
                report((spent + attack.gradients * sum(shares.values()) / len(shares)) / planned, None)

            return one_radius.one_radius(judged, attack, samples=samples, seed=seed, report=told)

        found = dict(zip(named, run(search, named.items()), strict=True))
        alike = {side: collapse(found[side], judged.judge.scale) for side, judged in named.items()}
        report((spent + attack.gradients) / planned, AtRadius(found, alike, {}, before))

        def check(item: tuple[str, JudgedGan]) -> tuple[Check, ...]:
            side, judged = item
            return check_attack(judged, found[side].perturbation, seed)

        return AtRadius(found, alike, dict(zip(named, run(check, named.items()), strict=True)), before)

    planned = 2.0 * attack.gradients  # the check costs about as much as the search
    once = measured(attack, "")
    too_weak = any(checks and checks[0].state == POOR for checks in once.checks.values())
    if attack.gradients != BUDGETS["standard"] or not too_weak:
        return once
    report(1.0, once)
    stronger = dataclasses.replace(attack, gradients=BUDGETS["strong"])
    spent, planned = planned, planned + 2.0 * stronger.gradients
    words = strength({side: checks[0].number for side, checks in once.checks.items()})
    return measured(stronger, words)
