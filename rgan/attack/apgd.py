"""Auto-PGD (Croce & Hein 2020, algorithm 1): an attack unlike `attack.search`, to check it by.

Momentum on the iterates, a step of twice the radius that is halved at checkpoints where too few steps raised the value
or nothing better was found, and a return to the best iterate whenever it is.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rgan.attack.objectives import Objective
from rgan.attack.search import Attack, losses
from rgan.common.geometry import separate

STEPS = 200  # gradients of a start; a smaller budget makes one shorter start
MOMENTUM, ENOUGH = 0.75, 0.75  # share of a step that is new; share of steps that must raise the value
FIRST, SHORTER, SHORTEST = 0.22, 0.03, 0.06  # of all steps: to the first checkpoint, less each time, but at least


def apgd(objective: Objective, z: Tensor, attack: Attack, *, seed: int = 0) -> tuple[Tensor, Tensor]:
    """The best r (N, d) of several starts within the one radius of `attack`, for its budget, and ℓ(z + r) (N,).

    The first start is r = 0, the others as `Attack.initial` says; they run side by side.
    """
    starts = max(1, attack.gradients // STEPS)
    count, dimensions = z.shape
    radius = torch.full((count,), attack.radii[0]).to(z)
    stream = separate(seed, "auto-PGD")
    first = [torch.zeros_like(z), *(attack.initial(radius, dimensions, stream) for _ in range(starts - 1))]
    begun, samples = torch.cat(first), torch.arange(count).repeat(starts)
    ended = []
    for rows in torch.arange(len(begun)).split(objective.loss.rows):
        which = samples[rows]
        r = attack.project(z[which], begun[rows], radius[which])
        ended.append(_one_start(objective, z[which], r, attack, which, radius[which]))
    found = torch.cat([torch.zeros_like(z), *ended]).view(starts + 1, *z.shape)
    loss = losses(objective.loss, z + found)
    best = (loss - attack.price * found.square().sum(dim=-1)).argmax(dim=0)
    return found[best, torch.arange(count)], loss[best, torch.arange(count)]


def _one_start(objective: Objective, z: Tensor, r: Tensor, attack: Attack, samples: Tensor, radius: Tensor) -> Tensor:
    """The best iterate (n, d) from r."""
    of = (objective.coarse or objective).loss.belonging(samples)
    steps = min(attack.gradients, STEPS)

    def look(r: Tensor) -> tuple[Tensor, Tensor]:
        at = r.detach().requires_grad_()
        value = of(z + at) - attack.price * at.square().sum(dim=1)
        (slope,) = torch.autograd.grad(value.sum(), at)
        return value.detach(), slope

    value, slope = look(r)
    best, top, uphill, before = r, value, slope, r
    length, rose = 2 * radius, torch.zeros_like(value)
    halved, known = torch.ones_like(value, dtype=torch.bool), value
    every, since = max(1, round(FIRST * steps)), 0
    for step in range(1, steps):
        aimed = attack.project(z, r + length[:, None] * attack.normalize(slope), radius)
        new = MOMENTUM if step > 1 else 1.0
        moved = attack.project(z, r + new * (aimed - r) + (1 - new) * (r - before), radius)
        before, r, last = r, moved, value
        value, slope = look(r)
        rose, since = rose + (value > last), since + 1
        better = value > top
        best, uphill = torch.where(better[:, None], r, best), torch.where(better[:, None], slope, uphill)
        top = torch.where(better, value, top)
        if since == every:
            stuck = (rose < ENOUGH * since) | (~halved & (known >= top))
            length = torch.where(stuck, length / 2, length)
            r, slope = torch.where(stuck[:, None], best, r), torch.where(stuck[:, None], uphill, slope)
            value = torch.where(stuck, top, value)
            halved, known, rose, since = stuck, top, torch.zeros_like(rose), 0
            every = max(every - max(1, round(SHORTER * steps)), max(1, round(SHORTEST * steps)))
    return best
