"""Diversity against closed forms, and intervals that cover."""

import math

import numpy as np
import pytest
import torch

from rgan.common.errors import SettingsError
from rgan.metrics.diversity import GROUPS, MOST, change_of_diversity, diversity


def test_groups_of_equal_images_that_share_nothing_are_counted():
    """Shares p of images in groups far apart: the count is exp(−Σ p log p)."""
    for sizes in ((64,), (32, 32), (16, 16, 16, 16), (40, 16, 8)):
        features = torch.cat([torch.full((size, 3), 100.0 * k) for k, size in enumerate(sizes)])
        shares = np.array(sizes) / 64
        found = diversity(features, 1.0)
        assert found.count.mean == pytest.approx(math.exp(-(shares * np.log(shares)).sum()), rel=1e-9)
        assert found.images == 64
    pairs = [(abs(i - j)) * 100 * 3**0.5 for i in range(4) for j in range(4)]
    four = diversity(torch.stack([torch.full((3,), 100.0 * k) for k in range(4)]), 1.0)
    assert four.distance.mean == pytest.approx(sum(pairs) / 12) and four.count.mean == pytest.approx(4)


def test_two_images_are_as_many_as_their_similarity_says():
    """K/2 has the eigenvalues (1 ± k)/2."""
    for apart in (0.3, 1.0, 2.5):
        found = diversity(torch.tensor([[0.0], [apart]], dtype=torch.float64), 0.8)
        k = math.exp(-(apart**2) / (2 * 0.8**2))
        shares = np.array([1 + k, 1 - k]) / 2
        assert found.count.mean == pytest.approx(math.exp(-(shares * np.log(shares)).sum()), rel=1e-9)


def test_intervals_cover_what_many_images_have():
    """Of the mean distance of two points of a normal law in d dimensions, 2Γ((d+1)/2)/Γ(d/2), 95 % are covered."""
    d, rng = 5, torch.Generator().manual_seed(0)
    true = 2 * math.gamma((d + 1) / 2) / math.gamma(d / 2)
    found = [diversity(torch.randn(48, d, generator=rng), 1.0).distance for _ in range(120)]
    assert 0.9 <= np.mean([one.low <= true <= one.high for one in found]) <= 0.99
    counts = [diversity(torch.randn(48, d, generator=rng), 2.0).count for _ in range(120)]
    expected = np.mean([one.mean for one in counts])
    assert 0.9 <= np.mean([one.low <= expected <= one.high for one in counts]) <= 0.995


def test_images_drawn_together_have_lost_diversity_and_the_same_ones_none():
    features = torch.randn(128, 8, generator=torch.Generator().manual_seed(1))
    lost = change_of_diversity(0.3 * features, features, 1.5)
    alone = [diversity(each, 1.5) for each in (0.3 * features, features)]
    assert lost.count.mean == pytest.approx(alone[0].count.mean - alone[1].count.mean) and lost.count.high < 0
    assert lost.distance.mean == pytest.approx(-0.7 * alone[1].distance.mean, rel=1e-6) and lost.distance.high < 0
    same = change_of_diversity(features, features.clone(), 1.5)
    assert (same.count.mean, same.count.low, same.count.high) == (0, 0, 0)


def test_few_and_unequal_images_are_refused_and_many_are_cut():
    with pytest.raises(SettingsError, match="at least 2"):
        diversity(torch.zeros(1, 3), 1.0)
    with pytest.raises(SettingsError, match="as many"):
        change_of_diversity(torch.zeros(3, 3), torch.zeros(4, 3), 1.0)
    many = torch.randn(MOST + GROUPS, 4, generator=torch.Generator().manual_seed(2))
    assert diversity(many, 1.0) == diversity(many[:MOST], 1.0)
