"""Laws of answers at several radii, on searches made up at random: merging them, and looking between them."""

import dataclasses
import itertools

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from rgan.attack.search import Attack, WorstNoise, between, look_up, merge
from rgan.common.geometry import lengths, random_in_ball

SAMPLES, DIMENSIONS = 3, 4
RADII = st.lists(st.floats(0, 4), min_size=1, max_size=4, unique=True).map(sorted).map(tuple)
PRICES = st.sampled_from([0.0, 0.3])
Z = torch.randn(SAMPLES, DIMENSIONS, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def objective(z: Tensor) -> Tensor:
    return torch.sin(3 * z[:, 0]) + torch.cos(2 * z[:, 1]) + 0.3 * z.sum(1)


def answers(radii: tuple[float, ...], price: float, seed: int) -> WorstNoise:
    """Points of each radius's ball with their losses, the larger radius perhaps with the worse ones."""
    rng = torch.Generator().manual_seed(seed)
    shape = len(radii), SAMPLES, DIMENSIONS
    noise = random_in_ball((len(radii) * SAMPLES, DIMENSIONS), rng).double().view(shape)
    noise = noise * torch.tensor(radii, dtype=torch.float64)[:, None, None]
    loss = torch.stack([objective(Z + each) for each in noise])
    return WorstNoise(Attack(radii, price), Z, noise, loss, objective(Z), 1, 0.0, True)


def searches(prices=PRICES):
    """Two searches at one price."""
    return prices.flatmap(
        lambda price: st.tuples(*[st.builds(answers, RADII, st.just(price), st.integers(0, 10**6)) for _ in "ab"])
    )


def values(found: WorstNoise) -> list[list[float]]:
    """What each sample is worth at each radius, from its noise alone."""
    price = found.attack.price
    return [
        [float(objective((z + r)[None])) - price * float(r @ r) for z, r in zip(Z, each, strict=True)]
        for each in found.noise
    ]


@given(searches())
def test_merging_keeps_the_best_answer_of_all_radii_up_to_each(pair):
    both = merge(*pair)
    assert both.attack.radii == tuple(sorted({*pair[0].attack.radii, *pair[1].attack.radii}))
    assert len(both.noise) == len(both.loss) == len(both.attack.radii)
    known = [(radius, row) for one in pair for radius, row in zip(one.attack.radii, values(one), strict=True)]
    for radius, row in zip(both.attack.radii, values(both), strict=True):
        assert row == [max(column) for column in zip(*(r for at, r in known if at <= radius), strict=True)]
    assert torch.allclose(both.loss, torch.stack([objective(Z + each) for each in both.noise]))
    assert all((lengths(each) <= at).all() for at, each in zip(both.attack.radii, both.noise, strict=True))


@given(searches())
def test_the_order_of_merging_does_not_matter_and_twice_is_once(pair):
    both = merge(*pair)
    for other in (merge(*reversed(pair)), merge(both, both), merge(both, pair[0])):
        assert other.attack.radii == both.attack.radii and values(other) == values(both)


@given(searches(st.just(0.0)))
def test_of_one_step_answers_the_second_searchs_stand(pair):
    first, second = (
        dataclasses.replace(one, attack=dataclasses.replace(one.attack, method="one-step")) for one in pair
    )
    expected = dict(zip(first.attack.radii, first.noise, strict=True))
    expected |= dict(zip(second.attack.radii, second.noise, strict=True))
    both = merge(first, second)
    for radius, noise in zip(both.attack.radii, both.noise, strict=True):
        assert torch.equal(noise, expected[radius])


@given(searches(), st.floats(0, 5))
def test_looking_up_finds_no_less_than_the_smaller_radius(pair, radius):
    found = merge(*pair)
    looked = look_up(objective, found, radius)
    smaller = [row for at, row in zip(found.attack.radii, values(found), strict=True) if at <= radius]
    worth = smaller[-1] if smaller else objective(Z).tolist()
    assert all(now >= before for now, before in zip(values(looked)[0], worth, strict=True))
    assert (lengths(looked.noise[0]) <= radius * (1 + 1e-9)).all()
    assert torch.allclose(looked.loss[0], objective(Z + looked.noise[0]))


@given(searches(), st.floats(0, 5))
def test_between_answers_the_noise_stays_in_the_ball_and_meets_them(pair, radius):
    found = merge(*pair)
    assert (lengths(between(found, radius)) <= radius * (1 + 1e-9)).all()
    for at, noise in zip(found.attack.radii, found.noise, strict=True):
        assert torch.allclose(between(found, at), noise)
    for low, high in itertools.pairwise((0.0, *found.attack.radii)):
        ends, middle = (between(found, low), between(found, high)), between(found, (low + high) / 2)
        # No further from either end than these are from each other.
        assert all((lengths(middle - end) <= lengths(ends[1] - ends[0]) + 1e-9).all() for end in ends)
