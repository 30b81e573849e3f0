"""Proposition 0.1 on a line: the worst distribution near P₀, found as a linear programme and by the inner maximum.

Mass may move between the places of a grid; moving it from x₀ to x costs d(x, x₀) = (x − x₀)², so W is the squared
Wasserstein-2 distance and ρ its bound. Printed, (4) takes its supremum over the ball of radius ρ on the left; it holds
with the supremum over all distributions, or where γ is large enough that the worst of them lies in the ball
(Sinha et al. 2017, Proposition 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rgan.common.errors import SettingsError, number_between

Vector = NDArray[np.float64]
_HALVINGS = 45  # of the interval of prices
_NEAR = 1e-9  # differences of value that are ties


@dataclass(frozen=True)
class Worst:
    """A worst distribution P.

    plan (k, n): mass that moves from each of the k starts to each of the n places; its rows sum to the starts' mass.
    value: E_P[l]. spent: the mean cost of the moves, W(P, P₀) if none can be saved. price: γ, what a unit of cost pays
    for at the margin.
    """

    plan: Vector
    value: float
    spent: float
    price: float

    @property
    def mass(self) -> Vector:
        """(n,) of P."""
        return np.asarray(self.plan.sum(0))


@dataclass(frozen=True)
class Ground:
    """A loss on a line, and P₀.

    places: (n,) of the grid, rising. loss: (n,) there. starts: (k,) indices of the places where P₀ has mass, mass (k,)
    of it, 1 together.

    Raises:
        SettingsError: lengths differ, a value is not finite, or the mass is not 1.
    """

    places: Vector
    loss: Vector
    starts: NDArray[np.int64]
    mass: Vector

    def __post_init__(self) -> None:
        if len(self.places) != len(self.loss) or not (np.isfinite(self.loss).all() and np.isfinite(self.places).all()):
            raise SettingsError("expected a finite loss at each place; draw it anew")
        if len(self.starts) != len(self.mass) or not len(self.starts) or abs(self.mass.sum() - 1) > _NEAR:
            raise SettingsError("expected at least one point of P₀, and mass of 1 in all; set a point")

    @property
    def cost(self) -> Vector:
        """(k, n): d(x, x₀)."""
        return np.asarray((self.places[None] - self.places[self.starts][:, None]) ** 2)


def inner_maximum(ground: Ground, price: float) -> tuple[float, float, float]:
    """E over P₀ of sup over x of l(x) − γ d(x, x₀), the right side of (4); and the least and the largest mean cost of
    moves that attain it, which differ where places tie."""
    cost = ground.cost
    gain = ground.loss - price * cost
    best = gain.max(1, keepdims=True)
    tied = gain >= best - _NEAR * max(1.0, float(np.abs(best).max()))
    least, most = np.where(tied, cost, np.inf).min(1), np.where(tied, cost, -np.inf).max(1)
    return float(ground.mass @ best[:, 0]), float(ground.mass @ least), float(ground.mass @ most)


def by_inner_maximum(ground: Ground, radius: float) -> Worst:
    """The worst P with W(P, P₀) ≤ ρ by Lagrange's dual, min over γ ≥ 0 of γρ + E sup (l − γ d): each point of P₀ goes
    where its inner maximum is, at the price at which that spends ρ.

    Raises:
        SettingsError: ρ is negative or not finite.
    """
    number_between("ρ", radius, 0, 1e12)
    cost = ground.cost

    def at(price: float) -> tuple[NDArray[np.int64], float]:
        gain = ground.loss - price * cost
        # of places that tie, the nearest: what costs nothing is not spent
        tied = np.where(gain >= gain.max(1, keepdims=True) - 1e-12, cost, np.inf)
        to = tied.argmin(1)
        return to, float(ground.mass @ np.take_along_axis(cost, to[:, None], 1)[:, 0])

    to, spent = at(0.0)
    low, high = 0.0, 0.0
    if spent <= radius:
        plan = _moved(ground, to)
    else:
        spread = float(np.ptp(ground.loss))
        nearest = float(cost[cost > 0].min())
        high = 2 * spread / nearest + 1  # where nobody moves any more
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if at(middle)[1] > radius else (low, middle)
        (far, most), (near, least) = at(low), at(high)
        share = 0.0 if most == least else (radius - least) / (most - least)
        plan = share * _moved(ground, far) + (1 - share) * _moved(ground, near)
    return Worst(plan, float(plan.sum(0) @ ground.loss), float((plan * cost).sum()), high)


def _moved(ground: Ground, to: NDArray[np.int64]) -> Vector:
    plan = np.zeros((len(ground.starts), len(ground.places)))
    plan[np.arange(len(to)), to] = ground.mass
    return plan


def by_linear_programme(ground: Ground, radius: float, price: float = 0.0) -> Worst:
    """The same as a linear programme over all plans, max of E_P[l] − γ W within the ball: with γ = 0 the primal of the
    robust problem (3), else the left side of (4) as printed.

    Raises:
        SettingsError: the solver finds none.
    """
    from scipy.optimize import linprog
    from scipy.sparse import coo_array

    cost = ground.cost
    count, places = cost.shape
    rows = np.repeat(np.arange(count), places)
    sums = coo_array((np.ones(count * places), (rows, np.arange(count * places))))
    found = linprog(
        -(ground.loss - price * cost).ravel(), A_ub=cost.reshape(1, -1), b_ub=[radius], A_eq=sums, b_eq=ground.mass
    )
    if found.status != 0:
        raise SettingsError(f"expected a worst distribution, got none: {found.message}; choose another radius")
    plan = found.x.reshape(cost.shape)
    margin = max(0.0, -float(found.ineqlin.marginals[0]))
    return Worst(plan, float(plan.sum(0) @ ground.loss), float((plan * cost).sum()), margin)


def robust_values(ground: Ground, radii: Vector) -> tuple[Vector, Vector]:
    """The worst loss at each ρ, a concave curve, and its slope there, the price γ."""
    found = [by_inner_maximum(ground, float(radius)) for radius in radii]
    return np.array([one.value for one in found]), np.array([one.price for one in found])
