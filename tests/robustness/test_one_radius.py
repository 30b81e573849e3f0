"""One ε: controls against direct computation, verdicts that need their interval, transfer, and the prior's shell."""

import dataclasses
import types

import numpy as np
import pytest
import torch
from scipy import stats

from rgan.attack.perturbation import with_controls
from rgan.attack.search import Attack, SampleLoss, run
from rgan.common.errors import SettingsError
from rgan.common.formatting import decimal, per_cent, signed
from rgan.common.geometry import lengths
from rgan.data import datasets
from rgan.metrics import judges
from rgan.metrics.diversity import vendi
from rgan.metrics.judges import Opinion
from rgan.models.gan import Gan, Training, fresh, prior_noise
from rgan.models.recipes import recipe
from rgan.robustness.at_radius import at_radius as at_radius_of
from rgan.robustness.checks import GOOD, POOR, Check, check_attack, measure_strength
from rgan.robustness.measured import JudgedGan, Measures, joined
from rgan.robustness.one_radius import (
    OneRadius,
    Transfer,
    agreement,
    differences,
    one_radius,
    rises,
    shell,
    transfer,
    verdict,
)
from rgan.stats.intervals import Interval
from tests.robustness.made_up import perturbation

SETTINGS = Attack((1.5,), gradients=4)


def judged(seed, latent=6):
    made = recipe("dcgan", channels=1, width=4, latent=latent)
    return JudgedGan(Gan(made, *fresh(made, seed)), judges.shipped("digits"), device="cpu")


@pytest.fixture(scope="module")
def judged_gans():
    return judged(1), judged(2)


@pytest.fixture(scope="module")
def at_radius(judged_gans):
    return tuple(one_radius(one, SETTINGS, samples=14, seed=3) for one in judged_gans)


def test_trials_are_those_of_the_plain_networks(judged_gans, at_radius):
    gan, one = judged_gans[0].gan, at_radius[0]
    with torch.no_grad():
        images = gan.generator(one.perturbation.z + one.perturbation.r)
        loss = gan.recipe.criterion.generator(gan.critic(images))
    opinion = judged_gans[0].judge.opinion(images)
    assert torch.allclose(one.measures["worst"].loss, loss, atol=1e-4)
    assert torch.allclose(one.measures["worst"].opinion.distance, opinion.distance, rtol=1e-3)
    assert torch.equal(one.measures["worst"].bad, one.measures["worst"].badness >= 0.95)
    assert (one.measures["worst"].loss >= one.measures["original"].loss).all()
    whole = one.measures["worst"]
    parts = joined([whole.rows(slice(0, 5)), whole.rows(slice(5, None))])
    assert torch.equal(parts.features, whole.features) and torch.equal(parts.badness, whole.badness)


def test_controls_are_as_long_and_the_best_of_as_many_as_gradients(judged_gans, at_radius):
    one = at_radius[0]
    found = one.perturbation
    assert found.tries == found.gradients == SETTINGS.gradients
    assert torch.allclose(lengths(found.random), lengths(found.r), rtol=1e-5)
    best = one.measures["best"].loss
    assert (best >= one.measures["random"].loss - 1e-5).all() and (best > one.measures["random"].loss + 1e-4).any()
    assert not torch.isclose(one.measures["fresh"].loss, one.measures["original"].loss).any()


def test_fresh_noise_has_the_interval_of_two_samples():
    rng = np.random.default_rng(1)
    one = made_up(*(rng.uniform(0, 0.1 * k, 50).tolist() for k in (5, 9, 5)))
    fresh_, original = (one.measures[kind].badness.numpy() for kind in ("fresh", "original"))
    theirs = stats.ttest_ind(fresh_, original, equal_var=False).confidence_interval(0.95)
    found = rises(one)["fresh"]
    assert found.mean == pytest.approx(fresh_.mean() - original.mean(), abs=1e-6)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), rel=1e-4)


def made_up(start, worst, random):
    """One radius whose badness is given."""

    def measure(values):
        badness = torch.tensor(values)
        return Measures(badness, Opinion(badness, badness, badness, badness, badness), badness[:, None])

    values = {"original": start, "worst": worst, "random": random, "best": random, "fresh": worst[::-1]}
    measures = {kind: measure(each) for kind, each in values.items()}
    return OneRadius(perturbation(SETTINGS, len(start)), measures)


def test_agreement_of_judge_and_critic_is_of_ranks():
    one = made_up([0.1] * 4, [0.2, 0.5, 0.9, 0.4], [0.1] * 4)
    assert agreement(one)["entropy"].mean == pytest.approx(1)
    worst = one.measures["worst"]
    turned = dataclasses.replace(worst, loss=-(worst.loss**3))
    other = dataclasses.replace(one, measures=one.measures | {"worst": turned})
    assert agreement(other)["loss"].mean == pytest.approx(-1)
    assert agreement(made_up([0.1] * 4, [1.0] * 4, [0.1] * 4)) == {"loss": None, "entropy": None}
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(200):  # of a true rank correlation of 0
        some = made_up([0.1] * 30, rng.uniform(0, 1, 30).tolist(), [0.1] * 30)
        apart = dataclasses.replace(some.measures["worst"], loss=torch.tensor(rng.uniform(0, 1, 30)))
        found = agreement(dataclasses.replace(some, measures=some.measures | {"worst": apart}))["loss"]
        covered += found.low <= 0 <= found.high
    assert 0.9 <= covered / 200 <= 0.99


def test_a_search_raises_one_judge_and_another_measures(judged_gans):
    """Distances raised are the attacked judge's; badness is the other's, and their agreement is said."""
    judged = judged_gans[0]
    assert judged.raised is judges.shipped("digits", judges.ATTACKED) and judged.raised is not judged.judge
    assert judged.facts.attacked.digest == judged.raised.digest != judged.facts.judge.digest == judged.judge.digest
    z = judged.gan.noise(6, 0)
    (found,) = judged.perturb(z, Attack((1.0,), gradients=3), "judge", seed=0)
    images = judged.images(z + found.r)
    assert torch.allclose(found.loss_worst, judged.raised.opinion(images).distance, rtol=1e-4)
    assert torch.allclose(judged.measure(z + found.r).badness, judged.judge.opinion(images).badness)
    one = one_radius(judged, SETTINGS, samples=8, seed=0)
    worst = judged.images(one.perturbation.z + one.perturbation.r)
    assert torch.allclose(one.second, judged.raised.opinion(worst).badness, atol=0.01)
    assert one.judges.bad.total == 8 and one.attributes is None
    other = dataclasses.replace(judged, judge=judged.raised)
    assert one_radius(other, SETTINGS, samples=2, seed=0).judges is None, "there is no third one"


def test_who_saw_what_a_judge_holds_out_is_told(judged_gans):
    judged = judged_gans[0]
    assert judged.caveat == ""
    old = Training("digits", 10, 0, 1.0, "cpu", "float32")
    new = dataclasses.replace(old, fingerprint=datasets.load("digits", size=32).fingerprint)
    told = [dataclasses.replace(judged, gan=dataclasses.replace(judged.gan, training=one)) for one in (old, new)]
    assert "flatter it" in told[0].caveat and told[1].caveat == ""
    facts = dataclasses.replace(judged.judge.facts, apart=False)
    own = dataclasses.replace(judged.judge, facts=facts)
    assert "holds out" in dataclasses.replace(told[1], judge=own).caveat
    assert dataclasses.replace(told[0], judge=judges.shipped("mnist")).caveat == "", "it saw no MNIST"


def test_a_headline_needs_its_interval():
    rng = np.random.default_rng(0)
    start = rng.uniform(0.2, 0.4, 60)
    hurt = made_up(start.tolist(), (start + rng.uniform(0.1, 0.3, 60)).tolist(), start.tolist())
    noisy = made_up(start.tolist(), (start + rng.normal(0, 0.1, 60)).tolist(), start.tolist())
    better = made_up(start.tolist(), (start - rng.uniform(0.1, 0.2, 60)).tolist(), start.tolist())
    said = verdict(hurt, noisy)
    assert said[0].startswith("A: worst noise makes worse images") and "is not shown to make worse images" in said[1]
    assert said[2].startswith("B's images suffer less than A's") and len(said) == 3
    assert "makes better images than random" in verdict(better, noisy)[0]
    fooled = dataclasses.replace(noisy.measures["worst"], loss=noisy.measures["random"].loss + torch.rand(60) + 1)
    told = verdict(hurt, dataclasses.replace(noisy, measures=noisy.measures | {"worst": fooled}))
    assert told[1].startswith("B: the critic is fooled, but worst noise is not shown")
    for attack, advice in ((SETTINGS, "raise ε"), (dataclasses.replace(SETTINGS, price=3.0), "lower λ")):
        still = dataclasses.replace(noisy, perturbation=perturbation(attack, 60, 0.0))
        told = verdict(hurt, still)[1]
        assert told.endswith(("lower λ.", "may be flat.")) and advice in told
        assert ("worth its price" in told) == (attack.price > 0) != ("raise ε" in told), "λ 0 cannot be lowered"
    assert verdict(noisy, noisy)[2].startswith("Which of the two suffers less cannot be said")
    worse = made_up((start + 0.4).tolist(), (start + 0.45).tolist(), (start + 0.4).tolist())
    assert verdict(worse, hurt)[3].startswith("A's images are worse before anything moves (badness 7")
    still = dataclasses.replace(hurt, perturbation=perturbation(Attack((0.0,)), 60))
    assert verdict(still, still) == ("ε is 0: nothing moves. Raise ε to see what worst noise does.",)


def test_a_search_that_finds_no_more_than_many_random_tries_is_told():
    rng = np.random.default_rng(3)
    start = rng.uniform(0.2, 0.4, 60)
    found = made_up(start.tolist(), (start + rng.uniform(0.1, 0.3, 60)).tolist(), start.tolist())
    above = found.measures["worst"].badness - found.measures["best"].badness
    theirs = stats.ttest_1samp(above.double().numpy(), 0).confidence_interval(0.95)
    assert (found.beyond("best").low, found.beyond("best").high) == pytest.approx((theirs.low, theirs.high))
    assert "; against the best, by the critic, of 4 random directions it is +" in verdict(found, found)[0]
    lucky = dataclasses.replace(found, measures=found.measures | {"best": found.measures["worst"]})
    said = verdict(lucky, found)[0]
    assert said.startswith("A: worst noise makes worse images than random noise")
    assert said.endswith("more than the best, by the critic, of 4 random directions is not shown: 0.0 points "
                         "(95 % interval 0.0 to 0.0).")  # fmt: skip


def test_a_difference_that_random_noise_may_explain_is_not_claimed():
    rng = np.random.default_rng(4)
    start = rng.uniform(0.2, 0.4, 60)
    spread = rng.uniform(0.0, 0.02, (3, 60))
    spread -= spread.mean(axis=1, keepdims=True)
    fragile = made_up(start.tolist(), (start + 0.3 + spread[0]).tolist(), (start + 0.2 + spread[1]).tolist())
    tough = made_up(start.tolist(), (start + 0.1 + spread[2]).tolist(), start.tolist())
    raw, beyond = differences(fragile, tough)
    assert raw.low > 0 > beyond.low and beyond.high > 0
    assert verdict(fragile, tough)[2].startswith(
        "Which of the two suffers less cannot be said, for random noise may explain the difference"
    )


def test_noise_that_makes_better_images_elsewhere_is_told():
    worse, better = Interval(0.1, 0.05, 0.15), Interval(-0.02, -0.04, -0.001)
    found = Transfer({"A": {"A": worse, "B": worse}, "B": {"A": better, "B": worse}}, {})
    first, second = found.sentence().split(" Noise found")
    assert first.startswith("Noise found on A makes worse images than random noise in B: +10.0 points")
    assert second.startswith(" on B makes better images than random noise in A")


def test_transfer_puts_each_noise_through_the_other_model(judged_gans, at_radius):
    found = transfer(judged_gans, at_radius)
    a, b = judged_gans
    with torch.no_grad():
        worst = b.gan.generator(at_radius[0].perturbation.z + at_radius[0].perturbation.r)
        random = b.gan.generator(at_radius[0].perturbation.z + at_radius[0].perturbation.random)
        criterion = b.gan.recipe.criterion.generator
        added = criterion(b.gan.critic(worst)) - criterion(b.gan.critic(random))
        badness = b.judge.opinion(worst).badness - b.judge.opinion(random).badness
    assert found.loss["A"]["B"].mean == pytest.approx(float(added.mean()), abs=1e-3)
    assert found.badness["A"]["B"].mean == pytest.approx(float(badness.mean()), abs=0.01)
    assert found.loss["A"]["A"].mean > found.loss["B"]["A"].mean, "its own worst noise is worse for it"
    with pytest.raises(SettingsError, match="as many noise dimensions, got 6 and 5"):
        transfer((a, judged(1, 5)), (at_radius[0], one_radius(judged(1, 5), SETTINGS, samples=4, seed=0)))


def test_the_shell_is_that_of_the_normal_distribution(at_radius):
    found = shell(at_radius[0])
    law = stats.multivariate_normal(np.zeros(6))
    z, r = (each.double().numpy() for each in (at_radius[0].perturbation.z, at_radius[0].perturbation.r))
    assert found.paid["worst"].mean == pytest.approx(float((law.logpdf(z) - law.logpdf(z + r)).mean()), rel=1e-6)
    at = np.linspace(0, 12, 4001)
    assert np.trapezoid(found.density(at), at) == pytest.approx(1, abs=1e-6)
    assert np.trapezoid(found.density(at) * at**2, at) == pytest.approx(6, abs=1e-4), "E‖z‖² is the dimension"
    assert found.lengths["random"] == pytest.approx(
        np.linalg.norm(at_radius[0].perturbation.z + at_radius[0].perturbation.random, axis=1), rel=1e-5
    )
    places = stats.chi2.cdf(found.lengths["worst"] ** 2, 6)
    assert found.inside["worst"] == pytest.approx(((places > 0.005) & (places < 0.995)).mean())
    kept = shell(one_radius(judged(1), dataclasses.replace(SETTINGS, keep_shell=True), samples=8, seed=3))
    assert abs(kept.paid["worst"].mean) < 1e-4 and abs(kept.paid["random"].mean) < 1e-4


class Landscape:
    """A judged with a given loss."""

    def __init__(self, loss):
        self.gan = types.SimpleNamespace(noise=lambda count, seed: prior_noise(8, count, seed))
        self.probe = types.SimpleNamespace(loss=SampleLoss(lambda z, samples: loss(z)), coarse=None)

    def of_samples(self, numbers):
        return self

    def objective(self, name, z, *, precision="float32"):
        return self.probe

    def perturb(self, z, attack, *, seed):
        return (with_controls(self.probe.loss, run(self.probe.loss, z, attack, seed=seed), seed=seed),)


def states(loss, radius=1.0, **settings):
    judged = Landscape(loss)
    (once,) = judged.perturb(judged.gan.noise(40, 0), Attack((radius,), **settings), seed=0)
    found = check_attack(judged, once, 0)
    return {one.name: one for one in found}


def test_the_share_found_is_that_of_the_known_maximum():
    """Of a plane, ε‖slope‖ is the most that can be gained: r along half of the way there has found a half."""
    slope = torch.arange(1.0, 9)
    landscape, attack = Landscape(lambda z: z @ slope), Attack((2.0,), gradients=20)
    z = landscape.gan.noise(40, 0)
    most = 2 * slope / slope.norm()
    for share in (1.0, 0.5, 0.0):
        found = measure_strength(landscape.probe, z, share * most.expand_as(z), attack, 0)
        assert found.share == pytest.approx(share, abs=1e-4)
        assert (found.gradients, found.samples, found.weak) == (200, 32, share < 0.9)
    priced = dataclasses.replace(attack, price=float(slope.norm()) / 2)  # the best length is then 1, and worth half
    found = measure_strength(landscape.probe, z, (most / 4).expand_as(z), priced, 0)
    assert found.share == pytest.approx(0.75, abs=1e-3), "at half the length: 1/2 − 1/8 of 1/2"


def test_a_budget_that_finds_too_little_is_raised_for_both(monkeypatch, judged_gans):
    from rgan.attack.search import BUDGETS

    monkeypatch.setitem(BUDGETS, "standard", 2)
    monkeypatch.setitem(BUDGETS, "strong", 60)
    shares, told = {2: {"A": 0.95, "B": 0.85}, 60: {"A": 0.96, "B": 0.93}}, []

    def found(judged, once, seed):
        share = shares[once.attack.gradients]["AB"[judged_gans.index(judged)]]
        return (Check("Strength", POOR if share < 0.9 else GOOD, f"finds {share:.0%}", "", "remedy"),)

    monkeypatch.setattr("rgan.robustness.at_radius.check_attack", found)
    asked = Attack((1.5,), gradients=2)
    ended = at_radius_of(judged_gans, asked, samples=8, seed=3, report=lambda *news: told.append(news))
    assert {one.perturbation.gradients for one in ended.found.values()} == {60}
    assert torch.equal(
        ended.found["A"].perturbation.r,
        one_radius(judged_gans[0], dataclasses.replace(asked, gradients=60), samples=8, seed=3).perturbation.r,
    )
    alike, count = ended.collapse["A"], {}
    for kind in ("original", "worst", "random"):
        count[kind] = vendi(ended.found["A"].measures[kind].features, judged_gans[0].judge.scale)
        assert alike.of[kind].count.mean == pytest.approx(count[kind])
    assert alike.beyond["random"].count.mean == pytest.approx(count["worst"] - count["random"])
    assert alike.sentence("A") in ended.said
    assert ended.said[-1] == "Searched anew with 60 gradients, since with 2 A's search finds 95%; B's search finds 85%."
    assert not any(sentence.startswith("No verdict") for sentence in ended.said)
    known = [news for _, news in told if news is not None]
    assert [(bool(news.checks), bool(news.before)) for news in known] == [(False, False), (True, False), (False, True)]
    assert known[1].said[0].startswith("No verdict: B's search"), "until the stronger search has ended"
    assert all(0 < share <= 1 for share, _ in told)
    shares[3] = shares[2]
    once = at_radius_of(judged_gans, dataclasses.replace(asked, gradients=3), samples=8, seed=3)
    assert once.found["A"].perturbation.gradients == 3, "a budget that was chosen stays"
    assert once.said[0].startswith("No verdict")


def test_health_of_searches_whose_answer_is_known():
    slope = torch.arange(1.0, 9)
    assert {one.state for one in states(lambda z: z @ slope).values()} == {"good"}, "a plane is searched in one step"
    flat = states(lambda z: (0 * z).sum(dim=1))
    assert flat["Signal"].state == "poor" and "40 of 40" in flat["Signal"].number
    rugged = states(lambda z: torch.cos(9 * z).sum(dim=1) + 0.1 * (z @ slope), gradients=10)
    assert rugged["Strength"].state != "good" and "standard" in rugged["Strength"].remedy
    smooth = states(lambda z: torch.cos(9 * z).sum(dim=1) + 0.1 * (z @ slope), gradients=200)
    assert float(smooth["Strength"].number.split()[1]) > float(rugged["Strength"].number.split()[1])
    ring = states(lambda z: -((lengths(z) - 1) ** 2), radius=7.0, gradients=1)
    assert ring["Strength"].state == "poor", "one step leaps over the ring"
    steps = states(lambda z: (3 * (z @ slope)).ceil(), radius=2.0)
    assert steps["Beats random"].state == "poor", "a staircase has no gradient, and chance climbs it"
    assert not states(lambda z: z @ slope, radius=0.0)
    priced = states(lambda z: z @ slope, price=50.0)
    assert priced["Use of ε"].state == "fair" and "Lower λ" in priced["Use of ε"].remedy


@pytest.mark.parametrize(
    ("low", "mean", "high", "words"),
    [
        (0.01, 0.042, 0.071, "+4.2 points (95 % interval +1.0 to +7.1)"),
        (-0.0301, -0.02, 0.0002, "−2.0 points (95 % interval −3.0 to 0.0)"),  # 0 lies inside: no more digits needed
        (0.0002, 0.0381, 0.076, "+3.81 points (95 % interval +0.02 to +7.60)"),
        (-0.5, -0.25, -0.000004, "−25.0000 points (95 % interval −50.0000 to −0.0004)"),
        (0.0, 0.0, 0.0, "0.0 points (95 % interval 0.0 to 0.0)"),
    ],
)
def test_an_interval_that_leaves_out_0_is_never_shown_ending_there(low, mean, high, words):
    assert Interval(mean, low, high).in_points() == words


@pytest.mark.parametrize(
    ("value", "plain", "difference", "share"),
    [(-0.004, "0.00", "0.00", "−0.4 %"), (0.004, "0.00", "0.00", "0.4 %"), (-1.239, "−1.24", "−1.24", "−123.9 %")],
)
def test_numbers_have_a_true_minus_and_none_before_zero(value, plain, difference, share):
    assert (decimal(value), signed(value), per_cent(value)) == (plain, difference, share)
    assert (
        signed(-value) == (f"+{plain[1:]}" if plain.startswith("−") else plain) and per_cent(0.5, sign=True)[0] == "+"
    )
