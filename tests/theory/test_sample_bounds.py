"""Lemmas 0.4 and 0.5: arithmetic, McDiarmid's bound against draws, and a model's own slopes against brute force."""

import dataclasses
import math

import pytest
import torch

from rgan.common.errors import SettingsError
from rgan.common.images import to_unit
from rgan.theory.sample_bounds import (
    LOOKED_AT,
    SIZES,
    measure,
    samples_for_critic,
    samples_for_generator,
    tail,
)
from tests import tiny_models


@pytest.fixture(scope="module")
def gan(models):
    return tiny_models.load("digits-dcgan")[0]


def test_the_arithmetic_is_that_of_the_lemmas():
    """Δ 110, k 1, ε 0.1, N 2.8 million: 5.8·10¹³ samples, as worked by hand."""
    asked = samples_for_critic(1, 1, 110, 2_800_000, 0.1, 0.05)
    assert (
        asked == pytest.approx(110**2 / 0.01 * (2_800_000 * math.log(2.8e7) + math.log(20))) and 5.7e13 < asked < 5.9e13
    )
    assert samples_for_critic(2, 1, 110, 2_800_000, 0.1, 0.05) == pytest.approx(4 * asked)
    other = samples_for_generator(1, 3, 2, 5, 10, 1000, 0.1, 0.05)
    assert other == pytest.approx(30**2 / 0.01 * (1000 * math.log(10 * 1000 / 0.1) + math.log(20)))
    for wrong in ({"error": 0.0}, {"failure": 0.0}, {"failure": 1.5}, {"diameter": math.inf}, {"slope": -0.0}):
        usual = {"slope": 1, "weight_slope": 1, "diameter": 1, "weights": 10, "error": 0.1, "failure": 0.1}
        with pytest.raises(SettingsError):
            samples_for_critic(**(usual | wrong))


@pytest.mark.parametrize("samples", [4, 16, 64])
def test_mcdiarmids_bound_holds_for_a_critic_whose_v_is_known(samples):
    """log D(x) = x on [0, 1], real and generated uniform: k = Δ = 1, and V_m − V is a mean of known spread."""
    rng = torch.Generator().manual_seed(samples)
    draws = torch.rand(4000, samples, generator=rng).mean(1) - torch.rand(4000, samples, generator=rng).mean(1)
    for gap in (0.1, 0.3, 0.6):
        assert (draws.abs() >= gap).double().mean() <= tail(samples, gap, 1, 1)
    assert tail(samples, 0.0, 1, 1) == 1 and tail(10**6, 0.3, 1, 1) < 1e-9


def test_a_models_numbers_are_what_brute_force_finds(gan):
    found = measure(gan, repeats=50)
    real, z = to_unit(gan.reference), gan.noise(len(gan.reference), 0)
    on_real, on_fake = gan.score(real).double().sigmoid(), gan.score(gan.images(z)).double().sigmoid()
    assert found.value == pytest.approx(float(on_real.log().mean() + (1 - on_fake).log().mean()), abs=1e-4)
    assert found.critic_weights == sum(p.numel() for p in gan.critic.parameters())
    assert set(found.gaps) == {size for size in SIZES if size <= found.images} and found.images == len(real)
    # a difference quotient along the gradient attains the slope, and none between neighbours exceeds it by much
    some = torch.cat([real[:LOOKED_AT], gan.images(z)[:LOOKED_AT]])
    steps = torch.randn(some.shape, generator=torch.Generator().manual_seed(1))
    steps = 1e-2 * steps / steps.flatten(1).norm(dim=1)[:, None, None, None]
    rise = (gan.score(some + steps).sigmoid().log() - gan.score(some).sigmoid().log()).abs() / 1e-2
    assert 0 < rise.max() < found.slope
    one = z[:1].clone()
    jacobian = torch.autograd.functional.jacobian(lambda noise: gan.probe().draw(noise).flatten(), one)[:, 0]
    assert 0.9 * torch.linalg.matrix_norm(jacobian, 2) < found.noise_slope
    assert found.noise_slope < 100 * torch.linalg.matrix_norm(jacobian, 2)


def test_the_gap_falls_as_one_over_the_root_of_m(gan):
    gaps = measure(gan, repeats=400).gaps
    means = {size: sum(each) / len(each) for size, each in gaps.items()}
    assert means[8] / means[128] == pytest.approx(4, rel=0.25)


def test_without_critic_or_real_images_it_says_so(gan):
    with pytest.raises(SettingsError, match="real images"):
        measure(dataclasses.replace(gan, reference=None))


def test_other_losses_have_a_value_too(gan):
    other = dataclasses.replace(gan, recipe=dataclasses.replace(gan.recipe, loss="hinge"), _probes={})
    assert math.isfinite(measure(other, repeats=2).value)
