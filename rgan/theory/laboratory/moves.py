"""Worst moves of noise in the plane: the attack's, and the true ones, since a disk can be searched all over."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from rgan.attack.perturbation import Perturbation, with_controls
from rgan.attack.search import LOOKS, LOOKS_A_GRADIENT, Attack, Loss, WorstNoise, run, search
from rgan.common.geometry import project_ball
from rgan.models.gan import Gan

AROUND = 12  # directions of a closer look
LAST = 20  # gradients after places have lent each other theirs


@dataclass(frozen=True)
class Looks:
    """A polar grid of so many radii and angles over a disk; its `best` places are looked at `closer` so many times."""

    radii: int
    angles: int
    best: int
    closer: int


EXACT = Looks(16, 64, 4, 7)
QUICK = Looks(8, 32, 2, 4)  # while a training runs


@dataclass(frozen=True)
class PlaneAttack(Attack):
    """The search with its surveys at every price: none of its answers is kept that another one could be taken for."""

    def looks(self, dimensions: int) -> int:
        return LOOKS


@dataclass(frozen=True)
class Moves:
    """Moves of noise z (N, 2) within the radius of the attack, at its price.

    found: the attack's, with random moves of equal length beside them. truth: the r (N, 2) that is worst, by looking
    all over the disk; None where that was not asked for. truth_value: ℓ(z + r) − λ‖r‖² there, (N,).
    """

    found: Perturbation
    truth: Tensor | None = None
    truth_value: Tensor | None = None

    @property
    def share(self) -> Tensor | None:
        """What the attack's gain is of the greatest gain that there is, (N,); 1 where nothing can be gained."""
        if self.truth_value is None:
            return None
        most = self.truth_value - self.found.loss_original
        least = 1e-6 + 1e-6 * self.found.loss_original.abs()  # float32 cannot tell gains below that from none
        return torch.where(most > least, (self.found.value - self.found.loss_original) / most.clamp_min(1e-12), 1.0)


def moves(
    gan: Gan,
    z: Tensor,
    attack: Attack,
    *,
    seed: int = 0,
    truth: bool = False,
    report: Callable[[float], None] | None = None,
) -> Moves:
    """Worst moves of z (N, 2) by the attack, which has one radius, and if `truth` by looking everywhere; `report` is
    told which share of the search is done."""
    loss = gan.probe().loss
    found = with_controls(loss, field(loss, z, attack, seed=seed, report=report), seed=seed, best_random=False)
    if not truth:
        return Moves(found)
    return Moves(found, *worst_of_all(loss, z, attack.radii[0], attack.price))


def field(
    loss: Loss,
    z: Tensor,
    attack: Attack,
    *,
    seed: int = 0,
    report: Callable[[float], None] | None = None,
) -> WorstNoise:
    """The search from places z (N, 2) that lend each other what they found, for as many gradients as the attack has.

    Balls of near places overlap, and a narrow hill that one place's search meets is a hill of all whose balls reach it:
    before the last steps each place looks where the others arrived, cut to its own ball. A budget that this would take
    half of is searched with as it is.
    """
    lent = len(z) // LOOKS_A_GRADIENT + LAST
    lends = attack.method == "ascent" and attack.gradients >= 2 * lent
    first = dataclasses.replace(attack, gradients=attack.gradients - lent) if lends else attack
    for found in search(loss, z, first, seed=seed):
        if report is not None:
            report(found.gradients / attack.gradients)
    if not lends:
        return found
    others = (z + found.noise[0])[:, None] - z
    tried = project_ball(others.flatten(0, 1), torch.full((len(z) ** 2,), attack.radii[0])).view_as(others)
    best = _value(loss, z, tried, attack.price).argmax(dim=0)
    last = dataclasses.replace(attack, gradients=LAST)
    end = run(loss, z, last, seed=seed, start=tried[best, torch.arange(len(z))])
    return dataclasses.replace(end, attack=attack, gradients=attack.gradients)


def worst_of_all(
    loss: Loss, z: Tensor, radius: float, price: float = 0.0, looks: Looks = EXACT
) -> tuple[Tensor, Tensor]:
    """The r (N, 2), ‖r‖ ≤ radius, with the largest ℓ(z + r) − λ‖r‖², and that value (N,).

    A polar grid covers the disk. Its best places are looked at closer: in twelve directions at half the distance of
    the grid's angles, and again and again at half of that; EXACT ends with places a thousandth of ε apart. No gradient
    is used, so it shares nothing with the attack but the loss.
    """
    shares = torch.arange(1, looks.radii + 1) / looks.radii
    disk = torch.cat([torch.zeros(1, 2), (shares[:, None, None] * _around(looks.angles)).flatten(0, 1)])
    r = radius * disk[:, None].expand(-1, len(z), -1)
    value, best = _value(loss, z, r, price).topk(looks.best, dim=0)
    r = r.gather(0, best[..., None].expand(-1, -1, 2))
    around = torch.cat([torch.zeros(1, 2), _around(AROUND)])
    step = radius * math.pi / looks.angles
    for _ in range(looks.closer):
        tried = (r[:, None] + step * around[None, :, None]).flatten(0, 1)
        tried = project_ball(tried.flatten(0, 1), torch.full((tried[..., 0].numel(),), radius)).view_as(tried)
        tried = tried.unflatten(0, (looks.best, -1))
        value, best = _value(loss, z, tried.flatten(0, 1), price).unflatten(0, (looks.best, -1)).max(dim=1)
        r = tried.gather(1, best[:, None, :, None].expand(-1, -1, -1, 2))[:, 0]
        step /= 2
    value, best = value.max(dim=0)
    return r[best, torch.arange(len(z))], value


def _around(count: int) -> Tensor:
    """Unit vectors in so many directions, (count, 2)."""
    angles = 2 * math.pi * torch.arange(count) / count
    return torch.stack([torch.cos(angles), torch.sin(angles)], dim=-1)


def _value(loss: Loss, z: Tensor, r: Tensor, price: float) -> Tensor:
    """(K, N) of moves r (K, N, 2)."""
    with torch.no_grad():
        found = torch.cat([loss(part) for part in (z + r).flatten(0, 1).split(16_384)]).view(r.shape[:-1])
    return found - price * r.square().sum(dim=-1)
