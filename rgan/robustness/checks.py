"""Is the search for worst noise to be trusted? Checks in the spirit of Carlini et al. 2019, each with a remedy."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor

from rgan.attack.objectives import CRITIC
from rgan.attack.perturbation import SLACK, Perturbation
from rgan.attack.search import Attack, losses, random_noise
from rgan.common.formatting import per_cent
from rgan.robustness.measured import JudgedGan

GOOD, FAIR, POOR = "good", "fair", "poor"
WORDS = {GOOD: "● good", FAIR: "◐ look closer", POOR: "○ do not trust"}
CONVERGED, LOOSE = 0.05, 0.25  # of what twice the steps or other starts gain: what the search may miss
STARTS = 3  # more than asked for
AGREE = 0.1  # of its gain: what other starts may add to a sample without having found another peak
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


def check_attack(judged: JudgedGan, attack: Attack, *, samples: int, seed: int) -> tuple[Check, ...]:
    """Check the search at the only radius of `attack` on some samples; costs about seven searches. None at ε 0."""
    if attack.radii == (0.0,):
        return ()
    z = judged.gan.noise(samples, seed)

    def found(attack: Attack) -> Perturbation:
        (only,) = judged.perturb(z, attack, seed=seed)
        return only

    once = found(attack)
    twice = found(dataclasses.replace(attack, steps=2 * attack.steps))
    spread = found(dataclasses.replace(attack, restarts=attack.restarts + STARTS))
    radius = torch.full((samples,), once.radius)
    random = random_noise(z, radius, seed, tries=once.tries, keep_shell=attack.keep_shell)
    price = attack.price * random.square().sum(dim=-1)
    best = (losses(judged.objective(CRITIC, z).loss, z + random) - price).amax(dim=0)
    return (_steps(once, twice), _starts(once, spread), _random(once, best), _budget(once), _signal(once))


def _steps(once: Perturbation, twice: Perturbation) -> Check:
    missed = _missed(once, twice)
    weaker = int((twice.value < once.value - RESOLUTION * (1 + once.loss_original.abs())).sum())
    state = POOR if weaker else _graded(missed)
    number = f"finds {per_cent(1 - missed)} of what twice the steps find"
    number += f", and less on {weaker} of {len(once.loss_original)} samples" if weaker else ""
    meaning = "More steps never find less; if they find much more, the search has not arrived."
    return Check("Steps", state, number, meaning, "" if state == GOOD else "Choose more Steps.")


def _starts(once: Perturbation, spread: Perturbation) -> Check:
    missed = _missed(once, spread)
    gained = (once.value - once.loss_original).clamp_min(0)
    more = float((spread.value - once.value > AGREE * gained).float().mean())
    state = _graded(missed)
    ends = f"they add more than {per_cent(AGREE, 0)} on {per_cent(more, 0)} of samples"
    number = f"finds {per_cent(1 - missed)} of what {STARTS} more starts find; {ends}"
    meaning = "Other starts should agree with the first on the best; if they find better, there are several peaks."
    remedy = "" if state == GOOD else "Choose more Starts: each sample keeps the best."
    return Check("Starts", state, number, meaning, remedy)


def _random(once: Perturbation, best: Tensor) -> Check:
    won = float((once.value > best).float().mean())
    state = GOOD if won >= 0.95 else FAIR if won >= 0.7 else POOR
    number = f"beats the best of {once.tries} random directions of length ε on {per_cent(won, 0)} of samples"
    meaning = "A search that finds less than chance does not follow a usable gradient."
    remedy = "" if state == GOOD else "Choose more Steps or a smaller ε; if neither helps, distrust the gradient."
    return Check("Beats random", state, number, meaning, remedy)


def _budget(once: Perturbation) -> Check:
    used = float(once.length.mean()) / once.radius
    number = f"worst noise uses {per_cent(used, 0)} of ε"
    if once.attack.price > 0 and used < SLACK:
        meaning = "The price λ stops samples before ε: this is the worst noise that is worth its price."
        return Check("Budget", FAIR, number, meaning, "Lower λ to let ε decide.")
    state = GOOD if used >= 0.9 else FAIR if used >= 0.5 else POOR
    meaning = "Without a price the worst point mostly lies on the border; far inside, the search met a peak or ended."
    remedy = "" if state == GOOD else "Choose more Steps and Starts; if the use stays low, a larger ε adds nothing."
    return Check("Budget", state, number, meaning, remedy)


def _signal(once: Perturbation) -> Check:
    still, count = int((once.length == 0).sum()), len(once.loss_original)
    state = GOOD if still == 0 else FAIR if still < count / 10 else POOR
    meaning = "Without a gradient, or where no step raises the loss, noise stays where it was."
    remedy = "" if state == GOOD else "Lower λ, raise ε, or distrust this critic: its loss may be flat."
    return Check("Signal", state, f"{still} of {count} samples did not move", meaning, remedy)


def _missed(once: Perturbation, other: Perturbation) -> float:
    """What this search did not find of the other's gain, as a share of it."""
    found, there = (float((one.value - once.loss_original).mean()) for one in (once, other))
    return max(0.0, 1 - found / there) if there > 0 else 0.0


def _graded(missed: float) -> str:
    return GOOD if missed <= CONVERGED else FAIR if missed <= LOOSE else POOR
