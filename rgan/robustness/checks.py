"""Is the search for worst noise to be trusted? Checks in the spirit of Carlini et al. 2019, each with a remedy."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from rgan.attack.apgd import apgd
from rgan.attack.objectives import CRITIC, Objective
from rgan.attack.perturbation import SLACK, Perturbation, to_move
from rgan.attack.search import BUDGETS, Attack, losses, random_noise
from rgan.common.formatting import per_cent
from rgan.robustness.measured import JudgedGan

GOOD, FAIR, POOR = "good", "fair", "poor"
WORDS = {GOOD: "● good", FAIR: "◐ look closer", POOR: "○ do not trust"}
CONVERGED, LOOSE = 0.95, 0.9  # of what the unlike attack finds: below the second, no claim is made
LARGER = 10  # times the attack's budget: what the unlike attack is given
MOST_GRADIENTS, FEWEST, MOST_SAMPLES = 64_000, 8, 32  # of that attack in all; samples that it is tried on


@dataclass(frozen=True)
class Check:
    """One check: its name, state (GOOD, FAIR or POOR), the number behind it and what that means.

    remedy: names the control to turn; empty where all is well.
    """

    name: str
    state: str
    number: str
    meaning: str
    remedy: str


@dataclass(frozen=True)
class Strength:
    """How much of the worst noise `attack` finds: the share of what either it or auto-PGD finds, the latter with so
    many `gradients` a sample, on so many `samples`.
    """

    share: float
    gradients: int
    samples: int
    attack: Attack

    @property
    def weak(self) -> bool:
        """Whether it is too little for a claim."""
        return self.share < LOOSE

    @property
    def words(self) -> str:
        """As it goes on from "A's search"."""
        return f"finds {per_cent(self.share, 0)} of what {self.gradients:,} gradients find on {self.samples} samples"

    @property
    def remedy(self) -> str:
        """What to turn to find more."""
        if self.attack.method == "one-step":
            return "Choose the search instead of its first step."
        larger = next((name for name, most in BUDGETS.items() if most > self.attack.gradients), None)
        return f"Choose the budget {larger}." if larger else "Choose a smaller ε: here no budget finds all."


def check_attack(judged: JudgedGan, once: Perturbation, seed: int) -> tuple[Check, ...]:
    """Check the search that found `once`, which raised the critic's loss. None at ε 0.

    Costs a search of ten times its budget, of a few of its samples.
    """
    if once.radius == 0:
        return ()
    z, attack, judged = once.z, once.attack, judged.of_samples(range(len(once.z)))
    radius = torch.full((len(z),), once.radius)
    random = random_noise(z, radius, seed, tries=once.tries, keep_shell=attack.keep_shell)
    price = attack.price * random.square().sum(dim=-1)
    best = (losses(judged.objective(CRITIC, z).loss, z + random) - price).amax(dim=0)
    found = measure_strength(judged.objective(CRITIC, z, precision="auto"), z, once.r, attack, seed)
    return (_strength(found), _random(once, best), _use(once), _signal(once))


def against(checks: Mapping[str, tuple[Check, ...]]) -> list[str]:
    """What stands against any claim that rests on these searches, by side: a sentence each, with its remedy."""
    return [
        f"{side}'s search is not to be trusted ({check.name}: {check.number}). {check.remedy}"
        for side, found in checks.items()
        for check in found
        if check.state == POOR
    ]


def strength(words: Mapping[str, str]) -> str:
    """`Strength.words` of the searches of these sides as a sentence; empty without any."""
    return "; ".join(f"{side}'s search {one}" for side, one in words.items()) + "." if words else ""


def too_weak(found: Mapping[str, Strength]) -> list[str]:
    """Why no claim may rest on these searches, by side: a sentence each, with its remedy."""
    return [
        f"{side}'s search {one.words}, too little for a claim. {one.remedy}" for side, one in found.items() if one.weak
    ]


def tried_on(attack: Attack) -> int:
    """Samples, where there are so many, that `measure_strength` gives the unlike attack."""
    return max(FEWEST, min(MOST_SAMPLES, MOST_GRADIENTS // (LARGER * attack.gradients)))


def measure_strength(objective: Objective, z: Tensor, r: Tensor, attack: Attack, seed: int) -> Strength:
    """How much of the worst noise of z (N, d) the r (N, d) are that `attack` found within its one radius.

    An unlike attack, auto-PGD, gets LARGER times the budget on the first samples.

    Args:
        objective: what was raised; the unlike attack may use its coarse twin.
    """
    larger, count = LARGER * attack.gradients, min(len(z), tried_on(attack))
    z, r = z[:count], r[:count]
    stronger = dataclasses.replace(attack, gradients=larger)
    other, loss = apgd(objective, z, stronger, seed=seed)
    before, after = losses(objective.loss, torch.stack([z, z + r]))
    here = after - before - attack.price * r.square().sum(dim=1)
    there = loss - before - attack.price * other.square().sum(dim=1)
    best = float(torch.maximum(here, there).sum())
    return Strength(float(here.sum()) / best if best > 0 else 1.0, larger, count, attack)


def _strength(found: Strength) -> Check:
    state = GOOD if found.share >= CONVERGED else POOR if found.weak else FAIR
    meaning = (
        f"An attack of another kind, auto-PGD, got {LARGER} times the gradients. What it finds beyond this search is "
        "worst noise that every sentence here leaves out."
    )
    return Check("Strength", state, found.words, meaning, "" if state == GOOD else found.remedy)


def _random(once: Perturbation, best: Tensor) -> Check:
    won = float((once.value > best).float().mean())
    state = GOOD if won >= 0.95 else FAIR if won >= 0.7 else POOR
    number = f"beats the best of {once.tries} random directions of length ε on {per_cent(won, 0)} of samples"
    meaning = "A search that finds less than chance does not follow a usable gradient."
    remedy = "" if state == GOOD else "Choose a larger budget or a smaller ε; if neither helps, distrust the gradient."
    return Check("Beats random", state, number, meaning, remedy)


def _use(once: Perturbation) -> Check:
    used = float(once.length.mean()) / once.radius
    number = f"worst noise uses {per_cent(used, 0)} of ε"
    if once.attack.price > 0 and used < SLACK:
        meaning = "The price λ stops samples before ε: this is the worst noise that is worth its price."
        return Check("Use of ε", FAIR, number, meaning, "Lower λ to let ε decide.")
    state = GOOD if used >= 0.9 else FAIR if used >= 0.5 else POOR
    meaning = "Without a price the worst point mostly lies on the border; far inside, the search met a peak or ended."
    remedy = "" if state == GOOD else "Choose a larger budget; if the use stays low, a larger ε adds nothing."
    return Check("Use of ε", state, number, meaning, remedy)


def _signal(once: Perturbation) -> Check:
    still, count = int((once.length == 0).sum()), len(once.loss_original)
    state = GOOD if still == 0 else FAIR if still < count / 10 else POOR
    meaning = "Without a gradient, or where no step raises the loss, noise stays where it was."
    remedy = "" if state == GOOD else f"{to_move(once.attack).capitalize()}."
    return Check("Signal", state, f"{still} of {count} samples did not move", meaning, remedy)
