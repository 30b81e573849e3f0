"""What is measured of GANs of points: how near to the data they are, and how much worst moves cost either player."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor

from rgan.attack.search import losses, random_noise
from rgan.common.geometry import lengths, separate
from rgan.models.gan import Gan
from rgan.models.losses import PerSample
from rgan.theory.laboratory.moves import QUICK, worst_of_all
from rgan.theory.laboratory.points import covered, noise, source, transport
from rgan.theory.laboratory.settings import Settings
from rgan.theory.laboratory.twins import as_images, as_points

SAMPLES = 500  # points whose distance is measured
ATTACKED = 64  # of them, whose worst moves are sought


@dataclass(frozen=True)
class Measures:
    """Of one GAN; losses in the unit of its loss.

    distance: W₁ between 500 generated and 500 real points. modes: how many are covered, of `of` in all. loss: mean of
    the generator's over noise. worst, random: what a worst move, and a random one of equal length, adds to it. critic:
    what worst moves of real and generated points within the same ε add to the critic's loss. nearer: the share of worst
    moves that land nearer to the real points than they began: what the critic finds worst is better there.
    """

    distance: float
    modes: int
    of: int
    loss: float
    worst: float
    random: float
    critic: float
    nearer: float

    def numbers(self) -> dict[str, float]:
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class Sample:
    """What every GAN of a training is measured by: the same noise z and real points, (500, 2) each."""

    z: Tensor
    real: Tensor

    @classmethod
    def of(cls, settings: Settings) -> Sample:
        """From the seed, and none that training sees."""
        stream = separate(settings.seed, "measures")
        return cls(
            noise(settings.prior, SAMPLES, stream), source(settings.data, settings.drawn).sample(SAMPLES, stream)
        )


def measures(gan: Gan, settings: Settings, sample: Sample, radius: float, price: float = 0.0) -> Measures:
    """All of it, worst moves within `radius` being the true ones, found by looking all over the disk."""
    data = source(settings.data, settings.drawn)
    points = as_points(gan.probe().images(sample.z))
    z = sample.z[:ATTACKED]
    probe, cost = gan.probe(), gan.recipe.criterion
    original = losses(probe.loss, z)
    r, value = worst_of_all(probe.loss, z, radius, price, QUICK)
    worst = value + price * r.square().sum(dim=1)
    random = losses(probe.loss, z + random_noise(z, lengths(r), settings.seed)[0])

    def gained(at: Tensor, pays: PerSample) -> float:
        def loss(x: Tensor) -> Tensor:
            return pays(probe.score(as_images(x)))

        return float((worst_of_all(loss, at, radius, price, QUICK)[1] - losses(loss, at)).mean())

    def apart(noise_: Tensor) -> Tensor:
        return torch.cdist(as_points(probe.images(noise_)), sample.real).amin(dim=1)

    return Measures(
        distance=transport(points, sample.real),
        modes=covered(points, data.modes, data.near),
        of=len(data.modes),
        loss=float(original.mean()),
        worst=float((worst - original).mean()),
        random=float((random - original).mean()),
        critic=gained(sample.real[:ATTACKED], cost.real) + gained(points[:ATTACKED], cost.fake),
        nearer=float((apart(z + r) < apart(z)).float().mean()),
    )
