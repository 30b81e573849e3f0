"""Noise put through a model: what its own critic and an independent judge say of each sample."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rgan.attack.objectives import CRITIC, Objective, objective_for
from rgan.attack.perturbation import Perturbation, perturb_along
from rgan.attack.search import CHUNK, Attack
from rgan.common.devices import choose_device
from rgan.common.errors import SettingsError
from rgan.common.images import to_unit
from rgan.metrics.judges import BAD, Judge, Opinion
from rgan.models.gan import Gan, Probe


@dataclass(frozen=True)
class Measures:
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

    def rows(self, index: Tensor | slice) -> Measures:
        """Some of the samples."""
        opinion = Opinion(**{name: value[index] for name, value in vars(self.opinion).items()})
        return Measures(self.loss[index], opinion, self.features[index])


def joined(measures: Sequence[Measures]) -> Measures:
    """Samples of several measures, one after the other."""
    opinions = [vars(measure.opinion) for measure in measures]
    opinion = Opinion(**{name: torch.cat([one[name] for one in opinions]) for name in opinions[0]})
    return Measures(
        torch.cat([measure.loss for measure in measures]),
        opinion,
        torch.cat([measure.features for measure in measures]),
    )


def check_noise(judged_gans: Sequence[JudgedGan]) -> None:
    """Raise SettingsError unless all models can be given the same noise."""
    dimensions = [judged.gan.recipe.latent for judged in judged_gans]
    if len(set(dimensions)) > 1:
        found = " and ".join(map(str, dimensions))
        raise SettingsError(f"expected models with as many noise dimensions, got {found}; choose others")


def by_side(judged_gans: Sequence[JudgedGan]) -> dict[str, JudgedGan]:
    """One model as "A", or two that can be given the same noise as "A" and "B".

    Raises:
        SettingsError: no model or more than two, or they draw from different numbers of noise dimensions.
    """
    if len(judged_gans) not in (1, 2):
        raise SettingsError(f"expected one model or two, got {len(judged_gans)}; choose A, or A and B")
    check_noise(judged_gans)
    return dict(zip("AB", judged_gans, strict=False))


@dataclass(frozen=True)
class JudgeFacts:
    """What is said of a judge. digest: of its file, "" if it is in none. held_out: real images that it was tried on."""

    data: str
    digest: str
    accuracy: float
    held_out: int
    caveat: str


@dataclass(frozen=True)
class ModelFacts:
    """What is said of a model, its judge and where they ran. digest: of the model's file, "" if it is in none."""

    title: str
    words: str
    digest: str
    data: str
    latent: int
    has_critic: bool
    judge: JudgeFacts
    device: str


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

    @property
    def facts(self) -> ModelFacts:
        """All that results hold of this Gan and its judge."""
        gan, judge = self.gan, self.judge
        return ModelFacts(
            gan.recipe.title, gan.facts, gan.digest, gan.data, gan.recipe.latent, gan.has_critic,
            JudgeFacts(judge.data, judge.digest, judge.accuracy, judge.held_out, judge.caveat),
            str(choose_device(self.device)),
        )  # fmt: skip

    def images(self, z: Tensor) -> Tensor:
        """Images (N, C, H, W) in [−1, 1] of noise z (N, latent)."""
        return self.probe.images(z)

    def measure(self, z: Tensor) -> Measures:
        """Images of noise z (N, latent), judged by both."""
        return joined([self._look(chunk)[1] for chunk in z.split(CHUNK)])

    def look(self, z: Tensor) -> tuple[Tensor, Measures]:
        """Images (N, C, H, W) in [−1, 1] of noise z (N, latent), and what both judges say of them."""
        images, measures = zip(*(self._look(chunk) for chunk in z.split(CHUNK)), strict=True)
        return torch.cat(images), joined(measures)

    def objective(self, name: str, z: Tensor, *, precision: str = "float32") -> Objective:
        """One of `objectives.OBJECTIVES`, by this Gan or its judge, for a search from z (N, latent).

        precision: coarser only for an attack that checks another one.

        Raises:
            CheckpointError: the critic's loss is to be raised and there is no critic.
        """
        return objective_for(self.gan, name, z, judge=self.judge, device=self.device, precision=precision)

    def perturb(
        self,
        z: Tensor,
        attack: Attack,
        objective: str = CRITIC,
        *,
        seed: int,
        control_seed: int | None = None,
        best_random: bool = False,
        report: Callable[[float], None] | None = None,
    ) -> tuple[Perturbation, ...]:
        """`attack.perturb` at each of the attack's radii, by this Gan or its judge."""
        return perturb_along(
            self.gan, z, attack, objective, judge=self.judge, seed=seed, control_seed=control_seed,
            best_random=best_random, device=self.device, report=report,
        )  # fmt: skip

    def _look(self, z: Tensor) -> tuple[Tensor, Measures]:
        if self.gan.has_critic:
            images, loss = self.probe.images_and_loss(z)
        else:
            images, loss = self.probe.images(z), torch.full((len(z),), torch.nan)
        features = self.judge.features(images)
        return images, Measures(loss, self.judge.opinion_of(features), features)
