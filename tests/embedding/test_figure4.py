"""The panels of Figure 4: which clouds, from which draws, and what is said of the paper's claims."""

import dataclasses

import numpy as np
import pytest
import torch

from rgan.attack import search
from rgan.common.errors import CheckpointError, SettingsError
from rgan.common.images import to_uint8, to_unit
from rgan.embedding.figure4 import Choice, findings, linear_view, panel, relevant, summary
from rgan.metrics import judges
from rgan.models import checkpoints
from tests.conftest import ROOT

FEW = Choice(points=60, gradients=4)


@pytest.fixture(scope="module")
def pair():
    return tuple(checkpoints.load(ROOT / f"checkpoints/digits-dcgan{end}.safetensors") for end in ("", "-robust"))


def test_worst_noise_is_the_searchs_and_original_noise_is_fresh(pair):
    made = panel("a", *pair, dataclasses.replace(FEW, radius=2.0))
    z = pair[0].noise(60, 0)
    settings = search.Attack((2.0,), gradients=4)
    expected = search.run(pair[0].probe().loss, z, settings).noise[0]
    assert np.allclose(made.second.sample.points, z + expected, atol=1e-6)
    assert np.array_equal(made.second.starts, z.numpy()) and made.second.seed == 0
    assert np.array_equal(made.first.sample.points, pair[0].noise(60, 1).numpy()) and made.first.seed == 1
    assert np.array_equal(made.second.images, to_uint8(pair[0].probe().images(z + expected)))
    assert not np.intersect1d(made.first.sample.draws, made.second.sample.draws).size


def test_worst_images_cost_the_critic_more_and_stay_within_reach(pair):
    made = panel("b", *pair, dataclasses.replace(FEW, image_radius=1.5, side="B"))
    gan = pair[1]
    size = gan.recipe.size
    for cloud, cost in ((made.first, gan.recipe.criterion.real), (made.second, gan.recipe.criterion.fake)):
        before, after = (torch.from_numpy(x).view(-1, 1, size, size) for x in (cloud.starts, cloud.sample.points))
        assert (after - before).flatten(1).norm(dim=1).max() <= 1.5 * (1 + 1e-5)
        with torch.no_grad():
            assert (cost(gan.critic(after)) >= cost(gan.critic(before)) - 1e-4).all()
            assert cost(gan.critic(after)).mean() > cost(gan.critic(before)).mean() + 0.05
    assert np.array_equal(made.versus[0].points, made.first.starts)
    assert np.allclose(made.first.starts, to_unit(pair[0].reference[:60]).flatten(1).numpy())


def test_real_images_are_the_files_and_generated_ones_the_models(pair):
    made = panel("d", *pair, FEW)
    assert np.array_equal(made.first.images, pair[0].reference[:60].permute(0, 2, 3, 1).numpy())
    assert np.array_equal(made.second.images, to_uint8(pair[1].probe().images(pair[1].noise(60, 0))))
    assert made.versus[1].points.shape == made.second.sample.points.shape
    assert made.first.names[7] == "real 7" and made.second.names[7] == "B 7"


def test_critic_features_are_what_enters_its_last_layer(pair):
    made = panel("c", *pair, dataclasses.replace(FEW, features="critic-b"))
    images = pair[0].probe().images(pair[0].noise(60, 0))
    seen = []
    score = pair[1].critic.get_submodule("score")
    hook = score.register_forward_hook(lambda _, given, __: seen.append(given[0]))
    with torch.no_grad():
        pair[1].critic(images)
    hook.remove()
    assert np.allclose(made.second.sample.points, seen[0].flatten(1).numpy(), atol=1e-5)
    assert made.space == f"what B's critic sees, {seen[0].flatten(1).shape[1]:,} dimensions"


def test_the_judge_sees_images_as_its_file_says(pair):
    made = panel("c", *pair, dataclasses.replace(FEW, features="judge"))
    judge = judges.load(ROOT / "rgan/metrics/shipped/digits.safetensors")
    assert np.allclose(made.first.sample.points, judge.features(to_unit(pair[0].reference[:60])).numpy(), atol=1e-5)
    assert made.space == "what an independent judge sees, 64 dimensions"
    other = dataclasses.replace(pair[0], training=dataclasses.replace(pair[0].training, data="celeba"))
    with pytest.raises(CheckpointError, match=r"expected a judge for celeba, found those for .*digits"):
        panel("c", other, other, dataclasses.replace(FEW, features="judge"))


@pytest.mark.parametrize("letter", "abcd")
def test_every_panel_is_tested_beside_its_control(pair, letter):
    made = panel(letter, *pair, FEW)
    found = findings(made, *pair)
    assert [one.test for one in found.verdicts] == [one.test for one in found.control_verdicts]
    assert len(found.verdicts) == (4 if letter == "a" else 3)
    draws = [made.first.sample.draws, made.second.sample.draws]
    assert not np.intersect1d(*draws).size and not np.intersect1d(*(c.draws for c in found.control)).size
    assert not np.intersect1d(made.second.sample.draws, found.control[0].draws).size
    told = summary(made, found)
    assert told["outcome"] in ("supported", "not supported", "undecided") and told["points"] == [60, 60]
    assert told == summary(made, findings(made, *pair))


def test_claims_follow_the_numbers(pair):
    """At a large radius worst noise is longer; a model is no closer to real images than itself."""
    far = findings(panel("a", *pair, Choice(points=100, radius=4.0, gradients=10)), *pair)
    assert far.claim.outcome == "supported" and far.verdicts[3].low > 0
    near = findings(panel("a", *pair, Choice(points=100, radius=0.0)), *pair)
    assert near.claim.outcome == "undecided" and near.verdicts[3].low < 0 < near.verdicts[3].high
    same = (pair[0], pair[0])
    found = findings(panel("d", *same, FEW), *same)
    assert (
        found.claim.outcome in ("undecided", "not supported")
        and "(99 % interval of the difference 0.00 % to 0.00 %)" in found.claim.because
    )


def test_absence_of_evidence_is_no_evidence(pair):
    """A few points decide nothing; real images against themselves, in effect, are close."""
    few = dataclasses.replace(FEW, points=10)
    assert findings(panel("c", *pair, few), *pair).claim.outcome == "undecided"


def test_noise_and_generated_images_are_no_real_ones(pair):
    """An untrained generator is told from real images by every test, and claim (d) fails for it."""
    from rgan.models.gan import Gan, fresh

    raw = dataclasses.replace(Gan(pair[0].recipe, *fresh(pair[0].recipe, 0)), digest="raw")
    found = findings(panel("d", pair[0], raw, FEW), pair[0], raw)
    assert all(one.p <= 0.01 for one in found.verdicts) and found.claim.outcome == "not supported"


def test_what_a_panel_does_not_use_does_not_change_it():
    choice = Choice(radius=2.0, image_radius=3.0, price=0.5, features="critic-a", side="B", seed=4)
    assert relevant("c", choice) == Choice(features="critic-a", seed=4)
    assert relevant("a", choice) == Choice(radius=2.0, price=0.5, side="B", seed=4)
    assert relevant("b", choice) == Choice(image_radius=3.0, features="critic-a", side="B", seed=4)


def test_models_that_cannot_be_compared_are_refused(pair):
    from rgan.models.gan import Gan, fresh
    from rgan.models.recipes import recipe

    colour = recipe("dcgan", width=2, latent=8)
    other = Gan(colour, *fresh(colour, 0))
    with pytest.raises(SettingsError, match="images of one shape"):
        panel("c", pair[0], other, FEW)
    elsewhere = dataclasses.replace(
        pair[1], training=dataclasses.replace(pair[1].training, data="faces", fingerprint="9-9")
    )
    with pytest.raises(SettingsError, match="trained on the same data, got digits and faces"):
        panel("d", pair[0], elsewhere, FEW)
    with pytest.raises(SettingsError, match="real images in the file"):
        panel("c", other, other, FEW)
    with pytest.raises(SettingsError, match="at most 512 points"):
        panel("c", *pair, Choice(points=600))
    with pytest.raises(SettingsError, match="expected"):
        Choice(side="C")


def test_the_linear_view_is_exact():
    generator = torch.Generator().manual_seed(0)
    z, fresh = (torch.randn(300, 16, generator=generator) for _ in range(2))
    r = torch.zeros(300, 16)
    r[:, 3] = 2.0
    view = linear_view(fresh, z, r, 4.0)
    assert np.allclose(view.second[:, 0], np.linalg.norm(z + r, axis=1), rtol=1e-6)
    assert np.allclose(view.second[:, 1] - view.starts[:, 1], 2.0, atol=1e-5)
    assert view.together == pytest.approx(1, abs=1e-6)
    inside = (view.first[:, 0] >= view.band[0]) & (view.first[:, 0] <= view.band[1])
    assert inside.mean() > 0.96
    large = torch.randn(200_000, 16, generator=generator).norm(dim=1).numpy()
    assert ((large > view.band[0]) & (large < view.band[1])).mean() == pytest.approx(0.99, abs=0.001)
    still = linear_view(fresh, z, torch.zeros_like(r), 4.0)
    assert still.together == 0 and np.isfinite(still.second).all()
