"""Scores against torchmetrics and closed forms; intervals that cover; numbers where others give NaN."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.inception import InceptionScore
from torchmetrics.image.kid import KernelInceptionDistance

from rgan import judges
from rgan.errors import SettingsError
from rgan.metrics import Seen, look, scores


class Given(nn.Module):
    """Features handed in as images."""

    num_features = 64

    def forward(self, x):
        return x


@pytest.fixture(scope="module")
def judge():
    return judges.load(judges.SHIPPED / "digits.safetensors")


@pytest.fixture(scope="module")
def seen(judge):
    """Features near the reference's, and what the judge names them."""
    rng = torch.Generator().manual_seed(0)
    picked = judge.reference[torch.randint(len(judge.reference), (600,), generator=rng)]
    features = picked + 0.3 * torch.randn(600, 64, generator=rng)
    return Seen(features, judge.network.score(features))


@pytest.mark.filterwarnings("ignore::UserWarning")  # torchmetrics tells that it keeps features
def test_values_against_torchmetrics(judge, seen):
    score, fid, kid = scores(judge, seen)
    theirs = FrechetInceptionDistance(feature=Given())
    theirs.set_dtype(torch.float64)
    theirs.update(judge.reference.double(), real=True)
    theirs.update(seen.features.double(), real=False)
    assert fid.value == pytest.approx(float(theirs.compute()), rel=1e-4)
    inception = InceptionScore(feature=Given(), splits=1)
    inception.update(seen.logits)
    assert score.value == pytest.approx(float(inception.compute()[0]), rel=1e-4)
    size = min(len(seen.features), len(judge.reference)) // 2
    kernel = KernelInceptionDistance(feature=Given(), subsets=200, subset_size=size)
    torch.manual_seed(0)
    kernel.update(judge.reference, real=True)
    kernel.update(seen.features, real=False)
    mean, spread = (float(value) for value in kernel.compute())
    assert abs(kid.value - mean) < 4 * spread / 10**0.5, "both average random subsets"


def test_a_confident_collapsed_generator_gets_numbers(judge):
    features = judge.reference[:1].expand(200, -1).contiguous()
    logits = torch.full((200, 10), -1000.0)
    logits[:, 3] = 1000.0
    found = scores(judge, Seen(features, logits))
    assert all(np.isfinite([one.value, one.low, one.high]).all() for one in found)
    assert found[0].value == pytest.approx(1.0)
    spread_evenly = torch.full((200, 10), -1000.0)
    spread_evenly[torch.arange(200), torch.arange(200) % 10] = 1000.0
    assert scores(judge, Seen(features, spread_evenly))[0].value == pytest.approx(10.0)


def test_intervals_are_those_of_fresh_samples(judge):
    """Their width is that of the scores of independent samples, within a third."""
    rng = torch.Generator().manual_seed(1)
    chosen = judge.reference[torch.randint(len(judge.reference), (20 * 300,), generator=rng)]
    features = chosen + 0.5 * torch.randn(chosen.shape, generator=rng)
    logits = judge.network.score(features)
    each = [scores(judge, Seen(f, y)) for f, y in zip(features.split(300), logits.split(300), strict=True)]
    for k in (0, 1):
        truth = 2 * 1.96 * np.std([one[k].value for one in each])
        width = np.mean([one[k].high - one[k].low for one in each])
        assert 0.6 < width / truth < 1.5, each[0][k].name


def test_real_images_score_better_than_noise_and_the_floor_is_said(judge):
    noise = look(judge, torch.randn(150, 1, 32, 32, generator=torch.Generator().manual_seed(0)).clamp(-1, 1))
    real = Seen(judge.reference[:150], judge.network.score(judge.reference[:150]))
    bad, good = scores(judge, noise), scores(judge, real)
    assert good[0].value > bad[0].value and good[1].value < bad[1].value and good[2].value < bad[2].value
    assert good[1].floor > 0 and "real against real" in good[1].words
    assert good[0].best == 10 and f"150 images against {len(judge.reference)} held-out" in good[0].protocol.words


def test_too_few_images_are_refused(judge, seen):
    few = dataclasses.replace(seen, features=seen.features[:50], logits=seen.logits[:50])
    with pytest.raises(SettingsError, match="at least 100 images"):
        scores(judge, few)
