"""Worst noise with its controls: `perturb`, which everything that measures robustness goes through.

Worst noise is never reported without random noise of the same length beside it, sample by sample.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rgan.attack.objectives import CRITIC, LOSS, ObjectiveWords, objective_for
from rgan.attack.search import Attack, Loss, SampleLoss, WorstNoise, losses, random_noise
from rgan.common.errors import SettingsError
from rgan.common.geometry import lengths
from rgan.metrics.judges import Judge
from rgan.models.gan import Gan
from rgan.stats.intervals import mean_interval

SLACK = 0.98  # a sample that uses less of ε than this is held back by the price, not by the radius


@dataclass(frozen=True)
class Perturbation:
    """Worst noise of N samples within one radius, beside its controls; everything a row a sample.

    z: original noise, (N, d). r: what is added to it, worst noise being z + r. random: a random direction as long as r.
    best_random: of as many such directions as the search had gradients, the one that raises the objective most; None if
    it was not asked for. loss_original, loss_worst, loss_random, loss_best_random: the objective there, (N,), in the
    unit that `words` says. gradients: spent on each sample.
    """

    attack: Attack
    z: Tensor
    r: Tensor
    random: Tensor
    best_random: Tensor | None
    loss_original: Tensor
    loss_worst: Tensor
    loss_random: Tensor
    loss_best_random: Tensor | None
    gradients: int
    words: ObjectiveWords = LOSS

    @property
    def radius(self) -> float:
        """ε."""
        return self.attack.radii[0]

    @property
    def length(self) -> Tensor:
        """‖r‖, (N,)."""
        return lengths(self.r)

    @property
    def gain(self) -> Tensor:
        """What worst noise adds to the objective, (N,)."""
        return self.loss_worst - self.loss_original

    @property
    def value(self) -> Tensor:
        """ℓ(z + r) − λ‖r‖², what the search maximises, (N,)."""
        return self.loss_worst - self.attack.price * self.r.square().sum(dim=1)

    @property
    def beaten(self) -> int:
        """Samples whose worst noise raises the objective further than random noise of the same length."""
        return int((self.loss_worst > self.loss_random).sum())

    @property
    def tries(self) -> int:
        """Random directions that the best was taken of."""
        return max(1, self.gradients)

    def summary(self) -> dict[str, Any]:
        """Means over samples, as plain numbers."""
        best = None if self.loss_best_random is None else float(self.loss_best_random.mean())
        return {
            self.words.noun: {
                "original": float(self.loss_original.mean()),
                "worst": float(self.loss_worst.mean()),
                "random": float(self.loss_random.mean()),
                "best_of_random": best,
            },
            "beats_random": self.beaten / len(self.z),
            "radius_used": float(self.length.mean()),
            "prior_radius": float(lengths(self.z).mean()),
        }

    def sentence(self) -> str:
        """The result in words."""
        if self.radius == 0:
            return "ε is 0: nothing moves, so worst noise is the original noise."
        gain = mean_interval(self.gain)
        control, number = float((self.loss_random - self.loss_original).mean()), self.words.number
        return (
            f"Worst noise beats random noise of the same length on {self.beaten} of {len(self.z)} samples. "
            f"It adds {number(gain.mean, '+')} to the mean {self.words.full} (95 % interval {number(gain.low, '+')} to "
            f"{number(gain.high, '+')}); random noise adds {number(control, '+')}."
        )


def perturb(
    gan: Gan,
    z: Tensor,
    attack: Attack,
    objective: str = CRITIC,
    *,
    judge: Judge | None = None,
    seed: int = 0,
    control_seed: int | None = None,
    best_random: bool = True,
    device: str = "auto",
    precision: str = "float32",
) -> Perturbation:
    """Worst noise of z (N, latent) within the one radius of `attack`, beside its controls.

    Args:
        objective: what to raise, one of `objectives.OBJECTIVES`. judge: whose distance is raised, for "judge".
        seed: of the search. control_seed: of the random directions; the search's by default.
        best_random: also the best of as many random directions as the search had gradients.
        precision: of all but the last steps; "float32" gives the same numbers on every machine.

    Raises:
        SettingsError: noise of another shape, or several radii, or as `objective_for`.
        CheckpointError: as `objective_for`.
    """
    if len(attack.radii) != 1:
        raise SettingsError(f"expected one radius ε, got {attack.radii}; choose one of them")
    (found,) = perturb_along(
        gan, z, attack, objective, judge=judge, seed=seed, control_seed=control_seed, best_random=best_random,
        device=device, precision=precision,
    )  # fmt: skip
    return found


def perturb_along(
    gan: Gan,
    z: Tensor,
    attack: Attack,
    objective: str = CRITIC,
    *,
    judge: Judge | None = None,
    seed: int = 0,
    control_seed: int | None = None,
    best_random: bool = True,
    device: str = "auto",
    precision: str = "float32",
    report: Callable[[float], None] | None = None,
) -> tuple[Perturbation, ...]:
    """As `perturb`, at each of the attack's radii, which are searched in one batch; `report` is told which share of
    the search is done."""
    if z.dim() != 2 or z.shape[1] != gan.recipe.latent or not len(z) or not z.is_floating_point():
        raise SettingsError(
            f"expected noise of shape (samples, {gan.recipe.latent}), got {z.dtype} of shape {tuple(z.shape)}; take it "
            "from gan.noise(samples, seed)"
        )
    raised = objective_for(gan, objective, z, judge=judge, device=device, precision=precision)
    for found in raised.search(z, attack, seed=seed):
        if report is not None:
            report(found.gradients / attack.gradients)
    control = seed if control_seed is None else control_seed
    return tuple(
        with_controls(raised.loss, found, seed=control, index=index, best_random=best_random, words=raised.words)
        for index in range(len(attack.radii))
    )


def with_controls(
    loss: Loss | SampleLoss,
    found: WorstNoise,
    *,
    seed: int,
    index: int = -1,
    best_random: bool = True,
    words: ObjectiveWords = LOSS,
) -> Perturbation:
    """Radius `index` of a search beside its controls.

    The control of sample i is the same direction whatever the radius and whatever `best_random`.

    Args:
        loss: the exact objective of each row; the same that the search ended with.
        seed: of the random directions.
        words: how to speak of the objective.
    """
    attack = dataclasses.replace(found.attack, radii=(found.attack.radii[index],))
    r = found.noise[index]
    tries = max(1, found.gradients) if best_random else 1
    random = random_noise(found.z, lengths(r), seed, tries=tries, keep_shell=attack.keep_shell)
    random_loss = losses(loss, found.z + random)
    best = random[random_loss.argmax(dim=0), torch.arange(len(r))] if best_random else None
    return Perturbation(
        attack=attack,
        z=found.z,
        r=r,
        random=random[0],
        best_random=best,
        loss_original=found.original,
        loss_worst=found.loss[index],
        loss_random=random_loss[0],
        loss_best_random=random_loss.amax(dim=0) if best_random else None,
        gradients=found.gradients,
        words=words,
    )


def which_loses_less(a: Perturbation, b: Perturbation, names: tuple[str, str]) -> str:
    """Which of two Gans loses less to worst noise, with the interval of the difference over the shared noise.

    Both are of the same objective.
    """
    words, number = a.words, a.words.number
    if a.radius == 0:
        return "ε is 0: nothing moves. Raise ε to see what worst noise does."
    if len(a.z) < 2:
        return (
            f"One sample: worst noise adds {number(float(a.gain))} ({names[0]}) and {number(float(b.gain))} "
            f"({names[1]}), each {words.by}. One sample has no interval; choose more to compare models."
        )
    difference = mean_interval(b.gain - a.gain)
    gains = float(a.gain.mean()), float(b.gain.mean())
    if difference.low <= 0 <= difference.high:
        outcome = (
            f"{names[0]} and {names[1]} cannot be told apart: worst noise adds {number(gains[0])} and "
            f"{number(gains[1])}"
        )
    else:
        first = 0 if difference.mean > 0 else 1
        outcome = (
            f"{names[first]} {words.less} than {names[1 - first]}: worst noise adds {number(gains[first])} against "
            f"{number(gains[1 - first])}"
        )
    return (
        f"Worst noise beats random on {a.beaten} of {len(a.z)} ({names[0]}) and {b.beaten} of {len(b.z)} "
        f"({names[1]}). {outcome}; 95 % interval of the difference "
        f"{number(difference.low, '+')} to {number(difference.high, '+')}. Each {words.noun} is {words.by}."
    )


def notices(
    attack: Attack, length: Tensor, *, lowered: int = 0, stronger: float | None = None, noun: str = "loss"
) -> list[str]:
    """What the settings do to an answer, where a control has no effect or misleads; each with what to do.

    Args:
        attack: of one radius. length: ‖r‖ of each sample, (N,).
        lowered: samples on which it lowers what it was to raise. stronger: a smaller radius at which the same method
            found more, if one is known. noun: of what is raised.
    """
    said: list[str] = []
    (radius,), count = attack.radii, len(length)
    if radius == 0:
        return said
    if attack.method == "one-step":
        if attack.price > 0:
            said.append(
                "λ has no effect on the one-step method: its step always has length ε. Choose the search to price it."
            )
        if lowered or stronger is not None:
            signs = [f"on {lowered} of {count} samples it lowers the {noun}"] if lowered else []
            signs += [f"at ε {stronger:g} it adds more"] if stronger is not None else []
            said.append(f"One step overshoots at this ε: {' and '.join(signs)}. Choose the search, or a smaller ε.")
    elif attack.price > 0:
        slack = int((length < SLACK * radius).sum())
        if slack == count:
            said.append(
                f"ε is slack at this λ: the price stops every sample by {float(length.max()):.2f}. "
                "Lower λ to let ε matter."
            )
        elif slack == 0:
            said.append("λ is slack at this ε: every sample goes to the full radius. Raise λ to let it matter.")
    return said


def to_move(attack: Attack) -> str:
    """What to do where no noise moves: "lower λ, or raise ε", of which only what can help is named."""
    return "lower λ" if attack.price > 0 else "raise ε, or distrust this gradient: what is raised may be flat"


def straight_path(z: Tensor, r: Tensor, frames: int) -> Tensor:
    """Noise from z (d,) to z + r in equal steps, (frames, d)."""
    return z + torch.linspace(0, 1, frames)[:, None] * r
