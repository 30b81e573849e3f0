"""Noise put through a model: what its own critic and an independent judge say of each sample."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rgan.attack.objectives import CRITIC, objective_pair
from rgan.attack.search import CHUNK, Attack, WorstNoise, search
from rgan.common.devices import choose_device
from rgan.common.errors import SettingsError
from rgan.common.images import to_unit
from rgan.metrics.judges import BAD, Judge, Opinion
from rgan.models.gan import Gan, Probe


@dataclass(frozen=True)
class Measured:
    """Generator loss (N,), by the model's own critic, NaN without one; the judge's opinion, (N,) each; its features
    (N, F)."""

    loss: Tensor
    opinion: Opinion
    features: Tensor

    @property
    def badness(self) -> Tensor:
        """Share of held-out real images nearer to real ones than this, (N,)."""
        return self.opinion.badness

    @property
    def bad(self) -> Tensor:
        """Whether each sample's image is bad, (N,)."""
        return self.badness >= BAD

    def rows(self, index: Tensor | slice) -> Measured:
        """Some of the samples."""
        opinion = Opinion(**{name: value[index] for name, value in vars(self.opinion).items()})
        return Measured(self.loss[index], opinion, self.features[index])


def joined(trials: Sequence[Measured]) -> Measured:
    """Samples of several trials, one after the other."""
    opinions = [vars(trial.opinion) for trial in trials]
    opinion = Opinion(**{name: torch.cat([one[name] for one in opinions]) for name in opinions[0]})
    return Measured(
        torch.cat([trial.loss for trial in trials]), opinion, torch.cat([trial.features for trial in trials])
    )


def check_noise(subjects: Sequence[JudgedGan]) -> None:
    """Raise SettingsError unless all models can be given the same noise."""
    dimensions = [subject.gan.recipe.latent for subject in subjects]
    if len(set(dimensions)) > 1:
        found = " and ".join(map(str, dimensions))
        raise SettingsError(f"expected models with as many noise dimensions, got {found}; choose others")


def by_side(subjects: Sequence[JudgedGan]) -> dict[str, JudgedGan]:
    """One model as "A", or two that can be given the same noise as "A" and "B".

    Raises:
        SettingsError: no model or more than two, or they draw from different numbers of noise dimensions.
    """
    if len(subjects) not in (1, 2):
        raise SettingsError(f"expected one model or two, got {len(subjects)}; choose A, or A and B")
    check_noise(subjects)
    return dict(zip("AB", subjects, strict=False))


@dataclass(frozen=True)
class JudgedGan:
    """A Gan with the judge of its images, on a device.

    All is float32: a search that starts in bfloat16 ends elsewhere, and a number must be the same on a busy machine.
    """

    gan: Gan
    judge: Judge
    device: str = "auto"

    @functools.cached_property
    def probe(self) -> Probe:
        """The Gan ready for many evaluations."""
        return self.gan.probe(device=choose_device(self.device))

    @functools.cached_property
    def real(self) -> Tensor | None:
        """The judge's features (R, F) of the real images in the model's file, if there are any."""
        return None if self.gan.reference is None else self.judge.features(to_unit(self.gan.reference))

    def trial(self, z: Tensor) -> Measured:
        """Images of noise z (N, latent), judged by both."""
        return joined([self._look(chunk)[1] for chunk in z.split(CHUNK)])

    def look(self, z: Tensor) -> tuple[Tensor, Measured]:
        """Images (N, C, H, W) in [−1, 1] of noise z (N, latent), and what both judges say of them."""
        images, trials = zip(*(self._look(chunk) for chunk in z.split(CHUNK)), strict=True)
        return torch.cat(images), joined(trials)

    def search(self, z: Tensor, settings: Attack, seed: int, against: str = CRITIC) -> Iterator[WorstNoise]:
        """The search for this model's worst noise, which raises one of `objectives.OBJECTIVES`; see `worst_case.search`.

        Raises:
            CheckpointError: the critic's loss is to be raised and there is no critic.
        """
        if against == CRITIC:
            return search(self.probe.loss, z, settings, seed=seed)
        aim, _ = objective_pair(self.gan, against, z, judge=self.judge, device=self.device, precision="float32")
        return search(aim.objective, z, settings, seed=seed, start=aim.start(z, settings, seed))

    def _look(self, z: Tensor) -> tuple[Tensor, Measured]:
        if self.gan.has_critic:
            images, loss = self.probe.judge(z)
        else:
            images, loss = self.probe.images(z), torch.full((len(z),), torch.nan)
        features = self.judge.features(images)
        return images, Measured(loss, self.judge.opinion_of(features), features)
