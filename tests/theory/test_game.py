"""Lemmas 0.2 and 0.3: the optimal critic, its value, and the saddle point of the game whose players answer it."""

import math

import numpy as np
import pytest
from scipy.optimize import linprog, minimize
from scipy.spatial.distance import jensenshannon
from scipy.stats import norm

from rgan.common.errors import SettingsError
from rgan.theory import game as theory
from rgan.theory.game import Game, by_the_lemma, distance, jensen_shannon, optimal_critic, robust_value, solve, value


def bell(places, mean, width):
    density = norm.pdf(places, mean, width)
    return density / density.sum()


def game(weight=0.5, radius=0.3, places=41):
    line = np.linspace(-4, 4, places)
    return Game(line, bell(line, -1, 0.5), bell(line, 1, 0.7), weight, radius, radius)


def least(one: Game, start, height, radius):
    """min of E_P[height] within the ball as a linear programme, by another solver than the game's."""
    cost = (one.places[None] - one.places[:, None]) ** 2
    count = len(start)
    sums = np.kron(np.eye(count), np.ones(count))
    return linprog(np.tile(height, count), A_ub=cost.reshape(1, -1), b_ub=[radius], A_eq=sums, b_eq=start).fun


def test_the_formula_is_the_critic_that_a_solver_finds_point_by_point():
    one = game()
    assert np.allclose(optimal_critic(one.real, one.fake), theory.optimised_critic(one.real, one.fake), atol=1e-4)
    nothing = np.array([0.5, 0.5, 0.0])
    assert optimal_critic(nothing, np.array([1.0, 0.0, 0.0])).tolist() == pytest.approx([1 / 3, 1, 0.5])


def test_its_value_is_the_jensen_shannon_divergence():
    one = game()
    critic = optimal_critic(one.real, one.fake)
    ours = jensen_shannon(one.real, one.fake)
    assert ours == pytest.approx(jensenshannon(one.real, one.fake) ** 2)
    assert value(one.real, one.fake, critic) == pytest.approx(-2 * math.log(2) + 2 * ours)
    assert jensen_shannon(one.real, one.real) == 0 and value(one.real, one.real, np.full(41, 0.5)) == pytest.approx(
        -2 * math.log(2)
    )


@pytest.mark.parametrize(("weight", "radius"), [(0.1, 0.3), (0.5, 0.05), (0.5, 1.0), (1.0, 0.3)])
def test_the_saddle_point_is_one_by_linear_programmes(weight, radius):
    """From below: the worst answer to its critic. From above: the best critic of its worst distributions."""
    one = game(weight, radius)
    found = solve(one)
    log_real, log_fake = np.log(found.critic.clip(1e-12)), np.log((1 - found.critic).clip(1e-12))
    lower = (1 - weight) * value(one.real, one.fake, found.critic) + weight * (
        least(one, one.real, log_real, radius) + least(one, one.fake, log_fake, radius)
    )
    upper = -2 * math.log(2) + 2 * jensenshannon(*one.mixtures(found.worst_real, found.worst_fake)) ** 2
    assert found.value == pytest.approx(upper, abs=1e-9) and lower <= upper + 1e-9
    assert upper - lower <= found.gap + 1e-6 and found.gap <= theory.CLOSED
    assert robust_value(one, found.critic) == pytest.approx(lower, abs=1e-6)
    for start, moved in ((one.real, found.worst_real), (one.fake, found.worst_fake)):
        assert distance(one.places, start, moved) <= radius + 1e-9


def test_a_small_game_is_solved_as_a_general_solver_solves_it():
    line = np.linspace(0, 1, 4)
    one = Game(line, np.array([0.7, 0.2, 0.1, 0.0]), np.array([0.0, 0.1, 0.3, 0.6]), 0.6, 0.04, 0.02)
    cost = (line[None] - line[:, None]) ** 2

    def marginals(flat):
        plans = flat.reshape(2, 4, 4)
        return plans[0].sum(0), plans[1].sum(0)

    limits = [
        {"type": "eq", "fun": lambda flat: flat.reshape(2, 4, 4).sum(2).ravel() - np.concatenate([one.real, one.fake])}
    ]
    limits += [{"type": "ineq", "fun": lambda flat: np.array([one.real_radius, one.fake_radius])
                - (flat.reshape(2, 4, 4) * cost).sum((1, 2))}]  # fmt: skip
    begin = np.concatenate([np.diag(one.real).ravel(), np.diag(one.fake).ravel()])
    found = minimize(lambda flat: 2 * jensen_shannon(*one.mixtures(*marginals(flat.clip(0)))), begin, method="SLSQP",
                     bounds=[(0, 1)] * 32, constraints=limits, options={"maxiter": 500, "ftol": 1e-10})  # fmt: skip
    ours = solve(one, closed=1e-5, most=4000)
    assert ours.value + 2 * math.log(2) == pytest.approx(found.fun, abs=2e-3) and ours.gap < 1e-3


def test_the_lemmas_critic_is_no_saddle_point_unless_it_answers_itself():
    """Worst distributions for the plain critic are not worst for the critic that is optimal against them."""
    one = game(0.5, 1.0)
    solved = solve(one)
    plain, first = by_the_lemma(one)
    assert robust_value(one, solved.critic) > max(robust_value(one, plain), robust_value(one, first)) + 0.05
    still = game(0.5, 0.0)
    assert np.allclose(by_the_lemma(still)[1], solve(still).critic), "without a ball both are the plain optimum"


def test_equal_mixtures_do_not_mean_equal_distributions():
    """Lemma 0.3: from λ = ½, where each may become the other, the game cannot see that p_r ≠ p_g."""
    line = np.linspace(-4, 4, 41)
    real, fake = bell(line, -1, 0.5), bell(line, 1, 0.7)
    far = distance(line, real, fake)
    blind = Game(line, real, fake, 0.5, far, far)
    assert np.allclose(*blind.mixtures(fake, real)) and jensen_shannon(real, fake) > 0.4
    assert solve(blind).value == pytest.approx(-2 * math.log(2), abs=2e-3)
    assert solve(Game(line, real, fake, 0.5, far / 4, far / 4)).value > -2 * math.log(2) + 0.05


def test_the_distance_is_the_squared_wasserstein_distance():
    line = np.linspace(-4, 4, 9)
    rng = np.random.default_rng(0)
    p, q = (one / one.sum() for one in rng.random((2, 9)))
    cost = (line[None] - line[:, None]) ** 2
    sums = np.vstack([np.kron(np.eye(9), np.ones(9)), np.kron(np.ones(9), np.eye(9))])
    assert distance(line, p, q) == pytest.approx(linprog(cost.ravel(), A_eq=sums, b_eq=np.concatenate([p, q])).fun)
    assert distance(line, p, p) == pytest.approx(0, abs=1e-12)


def test_what_is_no_game_is_refused():
    one = game()
    for change in ({"weight": 1.2}, {"real_radius": -1.0}, {"real": one.real * 2}, {"fake": -one.fake}):
        with pytest.raises(SettingsError):
            Game(**(vars(one) | change))
