"""Lemmas 0.2 and 0.3 on a line: the robust game for a fixed generator, by the paper's formula and solved.

V(D) = Σ p_r^λ log D + Σ p_g^λ log(1 − D) with p^λ = (1 − λ)p + λp′, where p′_r and p′_g are worst for D within mean
squared moves ρ_r and ρ_g (the text prints 1 − log D for log(1 − D) and sup for inf). The lemma takes p′ as fixed, but
p′ depends on D: its D* is the optimum where p′ is worst for that very D. By the minimax theorem that is where
−2 log 2 + 2·JSD(p_r^λ, p_g^λ), which is convex in p′, is least over both balls.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import rel_entr, xlogy

from rgan.common.errors import SettingsError, number_between
from rgan.theory.worst_distribution import Ground, Vector, by_inner_maximum

CLOSED = 2e-3  # gap between both players, in units of V, below which a game counts as solved
MOST_STEPS = 400
_LEAST = 1e-12  # probability below which its logarithm is taken there


@dataclass(frozen=True)
class Game:
    """Real and generated distributions on the places of a grid (n,), each of mass 1.

    weight: λ, from 0 to 1. real_radius, fake_radius: ρ_r and ρ_g, mean squared moves.

    Raises:
        SettingsError: a value is out of its range, or a distribution is none.
    """

    places: Vector
    real: Vector
    fake: Vector
    weight: float
    real_radius: float
    fake_radius: float

    def __post_init__(self) -> None:
        number_between("λ", self.weight, 0, 1)
        number_between("ρ_r", self.real_radius, 0, 1e12)
        number_between("ρ_g", self.fake_radius, 0, 1e12)
        for one in (self.real, self.fake):
            if one.shape != self.places.shape or (one < 0).any() or abs(one.sum() - 1) > 1e-9:
                raise SettingsError("expected two distributions on the grid, each of mass 1; choose other ones")

    def mixtures(self, worst_real: Vector, worst_fake: Vector) -> tuple[Vector, Vector]:
        """p_r^λ and p_g^λ."""
        keep = 1 - self.weight
        return keep * self.real + self.weight * worst_real, keep * self.fake + self.weight * worst_fake


@dataclass(frozen=True)
class Solved:
    """The robust game's saddle point.

    worst_real, worst_fake, critic: (n,) p′_r, p′_g and D. value: V. gap: at most so much is `value` above the true one:
    what the worst distributions for `critic` would still take from it. steps: of Frank and Wolfe's method.
    """

    worst_real: Vector
    worst_fake: Vector
    critic: Vector
    value: float
    gap: float
    steps: int


def jensen_shannon(p: Vector, q: Vector) -> float:
    """JSD of two distributions (n,), in nats: 0 to log 2."""
    middle = (p + q) / 2
    return float((rel_entr(p, middle).sum() + rel_entr(q, middle).sum()) / 2)


def optimal_critic(real: Vector, fake: Vector) -> Vector:
    """D* = p_r / (p_r + p_g), equation 12; ½ where neither has mass, and nothing tells."""
    both = real + fake
    return np.asarray(np.divide(real, both, out=np.full_like(both, 0.5), where=both > 0))


def optimised_critic(real: Vector, fake: Vector) -> Vector:
    """The same point by point, by a solver that knows no formula: max over D of p_r log D + p_g log(1 − D)."""
    from scipy.optimize import minimize_scalar

    def best(r: float, g: float) -> float:
        return float(minimize_scalar(lambda d: -(r * math.log(d) + g * math.log1p(-d)), bounds=(1e-9, 1 - 1e-9),
                                     method="bounded", options={"xatol": 1e-10}).x)  # fmt: skip

    # scaled, since the solver stops at absolute differences
    return np.array([best(r / (r + g), g / (r + g)) if r + g > 0 else 0.5 for r, g in zip(real, fake, strict=True)])


def value(real: Vector, fake: Vector, critic: Vector) -> float:
    """V of a critic (n,) under distributions that do not move: E log D + E log(1 − D)."""
    return float(xlogy(real, critic).sum() + xlogy(fake, 1 - critic).sum())


def worst_for(game: Game, critic: Vector) -> tuple[Vector, Vector]:
    """p′_r and p′_g (n,): where real mass looks least real to this critic, and generated mass most, within ρ_r, ρ_g."""
    log_real, log_fake = np.log(np.maximum(critic, _LEAST)), np.log(np.maximum(1 - critic, _LEAST))
    return (
        _least(game.places, game.real, log_real, game.real_radius),
        _least(game.places, game.fake, log_fake, game.fake_radius),
    )


def _least(places: Vector, start: Vector, height: Vector, radius: float) -> Vector:
    """The distribution near `start` under which `height` is least on average: Proposition 0.1."""
    there = np.flatnonzero(start > 0)
    mass = start[there] / start[there].sum()
    return by_inner_maximum(Ground(places, -height, there, mass), radius).mass


def by_the_lemma(game: Game, passes: int = 1) -> list[Vector]:
    """Critics (n,) by formula (12), the first for p_r and p_g themselves, each further one for the distributions that
    are worst for the one before: only where that changes nothing does the lemma speak of the game's optimum."""
    critics = [optimal_critic(game.real, game.fake)]
    for _ in range(passes):
        critics.append(optimal_critic(*game.mixtures(*worst_for(game, critics[-1]))))
    return critics


def robust_value(game: Game, critic: Vector) -> float:
    """V of a critic when both distributions answer it: what the robust game's maximum is of."""
    return value(*game.mixtures(*worst_for(game, critic)), critic)


def solve(game: Game, closed: float = CLOSED, most: int = MOST_STEPS) -> Solved:
    """Frank and Wolfe's method (1956) on the convex 2·JSD of the mixtures; each linear step is Proposition 0.1."""
    from scipy.optimize import minimize_scalar

    worst_real, worst_fake = game.real.copy(), game.fake.copy()
    for step in range(most + 1):
        mixed = game.mixtures(worst_real, worst_fake)
        critic = optimal_critic(*mixed)
        to_real, to_fake = worst_for(game, critic)
        log_real, log_fake = np.log(np.maximum(critic, _LEAST)), np.log(np.maximum(1 - critic, _LEAST))
        saved = (worst_real - to_real) @ log_real + (worst_fake - to_fake) @ log_fake
        gap = max(0.0, game.weight * float(saved))
        if gap <= closed or step == most:
            break
        ahead = game.mixtures(to_real, to_fake)

        def along(share: float, mixed: tuple[Vector, Vector] = mixed, ahead: tuple[Vector, Vector] = ahead) -> float:
            return jensen_shannon(*((1 - share) * now + share * then for now, then in zip(mixed, ahead, strict=True)))

        share = float(minimize_scalar(along, bounds=(0, 1), method="bounded", options={"xatol": 1e-7}).x)
        worst_real, worst_fake = ((1 - share) * now + share * then for now, then in
                                  ((worst_real, to_real), (worst_fake, to_fake)))  # fmt: skip
    return Solved(worst_real, worst_fake, critic, 2 * jensen_shannon(*mixed) - 2 * math.log(2), gap, step)


def distance(places: Vector, p: Vector, q: Vector) -> float:
    """The least mean squared move that turns p into q: on a line the mass keeps its order."""
    cuts = np.union1d(np.cumsum(p), np.cumsum(q)).clip(0, 1)
    widths = np.diff(np.concatenate([[0.0], cuts]))
    at = cuts - widths / 2
    where = [places[np.searchsorted(np.cumsum(one), at).clip(0, len(places) - 1)] for one in (p, q)]
    return float(widths @ (where[0] - where[1]) ** 2)
