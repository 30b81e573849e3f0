"""Noise put through a model: what its own critic and an independent judge say of each sample."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rgan.devices import choose_device, choose_dtype
from rgan.errors import SettingsError
from rgan.gan import Gan, Probe
from rgan.judges import Judge, Opinion
from rgan.worst_case import CHUNK, Settings, WorstNoise, search

BAD = 0.95  # an image is bad from this badness on: further from real ones than 95 % of held-out real images


@dataclass(frozen=True)
class Trial:
    """Generator loss (N,), by the model's own critic; the judge's opinion, (N,) each; its features (N, F)."""

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

    def rows(self, index: Tensor | slice) -> Trial:
        """Some of the samples."""
        opinion = Opinion(**{name: value[index] for name, value in vars(self.opinion).items()})
        return Trial(self.loss[index], opinion, self.features[index])


def joined(trials: Sequence[Trial]) -> Trial:
    """Samples of several trials, one after the other."""
    opinions = [vars(trial.opinion) for trial in trials]
    opinion = Opinion(**{name: torch.cat([one[name] for one in opinions]) for name in opinions[0]})
    return Trial(torch.cat([trial.loss for trial in trials]), opinion, torch.cat([trial.features for trial in trials]))


def check_noise(subjects: Sequence[Subject]) -> None:
    """Raise SettingsError unless all models can be given the same noise."""
    dimensions = [subject.gan.recipe.latent for subject in subjects]
    if len(set(dimensions)) > 1:
        found = " and ".join(map(str, dimensions))
        raise SettingsError(f"expected models with as many noise dimensions, got {found}; choose others")


@dataclass(frozen=True)
class Subject:
    """A Gan with the judge of its images, on a device, searched in a precision."""

    gan: Gan
    judge: Judge
    device: str = "auto"
    precision: str = "auto"

    @functools.cached_property
    def exact(self) -> Probe:
        """The Gan in float32."""
        return self.gan.probe(device=choose_device(self.device))

    @functools.cached_property
    def fast(self) -> Probe:
        """The Gan in the precision of the search's first steps."""
        where = choose_device(self.device)
        return self.gan.probe(choose_dtype(self.precision, where), where)

    def trial(self, z: Tensor) -> Trial:
        """Images of noise z (N, latent), judged by both."""
        return joined([self._trial(chunk) for chunk in z.split(CHUNK)])

    def search(self, z: Tensor, settings: Settings, seed: int) -> Iterator[WorstNoise]:
        """The search for this model's worst noise; see `worst_case.search`."""
        exact = None if self.fast.dtype is self.exact.dtype else self.exact.loss
        return search(self.fast.loss, z, settings, seed=seed, exact=exact)

    def _trial(self, z: Tensor) -> Trial:
        images, loss = self.exact.judge(z)
        features = self.judge.features(images)
        return Trial(loss, self.judge.opinion_of(features), features)
