"""Intervals against scipy, formulas written out, and how often they hold the truth."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from rgan.common.errors import SettingsError
from rgan.stats.intervals import holm, mean_interval, share, share_difference, t_test


def test_the_interval_is_students():
    values = torch.randn(9, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 2 + 1
    ours = mean_interval(values)
    theirs = stats.ttest_1samp(values.numpy(), 0).confidence_interval(0.95)
    assert ours.mean == pytest.approx(float(values.mean()))
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))


def test_the_interval_of_few_samples_covers_the_truth_about_95_times_in_100():
    rng = torch.Generator().manual_seed(1)
    found = [mean_interval(torch.randn(8, generator=rng) + 5) for _ in range(600)]
    assert 0.92 <= sum(one.low <= 5 <= one.high for one in found) / 600 <= 0.98


def test_one_sample_has_no_interval():
    with pytest.raises(SettingsError, match="at least 2 samples"):
        mean_interval(torch.ones(1))


def test_the_paired_interval_is_scipys():
    ours, theirs = [8.1, 8.4, 7.7, 8.9, 8.0], [7.9, 8.0, 7.8, 8.3, 7.7]
    found = t_test([a - b for a, b in zip(ours, theirs, strict=True)])
    expected = stats.ttest_rel(ours, theirs)
    interval = expected.confidence_interval(0.95)
    assert (found.p, found.low, found.high) == pytest.approx((expected.pvalue, interval.low, interval.high))
    assert t_test([0.5, 0.5, 0.5]).low == 0.5 and t_test([0.5] * 3).p == 0 and t_test([0.0] * 3).p == 1


def test_holms_correction_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0] and holm([]) == []


def test_shares_have_wilsons_interval():
    one = share(3, 40)
    n, p, z = 40, 3 / 40, 1.959964
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    reach = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    assert (one.low, one.high) == pytest.approx((middle - reach, middle + reach), abs=1e-6)
    assert (one.hits, one.total) == (3, 40)


def test_paired_differences_are_those_of_the_four_counts():
    first = torch.tensor([True] * 9 + [False] * 3 + [True] * 5 + [False] * 20)
    second = torch.tensor([False] * 9 + [True] * 3 + [True] * 5 + [False] * 20)
    made = share_difference(first, second)
    values, weights = np.array([1.0, -1.0, 0.0]), np.array([9.5, 3.5, 26.0])  # half a row more in each of four counts
    mean = np.average(values, weights=weights)
    reach = 1.959964 * math.sqrt(np.average((values - mean) ** 2, weights=weights) / weights.sum())
    assert (made.first, made.second, made.total) == (9, 3, 37)
    assert made.mean == pytest.approx(6 / 37)
    assert (made.low, made.high) == pytest.approx((mean - reach, mean + reach))
    same = share_difference(first, first)
    assert same.mean == 0 and same.low == pytest.approx(-same.high) and same.high > 0.02


def test_intervals_of_paired_differences_hold_the_truth_as_often_as_they_say():
    rng, held = np.random.default_rng(1), 0
    for _ in range(400):
        cells = rng.choice(4, 60, p=[0.05, 0.15, 0.05, 0.75])
        made = share_difference(torch.from_numpy(cells < 2), torch.from_numpy((cells == 0) | (cells == 2)))
        held += made.low <= 0.1 <= made.high
    assert 0.92 <= held / 400 <= 0.99
