"""Lemmas 0.4 and 0.5: how many samples their bounds ask for, and how far V_m is from V for a critic that is there.

The constants C and C_g are "sufficiently large" and never given: what is computed is for 1, so the lemmas ask for more.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from rgan.common.errors import SettingsError, number_between
from rgan.common.images import to_unit
from rgan.models.gan import Gan

SIZES = (8, 16, 32, 64, 128, 256, 512)
LOOKED_AT = 64  # images and noise vectors whose slopes are measured
_POWERS = 8  # iterations for the largest slope of a generator at a point
_LOGARITHMIC = ("non-saturating", "saturating")


def samples_for_critic(
    slope: float, weight_slope: float, diameter: float, weights: int, error: float, failure: float
) -> float:
    """m of Lemma 0.4, (15) with C = 1: Δ_B²k_x²/ε² · (N log(k_θN/ε) + log 1/η).

    Args:
        slope: k_x, largest |log D(x) − log D(x′)| / ‖x − x′‖. weight_slope: k_θ, the same for the critic's weights.
        diameter: Δ_B, largest ‖x − x′‖. weights: N, of the critic. error: ε, largest |V_m − V|. failure: η, the
            probability that it is larger.

    Raises:
        SettingsError: one is not above 0, or η not below 1.
    """
    return _samples((slope * diameter) ** 2, weight_slope, weights, error, failure)


def samples_for_generator(
    slope: float, noise_slope: float, weight_slope: float, generator_weight_slope: float, diameter: float,
    weights: int, error: float, failure: float,
) -> float:  # fmt: skip
    """m of Lemma 0.5, (17) with C_g = 1: Δ_z²k_x²k_z²/ε² · (N_g log(k_θk_φN_g/ε) + log 1/η).

    Args:
        noise_slope: k_z, largest ‖G(z) − G(z′)‖ / ‖z − z′‖. generator_weight_slope: k_φ. diameter: Δ_z, largest
            ‖z − z′‖, infinite under a normal prior. weights: N_g, of the generator. The others as in Lemma 0.4.

    Raises:
        SettingsError: as `samples_for_critic`.
    """
    square = (slope * noise_slope * diameter) ** 2
    return _samples(square, weight_slope * generator_weight_slope, weights, error, failure)


def _samples(square: float, weight_slope: float, weights: int, error: float, failure: float) -> float:
    for name, value in (
        ("the slopes and Δ", square),
        ("k_θ", weight_slope),
        ("N", weights),
        ("ε", error),
        ("η", failure),
    ):
        if not (value > 0 and math.isfinite(value)):
            raise SettingsError(f"expected {name} above 0, got {value:g}; choose a larger one")
    number_between("η", failure, 0, 1)
    return square / error**2 * (weights * math.log(weight_slope * weights / error) + math.log(1 / failure))


def tail(samples: int, gap: float, slope: float, diameter: float) -> float:
    """McDiarmid's bound (25) on P(|V_m − V| ≥ gap) for one critic that was chosen before the samples were drawn:
    2 exp(−gap²m / (2 k_x²Δ_B²)), since one sample moves V_m by 2k_xΔ_B/m at most; 1 where it says nothing."""
    return min(1.0, 2 * math.exp(-(gap**2) * samples / (2 * (slope * diameter) ** 2)))


@dataclass(frozen=True)
class Measured:
    """A model's own numbers for the bounds, all from below: of the images and noise that were looked at.

    critic_weights, generator_weights: N and N_g. slope: k_x. noise_slope: k_z. diameter, noise_diameter: Δ_B, Δ_z.
    value: V over all `images` real images of the file and as many generated ones. gaps: |V_m − V| by m, of `repeats`
    draws with replacement from these, whose V is therefore exact.
    """

    critic_weights: int
    generator_weights: int
    slope: float
    noise_slope: float
    diameter: float
    noise_diameter: float
    value: float
    images: int
    repeats: int
    gaps: dict[int, tuple[float, ...]]


def measure(
    gan: Gan, repeats: int = 200, seed: int = 0, *, report: Callable[[float], None] = lambda share: None
) -> Measured:
    """A model's numbers: of a critic with a log loss V is E log D(x) + E log(1 − D(G(z))), else what it maximises.

    Args:
        report: told now and then which share is done.

    Raises:
        CheckpointError: it has no critic.
        SettingsError: its file holds no real images.
    """
    if gan.reference is None:
        raise SettingsError("expected real images in the model's file, got none; choose a model trained here")
    real = to_unit(gan.reference)
    z = gan.noise(len(real), seed)
    fake = gan.images(z)
    on_real, on_fake = _utility(gan, gan.score(real), True), _utility(gan, gan.score(fake, noise=z), False)
    report(1 / (_POWERS + 2))
    exact = float(on_real.mean() + on_fake.mean())
    rng = torch.Generator().manual_seed(seed)
    gaps = {
        size: tuple(
            (on_real[_some(len(real), repeats, size, rng)] + on_fake[_some(len(real), repeats, size, rng)])
            .mean(1).sub(exact).abs().tolist()
        )
        for size in SIZES if size <= len(real)
    }  # fmt: skip
    some, noise = torch.cat([real[:LOOKED_AT], fake[:LOOKED_AT]]), z[:LOOKED_AT]
    return Measured(
        critic_weights=sum(weight.numel() for weight in gan.critic.parameters()),
        generator_weights=sum(weight.numel() for weight in gan.sampler.parameters()),
        slope=float(_slopes(gan, some).max()),
        noise_slope=_steepest(gan, noise, seed, report),
        diameter=float(torch.cdist(some.flatten(1), some.flatten(1)).max()),
        noise_diameter=float(torch.cdist(z, z).max()),
        value=exact,
        images=len(real),
        repeats=repeats,
        gaps=gaps,
    )


def _some(count: int, repeats: int, size: int, rng: torch.Generator) -> Tensor:
    return torch.randint(count, (repeats, size), generator=rng)


def _utility(gan: Gan, score: Tensor, real: bool) -> Tensor:
    """What the critic maximises, by image: log D, log(1 − D)."""
    if gan.recipe.loss in _LOGARITHMIC:
        return logsigmoid(score if real else -score).double()
    criterion = gan.criterion
    paid: Tensor = (criterion.real if real else criterion.fake)(score)
    return -paid.double()


def _slopes(gan: Gan, images: Tensor) -> Tensor:
    """(n,) ‖∇ log D‖ at these images: no Lipschitz constant is smaller."""
    x = images.clone().requires_grad_()
    gradient: Tensor = torch.autograd.grad(_utility(gan, gan.probe().score(x), True).sum(), x)[0]
    slopes: Tensor = gradient.flatten(1).norm(dim=1)
    return slopes


def _steepest(gan: Gan, z: Tensor, seed: int, report: Callable[[float], None]) -> float:
    """The largest ‖J v‖ / ‖v‖ of the generator's Jacobian at these noise vectors, by power iteration on JᵀJ."""
    draw = gan.probe().draw
    direction = torch.randn(z.shape, generator=torch.Generator().manual_seed(seed))
    for power in range(_POWERS):
        report((power + 2) / (_POWERS + 2))
        direction = direction / direction.norm(dim=1, keepdim=True)
        _, moved = torch.autograd.functional.jvp(draw, z, direction)
        _, direction = torch.autograd.functional.vjp(draw, z, moved)
    return float(direction.norm(dim=1).max().sqrt())  # of a unit vector: ‖JᵀJv‖
