"""Two-sample tests: against brute force and scipy, calibrated under the null, with power, and refusing pairs."""

import numpy as np
import pytest
from scipy import stats

from rgan.common.errors import SettingsError
from rgan.stats.two_sample import Sample, classifier, energy, further, mmd, radius


def cloud(seed, count=40, dimensions=3, shift=0.0, scale=1.0):
    rng = np.random.default_rng(seed)
    draws = np.arange(count) + seed * 1_000_000
    return Sample(scale * rng.standard_normal((count, dimensions)) + shift, draws)


def test_energy_against_scipy_in_one_dimension():
    """scipy takes a point's distance to itself into the means within clouds; n/(n−1) takes it out."""
    a, b = cloud(1, 30, 1), cloud(2, 50, 1, shift=0.7)
    squared = stats.energy_distance(a.points[:, 0], b.points[:, 0]) ** 2
    between = np.abs(a.points - b.points.T).mean()
    corrected = squared - sum(np.abs(c.points - c.points.T).mean() / (len(c.points) - 1) for c in (a, b))
    assert energy(a, b).effect == pytest.approx(corrected / (2 * between))


def test_the_jackknife_leaves_out_one_point_at_a_time():
    a, b = cloud(1, 7, 2), cloud(2, 9, 2, shift=1.0)

    def effect(x, y):
        return energy(x, y, permutations=1).effect

    def without(c, i):
        return Sample(np.delete(c.points, i, 0), np.delete(c.draws, i))

    found = energy(a, b, permutations=1)
    left_out = [effect(without(a, i), b) for i in range(7)], [effect(a, without(b, i)) for i in range(9)]
    error = sum((len(one) - 1) / len(one) * np.square(one - np.mean(one)).sum() for one in left_out) ** 0.5
    assert (found.high - found.low) / 2 == pytest.approx(stats.norm.ppf(0.995) * error, rel=1e-6)


def test_intervals_cover_the_truth_where_clouds_differ():
    """The truth is a large sample's effect."""
    truth = energy(cloud(5001, 3000, 2), cloud(5002, 3000, 2, shift=0.8), permutations=1).effect
    found = [energy(cloud(2 * s, 60, 2), cloud(2 * s + 1, 60, 2, shift=0.8), permutations=1) for s in range(200)]
    assert 0.95 <= np.mean([one.low <= truth <= one.high for one in found]) < 1


def test_mmd_against_loops():
    a, b = cloud(1, 12, 2), cloud(2, 9, 2, shift=2.0)
    points = np.concatenate([a.points, b.points])
    pairs = [np.sum((x - y) ** 2) for i, x in enumerate(points) for y in points[:i]]
    width = np.median(pairs)

    def k(x, y):
        return np.exp(-np.sum((x - y) ** 2) / width)

    def within(xs):
        return np.mean([k(x, y) for i, x in enumerate(xs) for j, y in enumerate(xs) if i != j])

    squared = within(a.points) + within(b.points) - 2 * np.mean([k(x, y) for x in a.points for y in b.points])
    assert mmd(a, b).effect == pytest.approx(squared)


def test_permutation_p_against_scipys_permutation_test():
    a, b = cloud(3, 25, 1), cloud(4, 25, 1, shift=0.5)

    def statistic(x, y):
        return stats.energy_distance(x, y)

    expected = stats.permutation_test(
        (a.points[:, 0], b.points[:, 0]), statistic, n_resamples=2000, alternative="greater", vectorized=False, rng=0
    ).pvalue
    assert energy(a, b, permutations=5000).p == pytest.approx(expected, abs=0.03)


def test_the_classifiers_p_is_fishers():
    """Two clouds far apart: every answer is right, and p is that of the full table."""
    a, b = cloud(1, 40), cloud(2, 40, shift=50.0)
    found = classifier(a, b)
    order = np.random.default_rng(0).permutation(80)[40:]
    real = int((order >= 40).sum())
    table = [[real, 0], [0, 40 - real]]
    assert found.p == pytest.approx(stats.fisher_exact(table, alternative="greater").pvalue)
    assert found.effect == pytest.approx(1 - max(real, 40 - real) / 40) and found.high >= found.effect >= found.low


@pytest.mark.parametrize("test", [mmd, energy, classifier])
def test_p_is_uniform_under_the_null(test):
    """Over 300 seeds no level is exceeded more often than it says; permutation tests reach it."""
    options = {} if test is classifier else {"permutations": 99}
    found = np.array(
        [test(cloud(2 * seed, 24), cloud(2 * seed + 1, 24), seed=seed, **options).p for seed in range(300)]
    )
    for level in (0.05, 0.2, 0.5):
        allowed = stats.binom.ppf(0.999, 300, level) / 300
        assert (found <= level).mean() <= allowed
    if test is not classifier:  # Fisher's p is discrete, and conservative for it
        assert stats.kstest(found, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("test", [mmd, energy, classifier])
def test_a_shift_is_found(test):
    found = [test(cloud(2 * seed, 100), cloud(2 * seed + 1, 100, shift=1.0)) for seed in range(10)]
    assert all(one.p <= 0.01 and one.effect > 0 for one in found)


def test_growth_in_all_directions_is_found_by_mmd_energy_and_radius():
    wide = cloud(1, 200, 16, scale=1.2)
    for test in (mmd, energy):
        assert test(cloud(2, 200, 16), wide).p <= 0.01
    found = radius(wide.points)
    assert found.p < 1e-6 and found.low < 1.2**2 - 1 < found.high


def test_the_radius_test_is_exact():
    """p uniform over many seeds; its interval covers the truth, also where lengths are not the prior's."""
    found = [radius(cloud(seed, 50, 4).points) for seed in range(400)]
    assert stats.kstest([one.p for one in found], "uniform").pvalue > 1e-3
    assert np.mean([one.low <= 0 <= one.high for one in found]) > 0.965
    mixed = [cloud(seed, 100, 4).points * np.repeat([0.7, 1.3], 50)[:, None] for seed in range(200)]
    truth = (0.7**2 + 1.3**2) / 2 - 1
    assert np.mean([one.low <= truth <= one.high for one in map(radius, mixed)]) > 0.965


@pytest.mark.parametrize("test", [mmd, energy, classifier])
def test_pairs_are_refused(test):
    a = cloud(1)
    moved = Sample(a.points + 0.1, a.draws)
    with pytest.raises(SettingsError, match="got 40 points that both samples were made from"):
        test(a, moved)
    with pytest.raises(SettingsError, match="equal dimension"):
        test(a, cloud(2, dimensions=4))


def test_the_same_seed_gives_the_same_verdict_and_copies_are_alike():
    a, b = cloud(1), cloud(2, shift=0.3)
    assert mmd(a, b, seed=5) == mmd(a, b, seed=5) and energy(a, b, seed=5) == energy(a, b, seed=5)
    twin = Sample(a.points.copy(), a.draws + 10_000)
    assert energy(a, twin).p == 1.0 and energy(a, twin).effect < 0
    with pytest.raises(SettingsError, match="at least 4 points"):
        Sample(np.zeros((3, 2)), np.arange(3))


def test_further_is_the_difference_of_two_effects_with_an_interval_that_covers_it():
    """Two generators, one nearer to the real points, made from the same noise."""

    def pairs(seed, count):
        rng = np.random.default_rng(seed)
        real, noise = (Sample(rng.standard_normal((count, 2)), np.arange(count) + k * count) for k in range(2))
        near, far = (Sample(noise.points + shift, noise.draws) for shift in (0.4, 0.9))
        return (real, far), (real, near)

    first, second = pairs(0, 2500)
    truth = energy(*first, permutations=1).effect - energy(*second, permutations=1).effect
    found = [further(*pairs(seed, 60)) for seed in range(1, 201)]
    assert 0.95 <= np.mean([one.low <= truth <= one.high for one in found]) < 1
    assert found[0].first == energy(*pairs(1, 60)[0], permutations=1).effect
    other = Sample(second[1].points, second[1].draws + 1)
    with pytest.raises(SettingsError, match="same draws"):
        further(first, (second[0], other))
