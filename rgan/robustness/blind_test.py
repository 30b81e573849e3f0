"""A blind test: can people see what worst noise does, or tell a robust model's images from a plain one's?

Half of the pairs are the control: there random noise of the same length stands where worst noise does in the others.
Who answers cannot know which pair is which, so an answer that random noise gets as well says nothing of worst noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rgan.attack.objectives import CRITIC, objective_for
from rgan.attack.perturbation import perturb
from rgan.attack.search import Attack
from rgan.common import answers
from rgan.common.errors import SettingsError, one_of
from rgan.common.formatting import per_cent
from rgan.common.geometry import separate
from rgan.common.images import to_uint8
from rgan.metrics.judges import Judge, attackable
from rgan.models.gan import Gan
from rgan.robustness.checks import Strength, measure_strength
from rgan.stats.intervals import LEVEL, Share, more_hits, share

BROKEN, ROBUST = QUESTIONS = ("broken", "robust")
WORST, RANDOM = NOISES = ("worst", "random")
SIDES = ("left", "right")
TRIALS, VERSION = 20, 1  # at first; of the way they are made


@dataclass(frozen=True)
class BlindTestPlan:
    """What to ask: one of QUESTIONS, by how many trials (even, half of them the control), at which ε, what the search
    raises (one of `objectives.OBJECTIVES`), and the seed of the noise, of the order and of the sides."""

    question: str
    trials: int
    radius: float
    objective: str = CRITIC
    seed: int = 0

    def __post_init__(self) -> None:
        one_of("the question", self.question, QUESTIONS)
        if self.trials < 2 or self.trials % 2:
            raise SettingsError(
                f"expected an even number of trials, so that half of them are controls, got {self.trials}; choose 10"
            )
        if not self.radius > 0:
            raise SettingsError(f"expected ε above 0, where something moves, got {self.radius:g}; raise it")


@dataclass(frozen=True)
class Pair:
    """Two images of one noise, uint8 (2, H, W, C), left and right.

    kind: of noise, one of NOISES. target: the side, 0 or 1, that the question asks for: the moved noise's image for
    BROKEN, model B's for ROBUST. judged: the side that the judge takes for it, None without a judge.
    """

    kind: str
    target: int
    images: np.ndarray
    judged: int | None


@dataclass(frozen=True)
class Trials:
    """The pairs of a test, in their order; strength: of the searches behind them, by side of the models shown."""

    pairs: tuple[Pair, ...]
    strength: dict[str, Strength]


def question_of(gans: tuple[Gan, Gan], plan: BlindTestPlan, judge: Judge | None) -> dict[str, Any]:
    """What the trials of a test answer, as `rgan.common.answers` has it."""
    judges = [] if judge is None else [judge.digest, attackable(judge).digest]
    return answers.question("blind test", VERSION, [(gan.digest, *judges) for gan in gans], plan=plan)


def pairs(gans: tuple[Gan, Gan], plan: BlindTestPlan, judge: Judge | None = None) -> tuple[Pair, ...]:
    """The trials in their order, the same for the same plan.

    BROKEN shows A's original noise beside moved noise; ROBUST shows A and B, each under its own moved noise. The judge
    takes the image further from real ones for the broken one, and the nearer for the robust one.

    Raises:
        SettingsError: the two models of ROBUST draw from different numbers of noise dimensions.
        CheckpointError: the critic's loss is to be raised and there is none.
    """
    if plan.question == ROBUST and gans[0].recipe.latent != gans[1].recipe.latent:
        raise SettingsError(
            f"expected models with as many noise dimensions, got {gans[0].recipe.latent} and "
            f"{gans[1].recipe.latent}; choose others"
        )
    order = separate(plan.seed, f"blind test, {plan.question}")  # so that one result does not give away the other
    worst = torch.randperm(plan.trials, generator=order) < plan.trials // 2
    target = torch.randint(2, (plan.trials,), generator=order)
    gans = gans[0].of_samples(range(plan.trials)), gans[1].of_samples(range(plan.trials))
    if plan.question == BROKEN:
        z = gans[0].noise(plan.trials, plan.seed)
        shown = [gans[0].probe().images(z), _moved(gans[0], z, worst, plan, judge)]
    else:
        shown = [_moved(gan, gan.noise(plan.trials, plan.seed), worst, plan, judge) for gan in gans]
    judged = [None] * plan.trials if judge is None else _judged(judge, shown, plan.question)
    first, second = map(to_uint8, shown)
    return tuple(
        Pair(
            WORST if is_worst else RANDOM,
            side,
            np.stack([one, other] if side else [other, one]),
            None if right is None else side if right else 1 - side,
        )
        for is_worst, side, one, other, right in zip(
            worst.tolist(), target.tolist(), first, second, judged, strict=True
        )
    )


def _moved(gan: Gan, z: Tensor, worst: Tensor, plan: BlindTestPlan, judge: Judge | None) -> Tensor:
    """Images (N, C, H, W) of worst noise where `worst` (N,) holds, of random noise of the same length elsewhere."""
    found = perturb(
        gan, z, Attack((plan.radius,)), plan.objective, judge=judge and attackable(judge), seed=plan.seed,
        best_random=False, device="cpu",
    )  # fmt: skip
    return gan.probe().images(z + torch.where(worst[:, None], found.r, found.random))


def strengths(gans: tuple[Gan, Gan], plan: BlindTestPlan, judge: Judge | None = None) -> dict[str, Strength]:
    """How much of the worst noise the searches behind `pairs` find, by side of the models shown."""
    raised, found = judge and attackable(judge), {}
    for side, gan in zip("A" if plan.question == BROKEN else "AB", gans, strict=False):
        z, attack = gan.noise(plan.trials, plan.seed), Attack((plan.radius,))
        r = perturb(gan, z, attack, plan.objective, judge=raised, seed=plan.seed, best_random=False, device="cpu").r
        objective = objective_for(gan, plan.objective, z, judge=raised, device="cpu", precision="auto")
        found[side] = measure_strength(objective, z, r, attack, plan.seed)
    return found


def _judged(judge: Judge, shown: Sequence[Tensor], question: str) -> list[bool | None]:
    """Whether the judge takes the second image of each pair for what the question asks for."""
    first, second = (judge.opinion(images).distance for images in shown)
    picked = second > first if question == BROKEN else second < first
    return list(picked.tolist())


@dataclass(frozen=True)
class Tally:
    """Of `total` answers `hits` named the side that was asked for."""

    hits: int
    total: int

    @property
    def share(self) -> Share:
        """Of hits."""
        return share(self.hits, self.total)

    @property
    def by_chance(self) -> float:
        """The probability of as many hits or more for one who guesses."""
        from scipy.stats import binom

        return float(binom.sf(self.hits - 1, self.total, 0.5))

    @property
    def beyond_chance(self) -> int:
        """1 or −1 where the interval lies above or below one half, else 0."""
        return int(self.share.low > 0.5) - int(self.share.high < 0.5)

    def words(self) -> str:
        """ "8 of 10, 80 % (95 % interval 49 % to 94 %)"."""
        return f"{self.hits} of {self.total}, {self.share.in_per_cent(0)}"


def tally(shown: Sequence[Pair], answers: Sequence[int | None], kind: str) -> Tally:
    """Of the pairs of one kind of noise."""
    asked = [answer == pair.target for pair, answer in zip(shown, answers, strict=True) if pair.kind == kind]
    return Tally(sum(asked), len(asked))


def more_than(worst: Tally, random: Tally) -> float:
    """The probability, if both kinds of noise are told equally well, of worst noise's hits or more among all hits
    (Fisher's exact test, one-sided)."""
    return more_hits((worst.hits, worst.total), (random.hits, random.total))


def conclusion(question: str, worst: Tally, random: Tally) -> tuple[str, str]:
    """A headline and what it rests on, from both tallies."""
    asked, opposite = _WORDS[question]
    if worst.beyond_chance == 0:
        return (
            "Your answers may well be guesses.",
            f"These {worst.total} pairs do not show that {asked} can be told from the other: one half lies within the "
            f"interval, and guessing gets {worst.hits} or more in {per_cent(worst.by_chance)} of such tests.",
        )
    if worst.beyond_chance < 0:
        return "You saw a difference, and took it for the opposite.", f"Under worst noise {asked} looks {opposite}."
    chance = f"Guessing gets as many under worst noise in {per_cent(worst.by_chance)} of such tests."
    p = more_than(worst, random)
    beside = f"{worst.hits} of {worst.total} beside {random.hits} of {random.total} under random noise (p = {p:.2g})"
    if p <= LEVEL:
        return "You saw it.", f"{chance} And it is worst noise that shows it: {beside}."
    return (
        "You saw it; that worst noise shows it better than random noise is not shown.",
        f"{chance} But {beside} may be chance.",
    )


# What is asked for, and how it looked to one who chose the other.
_WORDS = {
    BROKEN: ("the moved image", "the better one to you"),
    ROBUST: ("the robust model's image", "the worse one to you"),
}


def rows(shown: Sequence[Pair], answers: Sequence[int]) -> list[dict[str, object]]:
    """A row a trial, for a file."""
    return [
        {
            "trial": number,
            "noise": pair.kind,
            "asked_for": SIDES[pair.target],
            "answer": SIDES[answer],
            "right": answer == pair.target,
            "judge": "" if pair.judged is None else SIDES[pair.judged],
        }
        for number, (pair, answer) in enumerate(zip(shown, answers, strict=True), 1)
    ]
