"""Noise put through a model: what its own critic and an independent judge say of each sample."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from rgan.attack.objectives import CRITIC, Objective, objective_for
from rgan.attack.perturbation import Perturbation, perturb_along
from rgan.attack.search import CHUNK, Attack
from rgan.common.devices import choose_device
from rgan.common.errors import SettingsError
from rgan.common.images import to_unit
from rgan.metrics.judges import BAD, Judge, Opinion, attackable
from rgan.models.gan import EACH, Gan, Probe


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
        return Measures(self.loss[index], self.opinion.rows(index), self.features[index])


def joined(measures: Sequence[Measures]) -> Measures:
    """Samples of several measures, one after the other."""
    return Measures(
        torch.cat([measure.loss for measure in measures]),
        Opinion.joined([measure.opinion for measure in measures]),
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
    """What is said of a judge. digest: of its file, "" if it is in none. held_out: real images that it was tried on.
    words: `Judge.words`."""

    data: str
    digest: str
    accuracy: float
    held_out: int
    words: str

    @classmethod
    def of(cls, judge: Judge) -> JudgeFacts:
        """Of a judge."""
        return cls(judge.data, judge.digest, judge.accuracy, judge.held_out, judge.words)


@dataclass(frozen=True)
class ModelFacts:
    """What is said of a model, its judges and where they ran.

    digest: of the model's file, "" if it is in none. judge: measures. attacked: is raised where a judge's distance is;
    the same one if there is no other. caveat: of `JudgedGan`.
    """

    title: str
    words: str
    digest: str
    data: str
    latent: int
    has_critic: bool
    judge: JudgeFacts
    attacked: JudgeFacts
    caveat: str
    device: str


@dataclass(frozen=True)
class JudgedGan:
    """A Gan with the judge that measures its images, on a device; a search that raises a judge takes `raised`.

    All is float32: a search that starts in bfloat16 ends elsewhere, and a number must be the same on a busy machine.
    """

    gan: Gan
    judge: Judge
    device: str = "auto"

    @functools.cached_property
    def probe(self) -> Probe:
        """The Gan ready for many evaluations.

        Raises:
            ValueError: it draws all classes in turn, and nobody has said of which samples the noise is.
        """
        if self.gan.label == EACH and self.gan.rows is None:
            raise ValueError("expected the numbers of the samples whose classes are drawn, got none; call of_samples")
        return self.gan.probe(device=choose_device(self.device))

    @functools.cached_property
    def real(self) -> Tensor | None:
        """The judge's features (R, F) of the real images in the model's file, if there are any."""
        return None if self.gan.reference is None else self.judge.features(to_unit(self.gan.reference))

    @functools.cached_property
    def raised(self) -> Judge:
        """The judge that a search for the largest distance raises."""
        return attackable(self.judge)

    @property
    def digests(self) -> tuple[str, str, str]:
        """Of the Gan's file and of its judges': what measures, and what may be raised."""
        return self.gan.digest, self.judge.digest, self.raised.digest

    @property
    def caveat(self) -> str:
        """A sentence on what flatters this Gan in the judge's eyes; empty where nothing does."""
        if not self.judge.facts.knows(self.gan.trained_on) or (self.judge.facts.apart and not self.gan.saw_all):
            return ""
        return (
            f"It was trained on real {self.judge.data} images that the judge holds out, so badness and FID flatter it "
            "where it repeats them."
        )

    @property
    def facts(self) -> ModelFacts:
        """All that results hold of this Gan and its judges."""
        gan = self.gan
        return ModelFacts(
            gan.recipe.title, gan.facts, gan.digest, gan.data, gan.recipe.latent, gan.has_critic,
            JudgeFacts.of(self.judge), JudgeFacts.of(self.raised), self.caveat,
            str(choose_device(self.device)),
        )  # fmt: skip

    def of_samples(self, numbers: Tensor | Sequence[int] | np.ndarray) -> Self:
        """This model for noise of the samples of these numbers (N,), which say their class where it draws all in turn;
        it takes that noise once, or several times over.
        """
        gan = self.gan.of_samples(numbers)
        if gan is self.gan:
            return self
        bound = dataclasses.replace(self, gan=gan)
        known = {name: value for name, value in vars(self).items() if name in ("real", "raised")}
        vars(bound).update(known)  # what is known already, for it does not depend on the samples
        return bound

    def images(self, z: Tensor) -> Tensor:
        """Images (N, C, H, W) in [−1, 1] of noise z (N, latent)."""
        return self.probe.images(z)

    def measure(self, z: Tensor) -> Measures:
        """Images of noise z (N, latent), judged by critic and judge."""
        return joined([self._look(*piece)[1] for piece in self._pieces(z)])

    def look(self, z: Tensor) -> tuple[Tensor, Measures]:
        """Images (N, C, H, W) in [−1, 1] of noise z (N, latent), and what critic and judge say of them."""
        images, measures = zip(*(self._look(*piece) for piece in self._pieces(z)), strict=True)
        return torch.cat(images), joined(measures)

    def _pieces(self, z: Tensor) -> Iterator[tuple[Tensor, Tensor | int]]:
        """Rows of noise that are looked at in one call each, with their classes."""
        return self.probe.pieces(z, CHUNK)

    def objective(self, name: str, z: Tensor, *, precision: str = "float32") -> Objective:
        """One of `objectives.OBJECTIVES`, by this Gan or the judge to raise, for a search from z (N, latent).

        precision: coarser only for an attack that checks another one.

        Raises:
            CheckpointError: the critic's loss is to be raised and there is no critic.
        """
        return objective_for(self.gan, name, z, judge=self.raised, device=self.device, precision=precision)

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
        """`attack.perturb` at each of the attack's radii, by this Gan or the judge to raise."""
        return perturb_along(
            self.gan, z, attack, objective, judge=self.raised, seed=seed, control_seed=control_seed,
            best_random=best_random, device=self.device, report=report,
        )  # fmt: skip

    def _look(self, z: Tensor, labels: Tensor | int) -> tuple[Tensor, Measures]:
        if self.gan.has_critic:
            images, loss = self.probe.images_and_loss(z, labels)
        else:
            images, loss = self.probe.images(z, labels), torch.full((len(z),), torch.nan)
        features = self.judge.features(images)
        return images, Measures(loss, self.judge.opinion_of(features), features)
