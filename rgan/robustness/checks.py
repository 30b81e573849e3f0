"""Is the search for worst noise to be trusted? Checks in the spirit of Carlini et al. 2019, each with a remedy."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor

from rgan.attack.perturbation import SLACK
from rgan.attack.search import Attack, WorstNoise, losses, random_noise
from rgan.common.formatting import per_cent
from rgan.common.geometry import lengths
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


def check_attack(judged: JudgedGan, settings: Attack, *, samples: int, seed: int) -> tuple[Check, ...]:
    """Check the search at the only radius of `settings` on some samples; costs about seven searches. None at ε 0."""
    if settings.radii == (0.0,):
        return ()
    z = judged.gan.noise(samples, seed)

    def found(settings: Attack) -> WorstNoise:
        *_, last = judged.search(z, settings, seed)
        return last

    once = found(settings)
    twice = found(dataclasses.replace(settings, steps=2 * settings.steps))
    spread = found(dataclasses.replace(settings, restarts=settings.restarts + STARTS))
    tries = max(1, once.gradient_calls)
    radius = torch.full((samples,), settings.radii[0])
    random = random_noise(z, radius, seed, tries=tries, keep_shell=settings.keep_shell)
    cost = settings.price * random.square().sum(dim=-1)
    best = (losses(judged.probe.loss, (z + random).flatten(0, 1)).view(tries, samples) - cost).amax(dim=0)
    return (_steps(once, twice), _starts(once, spread), _random(once, best, tries), _budget(once), _signal(once))


def _steps(once: WorstNoise, twice: WorstNoise) -> Check:
    missed = _missed(once, twice)
    weaker = int((twice.value[0] < once.value[0] - RESOLUTION * (1 + once.original.abs())).sum())
    state = POOR if weaker else _graded(missed)
    number = f"finds {per_cent(1 - missed)} of what twice the steps find"
    number += f", and less on {weaker} of {len(once.original)} samples" if weaker else ""
    meaning = "More steps never find less; if they find much more, the search has not arrived."
    return Check("Steps", state, number, meaning, "" if state == GOOD else "Choose more Steps.")


def _starts(once: WorstNoise, spread: WorstNoise) -> Check:
    missed = _missed(once, spread)
    gained = (once.value[0] - once.original).clamp_min(0)
    more = float((spread.value[0] - once.value[0] > AGREE * gained).float().mean())
    state = _graded(missed)
    ends = f"they add more than {per_cent(AGREE, 0)} on {per_cent(more, 0)} of samples"
    number = f"finds {per_cent(1 - missed)} of what {STARTS} more starts find; {ends}"
    meaning = "Other starts should agree with the first on the best; if they find better, there are several peaks."
    remedy = "" if state == GOOD else "Choose more Starts: each sample keeps the best."
    return Check("Starts", state, number, meaning, remedy)


def _random(once: WorstNoise, best: Tensor, tries: int) -> Check:
    won = float((once.value[0] > best).float().mean())
    state = GOOD if won >= 0.95 else FAIR if won >= 0.7 else POOR
    number = f"beats the best of {tries} random directions of length ε on {per_cent(won, 0)} of samples"
    meaning = "A search that finds less than chance does not follow a usable gradient."
    remedy = "" if state == GOOD else "Choose more Steps or a smaller ε; if neither helps, distrust the gradient."
    return Check("Beats random", state, number, meaning, remedy)


def _budget(once: WorstNoise) -> Check:
    radius = once.settings.radii[0]
    used = float(lengths(once.noise[0]).mean()) / radius if radius else 0.0
    number = f"worst noise uses {per_cent(used, 0)} of ε"
    if once.settings.price > 0 and used < SLACK:
        meaning = "The price λ stops samples before ε: this is the worst noise that is worth its price."
        return Check("Budget", FAIR, number, meaning, "Lower λ to let ε decide.")
    state = GOOD if used >= 0.9 else FAIR if used >= 0.5 else POOR
    meaning = "Without a price the worst point mostly lies on the border; far inside, the search met a peak or ended."
    remedy = "" if state == GOOD else "Choose more Steps and Starts; if the use stays low, a larger ε adds nothing."
    return Check("Budget", state, number, meaning, remedy)


def _signal(once: WorstNoise) -> Check:
    still, count = int((lengths(once.noise[0]) == 0).sum()), len(once.original)
    state = GOOD if still == 0 else FAIR if still < count / 10 else POOR
    meaning = "Without a gradient, or where no step raises the loss, noise stays where it was."
    remedy = "" if state == GOOD else "Lower λ, raise ε, or distrust this critic: its loss may be flat."
    return Check("Signal", state, f"{still} of {count} samples did not move", meaning, remedy)


def _missed(once: WorstNoise, other: WorstNoise) -> float:
    """What this search did not find of the other's gain, as a share of it."""
    found, there = (float((one.value[0] - once.original).mean()) for one in (once, other))
    return max(0.0, 1 - found / there) if there > 0 else 0.0


def _graded(missed: float) -> str:
    return GOOD if missed <= CONVERGED else FAIR if missed <= LOOSE else POOR
