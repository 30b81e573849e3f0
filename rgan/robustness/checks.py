"""Is the search for worst noise to be trusted? Checks in the spirit of Carlini et al. 2019, each with a remedy."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from rgan.attack.apgd import apgd
from rgan.attack.objectives import CRITIC
from rgan.attack.perturbation import SLACK, Perturbation
from rgan.attack.search import BUDGETS, losses, random_noise
from rgan.common.formatting import per_cent
from rgan.robustness.measured import JudgedGan

GOOD, FAIR, POOR = "good", "fair", "poor"
WORDS = {GOOD: "● good", FAIR: "◐ look closer", POOR: "○ do not trust"}
CONVERGED, LOOSE = 0.95, 0.9  # of what the unlike attack finds: below the second, no claim is made
LARGER = 10  # times the attack's budget: what the unlike attack is given
MOST_GRADIENTS, FEWEST, MOST_SAMPLES = 64_000, 8, 32  # of that attack in all; samples that it is tried on
RESOLUTION = 1e-3  # of the loss: what convolutions in TF32, a GPU's default, cannot tell apart


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


def check_attack(judged: JudgedGan, once: Perturbation, seed: int) -> tuple[Check, ...]:
    """Check the search that found `once`, which raised the critic's loss. None at ε 0.

    Costs a search of ten times its budget, of a few of its samples.
    """
    if once.radius == 0:
        return ()
    z, attack = once.z, once.attack
    radius = torch.full((len(z),), once.radius)
    random = random_noise(z, radius, seed, tries=once.tries, keep_shell=attack.keep_shell)
    price = attack.price * random.square().sum(dim=-1)
    best = (losses(judged.objective(CRITIC, z).loss, z + random) - price).amax(dim=0)
    return (_strength(judged, once, seed), _random(once, best), _use(once), _signal(once))


def against(checks: Mapping[str, tuple[Check, ...]]) -> list[str]:
    """What stands against any claim that rests on these searches, by side: a sentence each, with its remedy."""
    return [
        f"{side}'s search is not to be trusted ({check.name}: {check.number}). {check.remedy}"
        for side, found in checks.items()
        for check in found
        if check.state == POOR
    ]


def strength(checks: Mapping[str, tuple[Check, ...]]) -> str:
    """How much of the worst noise the searches find, in a sentence; empty at ε 0."""
    found = [f"{side}'s search {found[0].number}" for side, found in checks.items() if found]
    return "; ".join(found) + "." if found else ""


def _strength(judged: JudgedGan, once: Perturbation, seed: int) -> Check:
    found, larger, count = share_found(judged, once, seed)
    state = GOOD if found >= CONVERGED else FAIR if found >= LOOSE else POOR
    number = f"finds {per_cent(found, 0)} of what {larger:,} gradients find on {count} samples"
    meaning = (
        f"An attack of another kind, auto-PGD, got {LARGER} times the gradients. What it finds beyond this search is "
        "worst noise that every sentence here leaves out."
    )
    larger_budget = next((name for name, most in BUDGETS.items() if most > once.attack.gradients), None)
    remedy = f"Choose the budget {larger_budget}." if larger_budget else "Choose a smaller ε: here no budget finds all."
    return Check("Strength", state, number, meaning, "" if state == GOOD else remedy)


def share_found(judged: JudgedGan, once: Perturbation, seed: int) -> tuple[float, int, int]:
    """Which share of the gain that either attack finds `once` has found, auto-PGD having LARGER times its budget; that
    budget, and on how many samples it was tried."""
    larger = LARGER * once.attack.gradients
    count = min(len(once.z), max(FEWEST, min(MOST_SAMPLES, MOST_GRADIENTS // larger)))
    z, first = once.z[:count], slice(count)
    stronger = dataclasses.replace(once.attack, gradients=larger)
    r, loss = apgd(judged.objective(CRITIC, z, precision="auto"), z, stronger, seed=seed)
    there = loss - once.attack.price * r.square().sum(dim=1) - once.loss_original[first]
    here = (once.value - once.loss_original)[first]
    best = float(torch.maximum(here, there).sum())
    return (float(here.sum()) / best if best > 0 else 1.0), larger, count


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
    remedy = "" if state == GOOD else "Lower λ, raise ε, or distrust this critic: its loss may be flat."
    return Check("Signal", state, f"{still} of {count} samples did not move", meaning, remedy)
