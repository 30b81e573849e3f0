"""Robustness curves and minimal radii: blocks change nothing, curves and minimal radii against independent answers."""

import dataclasses
import itertools
import math
import types

import numpy as np
import pytest
import torch
from scipy import stats
from torchmetrics.image.fid import FrechetInceptionDistance

from rgan.attack.search import run
from rgan.common.errors import SettingsError
from rgan.common.files import as_csv
from rgan.common.geometry import lengths
from rgan.metrics import judges
from rgan.metrics.judges import Opinion
from rgan.report.rows import curves
from rgan.robustness.curves import Block, Curves, CurvesPlan, curve, curves_of, difference
from rgan.robustness.measured import Measures, joined
from rgan.robustness.minimal_radius import TOLERANCE, MinimalRadii, later, minimal_radii
from tests.metrics.test_scores import Given
from tests.robustness.test_one_radius import judged

PLAN = CurvesPlan((0.3, 1.0, 2.5), samples=100, repeats=2, seed=4, gradients=3)


@pytest.fixture(scope="module")
def states():
    return list(curves_of((judged(1), judged(2)), PLAN))


def test_blocks_find_what_one_search_finds(states):
    """All samples searched at once, in one batch."""
    last, gan = states[-1], judged(1).gan
    for repeat, blocks in enumerate(last.repeats("A")):
        z = gan.noise(100, 4 + repeat)
        assert torch.equal(torch.cat([block.z for block in blocks]), z)
        whole = run(gan.probe().loss, z, PLAN.attack, seed=0)
        loss = torch.stack([joined([block.measures["worst"][k] for block in blocks]).loss for k in range(3)])
        assert torch.allclose(loss, whole.loss, atol=1e-4)


def test_the_first_picture_comes_after_a_few_samples(states):
    assert len(states[0].blocks["A"][0].z) == 8 and states[0].share == 0.04 and states[-1].share == 1
    assert curve(states[0], "A", "worst", "fid") is None, "not of as many images as will be"
    few = next(curves_of((judged(1), judged(2)), CurvesPlan((1.0,), samples=8, repeats=1, gradients=2)))
    assert few.share == 1 and curve(few, "A", "worst", "fid") is None, "of fewer images than features"
    assert (np.diff(curve(states[0], "B", "worst", "loss").mean) >= 0).all(), "worst loss never falls as ε grows"


def test_both_models_get_the_same_noise_and_random_steps_of_the_same_length(states):
    for a, b in zip(*states[-1].blocks.values(), strict=True):
        assert torch.equal(a.z, b.z)
        for block in (a, b):
            for k in range(3):
                assert torch.allclose(lengths(block.noise["random"][k]), lengths(block.noise["worst"][k]), rtol=1e-5)
        directions = [block.noise["random"][2] / lengths(block.noise["random"][2])[:, None] for block in (a, b)]
        assert torch.allclose(*directions, atol=1e-5)
        assert torch.cosine_similarity(a.z, directions[0]).abs().mean() < 0.6, "not along the noise itself"
    first = [block.noise["random"][2][:8] for block in states[-1].blocks["A"]]
    alike = [torch.cosine_similarity(one, other).mean() for one, other in itertools.combinations(first, 2)]
    assert max(alike) < 0.8, "every block and repeat has directions of its own"


def test_the_floor_is_of_as_many_real_images_as_the_curves(states):
    """Real images of one law, drawn like the curves' own, have an FID above that of two halves: they are fewer."""
    last = states[-1]
    judge = judges.shipped("digits")
    few = last.real_fid
    assert few == pytest.approx(np.mean(list(direct_fids(judge.reference, 100))), rel=0.2)
    some, many = (next(curves_of((judged(1),), dataclasses.replace(PLAN, samples=n))) for n in (50, 359))
    assert some.real_fid is None and not some.scorable and many.real_fid < few / 2


def direct_fids(real, count):
    rng = torch.Generator().manual_seed(9)
    for _ in range(8):
        order = torch.randperm(len(real), generator=rng)
        theirs = FrechetInceptionDistance(feature=Given(64))
        theirs.set_dtype(torch.float64)
        theirs.update(real[order[count:]].double(), real=True)
        theirs.update(real[order[:count]].double(), real=False)
        yield float(theirs.compute())


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_curves_against_plain_sums(states):
    last = states[-1]
    values = np.array(
        [
            [torch.cat([block.measures["random"][k].badness for block in blocks]).mean() for k in range(3)]
            for blocks in last.repeats("B")
        ]
    )
    found = curve(last, "B", "random", "badness")
    assert found.radii.tolist() == [0, 0.3, 1.0, 2.5]
    assert found.mean[1:] == pytest.approx(values.mean(axis=0), abs=1e-6)
    assert found.low[1:] == pytest.approx(values.min(axis=0), abs=1e-6) and (found.high >= found.mean).all()
    fids = []
    for blocks in last.repeats("A"):
        theirs = FrechetInceptionDistance(feature=Given(64))
        theirs.set_dtype(torch.float64)
        theirs.update(judges.shipped("digits").reference.double(), real=True)
        theirs.update(joined([block.measures["worst"][1] for block in blocks]).features.double(), real=False)
        fids.append(float(theirs.compute()))
    assert curve(last, "A", "worst", "fid").mean[2] == pytest.approx(np.mean(fids), rel=1e-4)
    alike = []
    for blocks in last.repeats("A"):
        seen = joined([block.measures["worst"][1] for block in blocks]).features.double()
        kernel = torch.exp(-(torch.cdist(seen, seen) ** 2) / (2 * judges.shipped("digits").scale ** 2)) / len(seen)
        shares = np.linalg.eigvalsh(kernel.numpy())
        alike.append(math.exp(-sum(share * math.log(share) for share in shares if share > 0)))
    assert curve(last, "A", "worst", "different").mean[2] == pytest.approx(np.mean(alike), rel=1e-6)
    rows = curves(last)
    assert f"A,worst,fid,1.0,{curve(last, 'A', 'worst', 'fid').mean[2]}" in as_csv(rows).decode()


def test_a_model_does_not_differ_from_itself(states):
    same = curves_of((judged(1), judged(1)), CurvesPlan((1.0,), samples=16, repeats=1, gradients=2))
    *_, last = same
    zeros = [(one.mean, one.low, one.high) for one in difference(last, "worst")]
    assert zeros and set(zeros) == {(0, 0, 0)}
    with pytest.raises(SettingsError, match="as many noise dimensions, got 6 and 5"):
        next(curves_of((judged(1), judged(1, 5)), PLAN))


RADII = np.array([0.0, 1.5, 3.0])


def measure(badness):
    return Measures(badness, Opinion(badness, badness, badness, badness, badness), badness[:, None])


def judging(measure):
    """A judged model that knows no classes, with this measure."""
    found = types.SimpleNamespace(measure=measure)
    found.of_samples = lambda numbers: found
    return found


def test_minimal_radii_where_badness_is_known():
    """Badness is the length of the move over a limit of each sample: it breaks where ε is 95 % of the limit."""
    limits = torch.tensor([0.5, 1.0, 1.7, 3.0, 9.0, 0.0])
    z = torch.zeros(6, 2) + 100 * torch.arange(6)[:, None]
    radii = (1.0, 2.0, 4.0)

    def badness(noise, rows):
        length = (noise - z[rows])[:, 0]
        return torch.where(limits[rows] == 0, 1.0, length / limits[rows].clamp_min(1e-9)).clamp(max=1)

    def judged(noise):
        return measure(badness(noise, (noise[:, 1] / 100).long()))

    step = torch.tensor([1.0, 0.0])
    noise = torch.stack([radius * step.expand(6, 2) for radius in radii])
    tried = tuple(measure(badness(z + one, torch.arange(6))) for one in noise)
    block = Block(0, z, judged(z), {"worst": noise}, {"worst": tried})
    state = Curves(CurvesPlan(radii, 6, 1), {"A": (block,)}, 1.0, {}, {}, None)
    found = minimal_radii(judging(judged), state, "A", "worst")
    truth = np.where(limits == 0, 0, 0.95 * limits.numpy())
    inside = truth <= 4
    assert np.isinf(found.radius[~inside]).all() and found.censored == 1 and found.at_once == 1
    over = found.radius[inside] - truth[inside]
    assert (over >= -1e-6).all() and (over <= 2 * TOLERANCE + 1e-6).all() and found.recovered == 0
    assert found.good == pytest.approx([(truth > radius).mean() for radius in (0, 1, 2, 4)])

    def spiked(noise):
        """Bad between 0.5 and 0.8 of the way to the first radius alone; the last is bad throughout."""
        length = noise[:, 0] - noise[:, 1]
        return measure((((length > 0.5) & (length < 0.8)) | (noise[:, 1] == 500)).float())

    calm = measure((torch.arange(6) >= 5).float())
    quiet = Block(0, z, calm, {"worst": noise}, {"worst": (calm,) * 3})
    once = dataclasses.replace(state, blocks={"A": (quiet,)})
    brief = minimal_radii(judging(spiked), once, "A", "worst")
    assert brief.radius == pytest.approx([0.5] * 5 + [0], abs=TOLERANCE) and brief.recovered == 5
    again = Block(0, z, judged(z), {"worst": noise}, {"worst": (tried[1], tried[0], tried[2])})
    twice = dataclasses.replace(state, blocks={"A": (again,)})
    assert minimal_radii(judging(judged), twice, "A", "worst").recovered == 1


def test_survival_against_kaplan_meier_and_wilson():
    radius = np.array([0.0, 0.5, 0.5, 1.0, 2.2, np.inf, np.inf])
    found = MinimalRadii(radius, 0, RADII, RADII)
    at = np.array([0.0, 0.4, 0.5, 1.5, 2.9])
    share, low, high = found.survival(at)
    censored = stats.CensoredData(uncensored=radius[:5], right=[3.0, 3.0])
    assert share == pytest.approx(stats.ecdf(censored).sf.evaluate(at))
    theirs = stats.binomtest(4, 7).proportion_ci(0.95, method="wilson")
    assert (low[2], high[2]) == pytest.approx((theirs.low, theirs.high), rel=1e-6)
    assert found.median_words() == "half have been bad by ε 1.00"
    assert "never been bad up to ε 3" in MinimalRadii(np.full(4, np.inf), 0, RADII, RADII).median_words()


def test_who_breaks_later_is_told_from_pairs_that_differ():
    a = MinimalRadii(np.array([1.0, 1.0, 2.0, np.inf, 0.0, 1.5, 0.0]), 0, RADII, RADII)
    b = MinimalRadii(np.array([2.0, np.inf, 1.0, np.inf, 0.0, 1.6, 1.0]), 0, RADII, RADII)
    won = later(a, b)
    limits = stats.binomtest(3, 4).proportion_ci(0.95, method="exact")
    assert (won.mean, won.low, won.high) == pytest.approx((0.75, limits.low, limits.high))
    assert later(a, a) is None
