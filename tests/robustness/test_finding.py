"""What findings say, against counting and against the intervals that they rest on."""

import dataclasses
import re

import numpy as np
import pytest
import torch

from rgan.attack.perturbation import Perturbation
from rgan.attack.search import Attack
from rgan.metrics.judges import BAD, Opinion
from rgan.robustness import finding
from rgan.robustness.at_radius import AtRadius
from rgan.robustness.checks import FAIR, GOOD, POOR, Check, Strength
from rgan.robustness.curves import MOVED
from rgan.robustness.failures.pool import Pool, PoolPlan, Rows
from rgan.robustness.measured import Measures
from rgan.robustness.minimal_radius import MinimalRadii
from rgan.robustness.one_radius import OneRadius, Shell, Transfer
from rgan.stats.intervals import Interval

N = 40
KINDS = ("original", "worst", "random")


def measures(badness):
    nothing = torch.zeros(len(badness))
    seen = Opinion(nothing, torch.as_tensor(badness, dtype=torch.float32), nothing, nothing, nothing.long())
    return Measures(nothing, seen, nothing[:, None])


def one(original, worst, random, seed=0, radius=1.0):
    """A model with these mean badnesses under three kinds of noise, each with some spread."""
    rng = np.random.default_rng(seed)
    means = dict(zip(KINDS, (original, worst, random), strict=True))
    nothing = torch.zeros(N, 2)
    moved = Perturbation(Attack((radius,)), nothing, nothing, nothing, nothing, *[torch.zeros(N)] * 4, gradients=10)
    return OneRadius(
        moved, {kind: measures(np.clip(mean + 0.05 * rng.standard_normal(N), 0, 1)) for kind, mean in means.items()}
    )


def at_radius(a, b, states=(GOOD, GOOD)):
    checks = {
        side: (Check("Strength", state, f"finds {side} %", "", "Choose the budget strong."),)
        for side, state in zip("AB", states, strict=True)
    }
    return AtRadius({"A": a, "B": b}, {}, checks)


def counted(one):
    return [int((one.measures[kind].badness >= BAD).sum()) for kind in ("worst", "random")]


@pytest.mark.parametrize(
    ("a", "b", "harms", "less"),
    [
        ((0.5, 0.9, 0.5), (0.5, 0.7, 0.5), "harms both models", "B loses less."),
        ((0.8, 0.9, 0.8), (0.2, 0.5, 0.2), "harms both models", "B starts better and stays better, but loses more."),
        ((0.8, 0.9, 0.8), (0.2, 0.95, 0.2), "harms both models", "A loses less, but has less to lose"),
        ((0.5, 0.7, 0.5), (0.5, 0.7, 0.5), "harms both models", "Which of the two loses less cannot be said."),
        ((0.5, 0.7, 0.5), (0.5, 0.5, 0.5), "harms A more than random noise does, which is not shown for B", "B loses"),
        ((0.5, 0.5, 0.6), (0.5, 0.6, 0.6), "is not shown to harm either", ""),
    ],
)  # fmt: skip
def test_the_control_in_words(a, b, harms, less):
    both = one(*a), one(*b, seed=1)
    found = finding.at_radius(at_radius(*both))
    assert harms in found.words and less in found.words and not found.doubts and not found.weak
    (worst_a, random_a), (worst_b, random_b) = map(counted, both)
    assert (
        f"breaks {worst_a} of A’s {N} images (random noise: {random_a}) and {worst_b} of B’s ({random_b})"
        in found.words
    )


def test_nothing_is_claimed_on_a_weak_search_and_a_doubt_stands_beside_the_verdict():
    both = one(0.5, 0.9, 0.5), one(0.5, 0.7, 0.5, seed=1)
    weak = finding.at_radius(at_radius(*both, states=(GOOD, POOR)))
    assert weak.weak and weak.words == finding.WITHHELD and "Choose the budget strong" in weak.numbers[0]
    assert "less" not in weak.words
    doubted = finding.at_radius(at_radius(*both, states=(FAIR, GOOD)))
    assert not doubted.weak and doubted.doubts == ("A’s search finds A %",) and "B loses less" in doubted.words
    assert finding.at_radius(AtRadius({"A": both[0], "B": both[1]}, {}, {})) is None, "before the checks"
    still = finding.at_radius(at_radius(*(one(0.5, 0.9, 0.5, radius=0.0) for _ in "AB")))
    assert still.words.startswith("ε is 0")


def test_checks_in_words():
    state = {side: at_radius(one(0, 0, 0), one(0, 0, 0), (GOOD, FAIR)).checks[side] for side in "AB"}
    assert finding.checks(state).words == "The searches hold, with reservations: 1 of 2 checks are good, none is bad."


def test_pools_are_counted_and_a_weak_one_claims_nothing():
    def rows(worst):
        kinds = {"original": 0.5, "random": 0.5, "worst": worst}
        bad = {kind: measures(np.where(np.arange(N) < share * N, 0.99, 0.2)) for kind, share in kinds.items()}
        still = dict.fromkeys(MOVED, torch.zeros(N, 2))
        return Rows(still, bad, dict.fromkeys(MOVED, torch.zeros(N)))

    attack = Attack((1.0,))
    plan = PoolPlan(attack, N)
    strong, weak = (searched(share, attack) for share in (0.97, 0.5))
    known = Pool(plan, torch.zeros(N, 2), {"A": rows(1.0), "B": rows(0.6)}, 1.0, {"A": strong, "B": strong})
    found = finding.pool(known)
    assert f"breaks {N} of A’s {N} images (random noise: {N // 2})" in found.words
    assert "Under it more of A’s images are broken than of B’s." in found.words
    assert finding.pool(dataclasses.replace(known, strength={"A": strong, "B": weak})).weak
    assert finding.pool(dataclasses.replace(known, strength={})) is None


def searched(share, attack):
    return Strength(share, 2000, 8, attack)


def test_other_views_in_words():
    radii = np.array([0.0, 1.0])
    early, late = (MinimalRadii(np.full(N, at), 0, radii, np.array([1.0, 0.0])) for at in (0.2, 0.8))
    found = finding.minimal_radius({("A", "worst"): early, ("B", "worst"): late})
    assert found.words.startswith("B breaks later than A") and "by ε 0.20" in found.words
    assert finding.minimal_radius({("A", "worst"): early, ("B", "worst"): early}).words.startswith("Neither")
    lies = {side: Shell(4, {}, {}, {"worst": share, "random": 0.99}) for side, share in (("A", 0.5), ("B", 1.0))}
    assert re.search(r"50 % of A’s worst noise and 100 % of B’s", finding.shell(lies).words)
    up, none = Interval(0.1, 0.05, 0.2), Interval(0.0, -0.1, 0.1)
    moved = Transfer({"A": {"A": up, "B": none}, "B": {"A": up, "B": up}}, {})
    assert finding.transfer(moved).words.startswith("What is worst for B is bad for A too; what is worst for A is not")
