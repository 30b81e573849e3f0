"""The blind test: pairs, honesty of the control, and the arithmetic of the tally."""

import math

import numpy as np
import pytest
import torch

from rgan.attack.search import Attack, run
from rgan.common.errors import SettingsError
from rgan.common.files import as_csv
from rgan.common.geometry import lengths
from rgan.common.images import to_uint8
from rgan.metrics.judges import shipped
from rgan.models import checkpoints
from rgan.robustness.blind_test import (
    BROKEN,
    RANDOM,
    ROBUST,
    WORST,
    BlindTestPlan,
    Tally,
    conclusion,
    more_than,
    pairs,
    rows,
    tally,
)
from tests import tiny_models


@pytest.fixture(scope="module")
def gans(models):
    return tuple(checkpoints.load(tiny_models.path(name)) for name in tiny_models.PAIR)


@pytest.mark.parametrize("question", [BROKEN, ROBUST])
def test_half_of_the_pairs_are_controls_and_the_rest_is_worst_noise(gans, question):
    plan = BlindTestPlan(question, 12, 2.0, seed=3)
    judge = shipped("digits")
    made = pairs(gans, plan, judge)
    assert [pair.kind for pair in made].count(WORST) == 6 and {pair.target for pair in made} == {0, 1}
    assert [pair.kind for pair in made] != [WORST] * 6 + [RANDOM] * 6
    z = gans[0].noise(12, 3)
    for model, gan in enumerate(gans if question == ROBUST else gans[:1]):
        found = run(gan.probe().loss, z, Attack((2.0,)), seed=3).noise[0]
        worst = to_uint8(gan.probe().images(z + found))
        for pair, expected in zip(made, worst, strict=True):
            side = 1 - pair.target if question == ROBUST and model == 0 else pair.target
            is_worst = bool(np.abs(pair.images[side].astype(int) - expected).max() <= 1)
            assert is_worst == (pair.kind == WORST)
    if question == BROKEN:
        original = to_uint8(gans[0].probe().images(z))
        assert all(np.array_equal(pair.images[1 - pair.target], one) for pair, one in zip(made, original, strict=True))
    for pair in made:  # the judge's answer, from the pictures themselves
        unit = torch.from_numpy(pair.images).permute(0, 3, 1, 2).float() / 127.5 - 1
        left, right = judge.opinion(unit).distance.tolist()
        picked = int(right > left) if question == BROKEN else int(right < left)
        assert pair.judged == picked or abs(left - right) < 0.02 * left


def test_random_moves_are_as_long_as_worst_ones(gans, monkeypatch):
    moved = []
    probe = gans[0].probe()
    monkeypatch.setattr(
        "rgan.models.gan.Probe.images", lambda self, z: (moved.append(z), torch.zeros(len(z), 1, 4, 4))[1]
    )
    pairs(gans, BlindTestPlan(BROKEN, 6, 1.5))
    z, shifted = moved
    monkeypatch.undo()
    found = run(probe.loss, z, Attack((1.5,))).noise[0]
    assert torch.allclose(lengths(shifted - z), lengths(found), atol=1e-3)


def test_a_plan_makes_the_same_test_and_another_seed_another(gans):
    first, again, other = (pairs(gans, BlindTestPlan(BROKEN, 10, 1.0, seed=seed)) for seed in (1, 1, 2))
    order = [[(pair.kind, pair.target) for pair in made] for made in (first, again, other)]
    assert order[0] == order[1] != order[2]
    assert all(np.array_equal(a.images, b.images) for a, b in zip(first, again, strict=True))
    assert all(pair.judged is None for pair in first)


def test_impossible_plans_are_refused():
    for wrong in ({"trials": 5}, {"radius": 0.0}, {"question": "which"}):
        with pytest.raises(SettingsError, match="expected"):
            BlindTestPlan(**{"question": BROKEN, "trials": 10, "radius": 1.0} | wrong)


@pytest.mark.parametrize("total", [5, 10, 20])
def test_the_tally_is_wilsons_and_agrees_with_the_exact_test_at_every_number_of_hits(total):
    for hits in range(total + 1):
        found, share, z = Tally(hits, total), hits / total, 1.959964
        middle = (share + z**2 / (2 * total)) / (1 + z**2 / total)
        reach = z / (1 + z**2 / total) * math.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
        assert (found.share.low, found.share.high) == pytest.approx((middle - reach, middle + reach), abs=1e-6)
        tail = sum(math.comb(total, k) for k in range(hits, total + 1)) / 2**total
        assert found.by_chance == pytest.approx(tail)
        assert (found.beyond_chance == 1) is (tail <= 0.05)


def test_worst_against_random_is_fishers_test():
    from scipy.stats import fisher_exact

    for worst, random in ((Tally(9, 10), Tally(4, 10)), (Tally(5, 5), Tally(0, 5)), (Tally(2, 5), Tally(4, 5))):
        table = [[worst.hits, worst.total - worst.hits], [random.hits, random.total - random.hits]]
        assert more_than(worst, random) == pytest.approx(fisher_exact(table, "greater").pvalue)


def test_the_verdict_follows_the_numbers():
    said = {
        (worst, random): conclusion(BROKEN, Tally(worst, 10), Tally(random, 10))[0]
        for worst, random in ((5, 5), (10, 4), (10, 9), (0, 5))
    }
    assert said[5, 5] == "Your answers may well be guesses." and said[10, 4] == "You saw it."
    assert "not shown" in said[10, 9] and "opposite" in said[0, 5]


def test_answers_are_counted_by_kind_and_kept_in_a_file(gans):
    made = pairs(gans, BlindTestPlan(BROKEN, 10, 1.0))
    answers = [pair.target if pair.kind == WORST else 1 - pair.target for pair in made]
    assert (tally(made, answers, WORST).hits, tally(made, answers, RANDOM).hits) == (5, 0)
    lines = as_csv(rows(made, answers)).decode().splitlines()
    assert lines[0] == "trial,noise,asked_for,answer,right,judge" and len(lines) == 11
    assert sum(line.split(",")[4] == "True" for line in lines[1:]) == 5
