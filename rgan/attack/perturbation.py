"""Numbers with their control and their interval.

Worst noise is never reported without random noise of the same length beside it, sample by sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rgan.attack.objectives import LOSS, ObjectiveWords
from rgan.attack.search import Attack, Loss, SampleLoss, WorstNoise, losses, random_noise
from rgan.common.geometry import lengths
from rgan.stats.intervals import mean_interval

SLACK = 0.98  # a sample that uses less of ε than this is held back by the price, not by the radius


@dataclass(frozen=True)
class Perturbation:
    """Worst noise against its controls at one radius, per sample (N,), for one Gan.

    original, worst, random: what was raised, as `measure` says, at z, z + r and z + a random direction of length ‖r‖
    (`random_noise` holds it). best_of_random: the largest over `tries` such directions, as many as the search had
    gradient calls; None if it was not asked for. used: ‖r‖. prior: ‖z‖.
    """

    settings: Attack
    noise: Tensor
    random_noise: Tensor
    original: Tensor
    worst: Tensor
    random: Tensor
    best_of_random: Tensor | None
    tries: int
    used: Tensor
    prior: Tensor
    measure: ObjectiveWords = LOSS

    @property
    def radius(self) -> float:
        return self.settings.radii[0]

    @property
    def gap(self) -> Tensor:
        """What worst noise adds, (N,)."""
        return self.worst - self.original

    @property
    def beaten(self) -> int:
        """Samples whose worst noise raises it further than random noise of the same length."""
        return int((self.worst > self.random).sum())

    def summary(self) -> dict[str, Any]:
        """Means over samples, as plain numbers."""
        best = None if self.best_of_random is None else float(self.best_of_random.mean())
        return {
            self.measure.noun: {
                "original": float(self.original.mean()),
                "worst": float(self.worst.mean()),
                "random": float(self.random.mean()),
                "best_of_random": best,
            },
            "beats_random": self.beaten / len(self.worst),
            "radius_used": float(self.used.mean()),
            "prior_radius": float(self.prior.mean()),
        }

    def sentence(self) -> str:
        """The result in words."""
        if self.radius == 0:
            return "ε is 0: nothing moves, so worst noise is the original noise."
        gap = mean_interval(self.gap)
        control, said = float((self.random - self.original).mean()), self.measure.words
        return (
            f"Worst noise beats random noise of the same length on {self.beaten} of {len(self.worst)} samples. "
            f"It adds {said(gap.mean, '+')} to the mean {self.measure.full} (95 % interval {said(gap.low, '+')} to "
            f"{said(gap.high, '+')}); random noise adds {said(control, '+')}."
        )


def compare(
    objective: Loss | SampleLoss,
    z: Tensor,
    found: WorstNoise,
    *,
    seed: int,
    index: int = -1,
    best_of: bool = True,
    measure: ObjectiveWords = LOSS,
) -> Perturbation:
    """Set radius `index` of a search beside its controls.

    The control of sample i is the same direction whatever the radius and whatever `best_of`.

    Args:
        objective: the exact loss of each row; the same that the search ended with.
        seed: of the random directions.
        best_of: also take the best of as many random directions as the search had gradient calls.
        measure: how to speak of what the objective is.
    """
    settings = found.settings
    one = Attack(
        (settings.radii[index],),
        settings.price,
        settings.steps,
        settings.method,
        settings.restarts,
        settings.keep_shell,
    )
    noise = found.noise[index]
    used = lengths(noise)
    tries = max(1, found.gradient_calls) if best_of else 1
    random = random_noise(z, used, seed, tries=tries, keep_shell=settings.keep_shell)
    random_loss = losses(objective, z + random)
    return Perturbation(
        settings=one,
        noise=noise,
        random_noise=random[0],
        original=found.original,
        worst=found.loss[index],
        random=random_loss[0],
        best_of_random=random_loss.amax(dim=0) if best_of else None,
        tries=tries,
        used=used,
        prior=lengths(z),
        measure=measure,
    )


def which_loses_less(a: Perturbation, b: Perturbation, names: tuple[str, str]) -> str:
    """Which of two Gans loses less to worst noise, with the interval of the difference over the shared noise.

    Both comparisons are of the same measure.
    """
    measure, said = a.measure, a.measure.words
    if a.radius == 0:
        return "ε is 0: nothing moves. Raise ε to see what worst noise does."
    if len(a.worst) < 2:
        return (
            f"One sample: worst noise adds {said(float(a.gap))} ({names[0]}) and {said(float(b.gap))} ({names[1]}), "
            f"each {measure.by}. One sample has no interval; choose more to compare models."
        )
    difference = mean_interval(b.gap - a.gap)
    gaps = float(a.gap.mean()), float(b.gap.mean())
    if difference.low <= 0 <= difference.high:
        outcome = (
            f"{names[0]} and {names[1]} cannot be told apart: worst noise adds {said(gaps[0])} and {said(gaps[1])}"
        )
    else:
        first = 0 if difference.mean > 0 else 1
        outcome = (
            f"{names[first]} {measure.less} than {names[1 - first]}: worst noise adds {said(gaps[first])} against "
            f"{said(gaps[1 - first])}"
        )
    return (
        f"Worst noise beats random on {a.beaten} of {len(a.worst)} ({names[0]}) and {b.beaten} of {len(b.worst)} "
        f"({names[1]}). {outcome}; 95 % interval of the difference "
        f"{said(difference.low, '+')} to {said(difference.high, '+')}. Each {measure.noun} is {measure.by}."
    )


def notices(result: Perturbation, stronger: float | None = None) -> list[str]:
    """What the settings do to this result, where a control has no effect or misleads; each with what to do.

    stronger: a smaller radius at which the same method found more, if one is known.
    """
    said: list[str] = []
    settings, count = result.settings, len(result.worst)
    if result.radius == 0:
        return said
    if settings.method == "one-step":
        if settings.price > 0:
            said.append(
                "λ has no effect on the one-step method: its step always has length ε. Choose the search to price it."
            )
        lower = int((result.worst < result.original).sum())
        if lower or stronger is not None:
            signs = [f"on {lower} of {count} samples it lowers the {result.measure.noun}"] if lower else []
            signs += [f"at ε {stronger:g} it adds more"] if stronger is not None else []
            said.append(f"One step overshoots at this ε: {' and '.join(signs)}. Choose the search, or a smaller ε.")
    else:
        slack = int((result.used < SLACK * result.radius).sum())
        if settings.price > 0 and slack == count:
            said.append(
                f"ε is slack at this λ: the price stops every sample by {float(result.used.max()):.2f}. "
                "Lower λ to let ε matter."
            )
        elif settings.price > 0 and slack == 0:
            said.append("λ is slack at this ε: every sample goes to the full radius. Raise λ to let it matter.")
    if settings.keep_shell and result.radius >= 2 * float(result.prior.min()):
        said.append("ε exceeds the diameter of the shell: larger values change nothing.")
    return said


def straight_path(z: Tensor, r: Tensor, frames: int) -> Tensor:
    """Noise from z (d,) to z + r in equal steps, (frames, d)."""
    return z + torch.linspace(0, 1, frames)[:, None] * r
