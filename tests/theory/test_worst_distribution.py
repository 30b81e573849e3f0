"""Proposition 0.1: both sides, by two unlike ways and by closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rgan.common.errors import SettingsError
from rgan.theory.worst_distribution import Ground, by_inner_maximum, by_linear_programme, inner_maximum, robust_values

MANY = settings(derandomize=True, deadline=None, max_examples=40)


def ground(seed: int, places: int = 41, starts: int = 4) -> Ground:
    rng = np.random.default_rng(seed)
    mass = rng.random(starts) + 0.1
    loss = np.interp(np.linspace(0, 1, places), np.linspace(0, 1, 7), rng.normal(size=7))
    return Ground(np.linspace(-3, 3, places), loss, rng.integers(0, places, starts), mass / mass.sum())


@MANY
@given(st.integers(0, 10**6), st.floats(0, 12))
def test_the_inner_maximum_finds_what_the_linear_programme_finds(seed, radius):
    """Strong duality: primal value = dual value, whatever the loss."""
    one = ground(seed)
    by_max, by_lp = by_inner_maximum(one, radius), by_linear_programme(one, radius)
    assert by_max.value == pytest.approx(by_lp.value, abs=1e-7)
    assert by_max.spent <= radius + 1e-9 and np.allclose(by_max.plan.sum(1), one.mass) and (by_max.plan >= 0).all()
    dual = by_max.price * radius + inner_maximum(one, by_max.price)[0]
    assert dual == pytest.approx(by_max.value, abs=1e-7)
    for price in (0.3 * by_max.price, 2 * by_max.price + 0.1):
        assert price * radius + inner_maximum(one, price)[0] >= by_max.value - 1e-9, "any price bounds it from above"


def test_a_straight_loss_moves_all_mass_alike():
    """l(x) = a·x within ρ: the worst moves each point by √ρ, since (a/2γ)² = ρ; it raises the loss by a·√ρ."""
    places = np.linspace(-10, 10, 2001)
    one = Ground(places, 1.5 * places, np.array([900, 1000, 1300]), np.array([0.2, 0.5, 0.3]))
    found = by_inner_maximum(one, 0.64)
    clean = float(one.mass @ one.loss[one.starts])
    assert found.value == pytest.approx(clean + 1.5 * 0.8, abs=2e-3) and found.price == pytest.approx(
        1.5 / 1.6, rel=0.02
    )
    moved = found.plan @ places / one.mass - places[one.starts]
    assert np.allclose(moved, 0.8, atol=0.02)


def test_a_parabola_is_worst_as_its_closed_form_says():
    """l(x) = x² from x₀ = 0: l − γx² rises for γ < 1 and falls for γ > 1, so the value is ρ and the price 1."""
    places = np.linspace(-2, 2, 401)
    one = Ground(places, places**2, np.array([200]), np.array([1.0]))
    for radius in (0.5, 1.7):
        found = by_inner_maximum(one, radius)
        assert found.value == pytest.approx(radius, abs=1e-6) and found.price == pytest.approx(1, abs=1e-6)


@MANY
@given(st.integers(0, 10**6), st.floats(0.05, 3), st.floats(0.01, 3))
def test_the_printed_proposition_holds_from_the_price_of_its_ball_upwards(seed, radius, price):
    """Left of (4) with P in the ball, right without ρ: equal from the ball's price on, else the right is more."""
    one = ground(seed)
    left = by_linear_programme(one, radius, price)
    right, least, _ = inner_maximum(one, price)
    assert left.value - price * left.spent <= right + 1e-7
    if price >= by_inner_maximum(one, radius).price + 1e-6:
        assert least <= radius + 1e-7
        assert left.value - price * left.spent == pytest.approx(right, abs=1e-7)
    elif least > radius + 1e-6:
        assert left.value - price * left.spent < right - 1e-9


def test_the_worst_loss_is_concave_in_the_radius_and_its_slope_is_the_price():
    one, radii = ground(3, 201), np.linspace(0, 4, 81)
    values, prices = robust_values(one, radii)
    assert (np.diff(values) >= -1e-9).all() and (np.diff(values, 2) <= 1e-8).all()
    slopes = np.diff(values) / np.diff(radii)
    assert (slopes <= prices[:-1] + 1e-6).all() and (slopes >= prices[1:] - 1e-6).all()
    assert values[0] == pytest.approx(float(one.mass @ one.loss[one.starts]))


def test_what_is_no_loss_or_no_distribution_is_refused():
    places = np.linspace(0, 1, 5)
    for loss, starts, mass in (
        (np.full(5, np.nan), [0], [1.0]), (np.zeros(4), [0], [1.0]), (np.zeros(5), [], []), (np.zeros(5), [0], [0.5])
    ):  # fmt: skip
        with pytest.raises(SettingsError):
            Ground(places, loss, np.array(starts, int), np.array(mass))
    with pytest.raises(SettingsError, match="ρ"):
        by_inner_maximum(Ground(places, np.zeros(5), np.array([0]), np.ones(1)), -1.0)
