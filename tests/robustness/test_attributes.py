"""What changes in pictures against counting by hand, and how two judges agree against scipy."""

import dataclasses

import numpy as np
import pytest
import torch
from scipy.stats import binomtest, spearmanr

from rgan.data import faces
from rgan.metrics.judges import BAD
from rgan.robustness.attributes import attribute_changes
from rgan.robustness.second_opinion import agreement

COUNT = 64


def read(rng, share, before=None):
    """Classes of three attributes, a share of them drawn anew."""
    sizes = {"head": 10, "glasses": 2, "hair_colour": 6, faces.EYES: 2}
    fresh = {name: torch.tensor(rng.integers(0, size, COUNT)) for name, size in sizes.items()}
    if before is None:
        return fresh
    moved = torch.tensor(rng.random(COUNT) < share)
    return {name: torch.where(moved, fresh[name], codes) for name, codes in before.items()}


@pytest.fixture(scope="module")
def classes():
    rng = np.random.default_rng(0)
    original = read(rng, 1)
    return original, read(rng, 0.9, original), read(rng, 0.1, original)


def test_changes_are_counted_as_by_hand(classes):
    found = attribute_changes(*classes)
    assert {one.name for one in found.changes} == {"glasses", "hair_colour", "eyes"} and found.total == COUNT
    original, worst, random = ({name: codes.tolist() for name, codes in each.items()} for each in classes)

    def changed(name, moved, i):
        if name == "eyes":  # alike before, unlike now; the other way round nothing breaks
            return original[name][i] == 0 and moved[name][i] == 1
        return original[name][i] != moved[name][i]

    for one in found.changes:
        hits = [sum(changed(one.name, moved, i) for i in range(COUNT)) for moved in (worst, random)]
        assert [one.worst.hits, one.random.hits] == hits
        limits = binomtest(hits[0], COUNT).proportion_ci(0.95, method="wilson")
        assert (one.worst.low, one.worst.high) == pytest.approx((limits.low, limits.high))
        more = sum(changed(one.name, worst, i) and not changed(one.name, random, i) for i in range(COUNT))
        fewer = sum(changed(one.name, random, i) and not changed(one.name, worst, i) for i in range(COUNT))
        p, q = (more + 0.5) / (COUNT + 2), (fewer + 0.5) / (COUNT + 2)  # Agresti & Min 2005
        reach = 1.959964 * np.sqrt((p + q - (p - q) ** 2) / (COUNT + 2))
        assert (one.beyond.low, one.beyond.high) == pytest.approx((p - q - reach, p - q + reach))
        assert one.beyond.mean == pytest.approx((hits[0] - hits[1]) / COUNT)


def test_the_sentence_says_what_is_shown_and_nothing_else(classes):
    found = attribute_changes(*classes)
    colour = next(one for one in found.changes if one.name == "hair_colour")
    assert colour is found.changes[0], "the most changed first"
    assert found.sentence.startswith(
        f"hair colour changed in {colour.worst.hits} of 64 (random noise: {colour.random.hits}), "
    )
    assert "glasses came or went in" in found.sentence and "eyes no longer alike in" in found.sentence
    assert "No attribute is shown" in attribute_changes(classes[0], classes[2], classes[2]).sentence
    rows = found.rows()
    assert len(rows) == 3 and rows[0]["worst"] == colour.worst.hits and rows[0]["images"] == 64
    assert attribute_changes({}, {}, {}) is None


def test_judges_agree_as_scipy_says():
    rng = np.random.default_rng(1)
    one = rng.random(50)
    other = np.clip(one + rng.normal(0, 0.1, 50), 0, 1)
    found = agreement(torch.tensor(one), torch.tensor(other))
    assert found.rank.mean == pytest.approx(spearmanr(one, other).statistic)
    alike = sum((a >= BAD) == (b >= BAD) for a, b in zip(one, other, strict=True))
    assert (found.bad.hits, found.bad.total) == (alike, 50)
    assert f"the same verdict on {alike} of 50 images" in found.words and "95 % interval" in found.words
    same = agreement(torch.ones(50), torch.tensor(other))
    assert same.rank is None and same.words.startswith("no rank correlation")
    assert dataclasses.replace(same, rank=found.rank).words.startswith("rank correlation of badness +0.9")
