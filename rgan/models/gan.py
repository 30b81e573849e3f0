"""A Gan: a generator, a critic and the recipe that trained them."""

from __future__ import annotations

import copy
import dataclasses
import functools
import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rgan.common.errors import CheckpointError, SettingsError, number_between
from rgan.common.formatting import counted
from rgan.common.geometry import separate
from rgan.data.datasets import BEFORE, digest
from rgan.data.identity import DataIdentity
from rgan.models.losses import Loss
from rgan.models.recipes import Recipe
from rgan.models.systems import SYSTEMS
from rgan.networks.companions import NONE, Companion
from rgan.networks.fusion import fold
from rgan.networks.labels import labelled
from rgan.networks.layers import Critic

MAX_SEED = 2**63 - 1
BATCH = 256  # images a call where their number is large
SIDE = 64  # pixels up to which so many are not too large
Labels = Tensor | int | None
EACH = -1  # as a Gan's class: all in turn, sample i being of class i mod their number


def class_digest(digest: str, label: int) -> str:
    """What tells one class of a conditional model from the others, and from the model of this digest."""
    told = "each" if label == EACH else label
    return hashlib.sha256(f"{digest} class {told}".encode()).hexdigest()


def prior_noise(latent: int, count: int, seed: int) -> Tensor:
    """z ~ N(0, I), float32 (count, latent) on the CPU; see `Gan.noise`."""
    number_between("samples", count, 1, 1_000_000)
    number_between("seed", seed, 0, MAX_SEED)
    generator = torch.Generator().manual_seed(seed)
    return torch.stack([torch.randn(latent, generator=generator) for _ in range(count)])


@dataclass(frozen=True)
class Training:
    """What is known of how the weights came about.

    history: a row of numbers a recorded iteration; some have scores of the images then, all by the same `protocol`
    (words of `metrics.Protocol`). fingerprint: of the images, `ImageData.fingerprint`; "" in older files. own: whether
    they come from a folder or zip of one's own.
    """

    data: str
    iterations: int
    seed: int
    seconds: float
    device: str
    precision: str
    history: tuple[dict[str, float], ...] = ()
    protocol: str = ""
    fingerprint: str = ""
    own: bool = False


@dataclass(frozen=True)
class Origin:
    """Where the weights of an imported Gan come from.

    files: names and SHA-256 of the files it was read from. answers: to what weights do not tell, guessed or given.
    data: what its user says it was trained on, "" if nobody said. critic: how a critic that came later was trained,
    which never trained the generator; "" for one that did, or none.
    """

    files: tuple[tuple[str, str], ...]
    answers: dict[str, str]
    data: str = ""
    critic: str = ""


@dataclass(frozen=True)
class Gan:
    """Frozen networks in evaluation mode.

    A critic without layers stands for none: such a Gan, imported from a file of a generator alone, draws images
    whose noise can be searched for what needs no critic.
    `average` is the moving average of the generator's weights; when present it draws the images. `reference` holds
    real images, uint8 (N, C, H, W), so that one file is enough for every screen. `digest` is the SHA-256 of the file
    it was read from, empty for a Gan that was never saved; of another class than its file's, the SHA-256 of both.
    `label` is the class that a conditional Gan draws and judges where no labels are given, or EACH; `of_class` changes
    it. `rows`: the classes of the rows of noise it is given, (N,) int64, which a batch holds once or several times;
    `of_labels` and `of_samples` set them.
    mapping: of a wrapped style-based generator, z to the noise w. companion: what was trained beside the two networks,
    such as an encoder.
    """

    recipe: Recipe
    generator: nn.Module
    critic: Critic
    average: nn.Module | None = None
    training: Training | None = None
    reference: Tensor | None = None
    digest: str = ""
    origin: Origin | None = None
    label: int = 0
    mapping: nn.Module | None = None
    companion: Companion = field(default_factory=Companion)
    rows: Tensor | None = field(default=None, compare=False)
    _whole: Gan | None = field(default=None, repr=False, compare=False)  # of which this is a view with other classes
    _classes: dict[int, Gan] = field(default_factory=dict, repr=False, compare=False)
    _probes: dict[Any, Probe] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.label:
            number_between("class", self.label, EACH if self.classes else 0, self.classes - 1)
        if not isinstance(self.companion, self.recipe.companion_type):
            raise SettingsError(
                f"expected {self.recipe.title} with its {self.recipe.companion_type.__name__}, got a generator and a "
                "critic alone; take it from `fresh_companion`, `checkpoints.load` or a training"
            )
        for network in (self.generator, self.critic, self.average, self.companion):
            if network is not None:
                network.eval().requires_grad_(False)

    @property
    def sampler(self) -> nn.Module:
        """The generator that draws images: the average if there is one."""
        return self.average if self.average is not None else self.generator

    @property
    def data(self) -> str:
        """Name of the data set it was trained on, "" if that is not known."""
        return self.training.data if self.training else self.origin.data if self.origin else ""

    @functools.cached_property
    def trained_on(self) -> DataIdentity:
        """The images that it was trained on, as far as its file tells."""
        real = "" if self.reference is None else digest(self.reference)
        if self.training is None:
            return DataIdentity(self.data, real=real)
        return DataIdentity(self.data, self.training.fingerprint, self.training.own, real)

    @property
    def saw_all(self) -> bool:
        """Whether it was trained on its data set as it was before some images were held out."""
        return self.trained_on.told in BEFORE.values()

    @property
    def has_critic(self) -> bool:
        return any(True for _ in self.critic.children())

    @property
    def classes(self) -> int:
        """How many classes it draws; 0 for a Gan without labels."""
        return self.recipe.layers.classes if self.recipe.layers else 0

    def of_class(self, label: int) -> Gan:
        """This conditional Gan, drawing and judging one class, 0 to `classes` − 1, or with EACH all in turn, row i of
        noise being of class i mod `classes`: an attack moves its noise alone.

        It is kept, so the second call is free.

        Raises:
            SettingsError: there is no such class.
        """
        whole = self._conditional()
        if label == whole.label:
            return whole
        if label not in whole._classes:
            digest = class_digest(whole.digest, label) if whole.digest else ""
            one = dataclasses.replace(whole, label=label, digest=digest, _whole=whole, _classes={}, _probes={})
            whole._classes.setdefault(label, one)
        return whole._classes[label]

    def of_labels(self, labels: Tensor | int, count: int) -> Gan:
        """This conditional Gan, drawing and judging `count` rows of noise of these classes, (count,) int64, or of one.

        Raises:
            SettingsError: there is no such class, or there are no classes, or another number of labels.
        """
        whole = self._conditional()
        if isinstance(labels, int):
            return self.of_class(labels)
        rows = self._labels(labels, count)
        assert isinstance(rows, Tensor)
        each = self if self.label == EACH else self.of_class(EACH)
        return dataclasses.replace(each, rows=rows, _whole=whole, _classes={}, _probes={})

    def of_samples(self, numbers: Tensor | Sequence[int] | np.ndarray) -> Gan:
        """Itself; or, drawing all classes in turn, itself for the samples of these numbers, (N,)."""
        if self.label != EACH:
            return self
        labels = torch.as_tensor(np.asarray(numbers), dtype=torch.int64) % self.classes
        return self.of_labels(labels, len(labels))

    def _conditional(self) -> Gan:
        if not self.classes:
            raise SettingsError("expected a conditional model, whose class can be chosen, got one without labels")
        return self._whole or self

    def first_images(self, count: int, seed: int = 0) -> Tensor:
        """Images of its first noise of a seed; of a conditional Gan all classes in turn."""
        labels = torch.arange(count) % self.classes if self.classes else None
        return self.images(self.noise(count, seed), labels)

    @property
    def prior_radius(self) -> float:
        """√latent, the length near which N(0, I) concentrates."""
        return math.sqrt(self.recipe.latent)

    @property
    def robust_words(self) -> str:
        """The robust part in a few words."""
        if self.origin is not None:
            return "trained elsewhere"
        robust = self.recipe.robust
        if robust is None:
            return "no robust part"
        return f"ε₁ {robust.noise_radius:g}, ε₂ {robust.image_radius:g}, λ {robust.weight:g}"

    @property
    def facts(self) -> str:
        """How it came about, in one line."""
        size = f"{self.recipe.size}×{self.recipe.size} px"
        words = f"{self.robust_words} · {f'{self.data}, ' if self.data else ''}{size}"
        if self.training is not None:
            words += f" · {counted(self.training.iterations, 'iteration')}, seed {self.training.seed}"
        return words if self.has_critic else f"{words} · no critic"

    @property
    def criterion(self) -> Loss:
        """What generator and critic paid when its training ended, as functions of the critic's raw output."""
        return self.recipe.criterion.sharing(self.companion.fake_share())

    def noise(self, count: int, seed: int) -> Tensor:
        """z ~ N(0, I), float32 (count, latent) on the CPU: the same on every device. Row i does not depend on count.

        Raises:
            SettingsError: count is not within 1 to 1,000,000, or seed is not within 0 to 2⁶³ − 1.
        """
        if self.mapping is None:
            return prior_noise(self.recipe.latent, count, seed)
        first = next(p for p in self.mapping.parameters() if p.dim() == 2)
        with torch.no_grad():
            drawn: Tensor = self.mapping(prior_noise(first.shape[1], count, seed))
        return drawn

    def images(self, z: Tensor, labels: Labels = None) -> Tensor:
        """Images (n, C, H, W) in [−1, 1], float32 on the CPU, of noise z (n, latent), as the sampler draws them.

        labels: of a conditional Gan, one class for all or (n,) int64; its own `label` or `rows` by default.

        Raises:
            SettingsError: labels for a Gan without classes, for another number of images or beyond its classes.
        """
        return self.probe().images(z, self._labels(labels, len(z)))

    def score(self, images: Tensor, labels: Labels = None, noise: Tensor | None = None) -> Tensor:
        """The critic's output (n,) before any sigmoid for images (n, C, H, W) in [−1, 1]: larger is more real.

        labels: as of `images`. noise: (n, latent) that drew the images, for a critic of pairs; without, they are real.

        Raises:
            CheckpointError: there is no critic.
            SettingsError: as `images`.
        """
        labels = self._labels(labels, len(images))
        with torch.no_grad():
            rows = rows_a_call(self.recipe, BATCH)
            noises = [None] * len(images) if noise is None else noise.split(rows)
            return torch.cat(
                [
                    self.probe().score(chunk, own, at).cpu()
                    for (chunk, own), at in zip(_chunks(images, labels, rows), noises, strict=False)
                ]
            )

    def encode(self, images: Tensor) -> Tensor:
        """The noise (N, latent) that its encoder reads from images (N, C, H, W) in [−1, 1], float32 on the CPU.

        Raises:
            SettingsError: it has no encoder.
        """
        found = []
        with torch.no_grad():
            for chunk in images.cpu().split(rows_a_call(self.recipe, BATCH)):
                noise = self.companion.encode(chunk)
                if noise is None:
                    raise SettingsError(
                        f"expected a model that reads the noise of an image, as ALI and EGAN-Ent-VI do, got "
                        f"{self.recipe.title}; choose one of these"
                    )
                found.append(noise)
        return torch.cat(found)

    def features(self, images: Tensor) -> Tensor:
        """What enters the critic's last layer, (N, F) float32 on the CPU, for images (N, C, H, W) in [−1, 1].

        Raises:
            CheckpointError: there is no critic.
        """
        check_critic(self.critic)
        found, labels = [], self.probe().labels(torch.arange(len(images)))  # of the first rows, if there are fewer
        with torch.no_grad():
            for chunk, own in _chunks(images.cpu(), labels, rows_a_call(self.recipe, BATCH)):
                with labelled(own):
                    features, _ = self.critic.features_and_score(chunk, *self.companion.beside_real(chunk))
                found.append(features.flatten(1))
        return torch.cat(found)

    def _labels(self, labels: Labels, count: int) -> Tensor | int:
        if labels is None:
            return self.probe().of_batch(count)
        if not self.classes:
            raise SettingsError("expected no labels for a model without classes, got some")
        if isinstance(labels, int):
            number_between("label", labels, 0, self.classes - 1)
            return labels
        if labels.shape != (count,) or labels.is_floating_point():
            raise SettingsError(
                f"expected {count} whole numbers as labels, got {tuple(labels.shape)} of {labels.dtype}"
            )
        for most in (labels.min(), labels.max()):
            number_between("label", int(most), 0, self.classes - 1)
        return labels

    def _companion(self, dtype: torch.dtype, device: torch.device | str) -> Companion:
        precise = torch.promote_types(dtype, torch.float32)
        return copy.deepcopy(self.companion).to(device, precise)

    def probe(self, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu") -> Probe:
        """This Gan made ready for many evaluations in `dtype`; kept, so the second call is free."""
        key = (dtype, str(device))
        if key not in self._probes:
            if self._whole is not None:  # the same networks
                made = dataclasses.replace(self._whole.probe(dtype, device), label=self.label, rows=self.rows)
            else:
                folded = fold(self.sampler, dtype, device), fold(self.critic, dtype, device)
                made = Probe(*folded, self.recipe, dtype, self.label, self._companion(dtype, device))
            self._probes.setdefault(key, made)  # threads that raced share the first
        return self._probes[key]


@dataclass(frozen=True)
class Probe:
    """A Gan rearranged by `folding` for speed, for images and losses without gradients to weights."""

    generator: nn.Module
    critic: nn.Module
    recipe: Recipe
    dtype: torch.dtype
    label: int = 0
    companion: Companion = NONE
    rows: Tensor | None = None

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self.generator.parameters()).device

    def images(self, z: Tensor, labels: Labels = None) -> Tensor:
        """Noise (N, latent) on any device → images (N, C, H, W) in [−1, 1], float32 on the CPU.

        labels: of a conditional Gan, one class for all or (N,); its own `label` or `rows` by default.
        """
        pieces = self.pieces(z, BATCH, labels)
        with torch.no_grad():
            return torch.cat([self.draw(chunk, own).float().cpu().contiguous() for chunk, own in pieces])

    def pieces(self, z: Tensor, most: int, labels: Labels = None) -> Iterator[tuple[Tensor, Tensor | int]]:
        """Rows of noise in pieces of at most `most`, of fewer where images are large, each with its labels."""
        return _chunks(z, self.of_batch(len(z)) if labels is None else labels, rows_a_call(self.recipe, most))

    def draw(self, z: Tensor, labels: Labels = None) -> Tensor:
        """As `images`, but differentiable in z, on the probe's device and in its dtype."""
        with labelled(self.of_batch(len(z)) if labels is None else labels):
            images: Tensor = self.generator(self._enter(z))
        return images

    def labels(self, samples: Tensor) -> Tensor | int:
        """The class of all rows of noise, or of each of these, by their numbers (B,) among the rows it is made for."""
        if self.label != EACH:
            return self.label
        if self.rows is not None:
            return self.rows[samples]
        assert self.recipe.layers is not None
        return samples % self.recipe.layers.classes

    def of_batch(self, count: int) -> Tensor | int:
        """The class of a batch's rows, which are all rows that it is made for, once or several times over.

        Raises:
            ValueError: they are some of them.
        """
        own = count if self.rows is None else len(self.rows)
        if self.rows is not None and count % own:
            raise ValueError(f"expected the rows of {own} samples, once or several times over, got {count} rows")
        return self.labels(torch.arange(count) % max(1, own))

    def loss(self, z: Tensor, labels: Labels = None) -> Tensor:
        """Generator loss of each sample, (N,), differentiable in z, in float32 at least from the critic's score on.

        labels: as of `draw`.
        """
        return self.cost(self.draw(z, labels), z, labels).to(z.device)

    def images_and_loss(self, z: Tensor, labels: Labels = None) -> tuple[Tensor, Tensor]:
        """`images` and `loss` of the same noise from one pass, without gradients."""
        return self.rated(z, lambda images: self.cost(images, z, labels), labels)

    def rated(self, z: Tensor, rate: Callable[[Tensor], Tensor], labels: Labels = None) -> tuple[Tensor, Tensor]:
        """`images`, and (N,) that `rate` says of what `draw` gives for them, from one pass, without gradients."""
        with torch.no_grad():
            images = self.draw(z, labels)
            rating = rate(images)
        return images.float().cpu().contiguous(), rating.to(z.device)

    def score(self, images: Tensor, labels: Labels = None, noise: Tensor | None = None) -> Tensor:
        """The critic's score of images (N, C, H, W) in [−1, 1], (N,), differentiable, in float32 at least.

        labels: as of `draw`. noise: (N, latent) that drew them, for a critic of pairs; without, they count as real.

        Raises:
            CheckpointError: there is no critic.
        """
        check_critic(self.critic)
        with labelled(self.of_batch(len(images)) if labels is None else labels):
            score: Tensor = self.critic(self._enter(images), *self._beside(images, noise))
        return score.to(images.device, torch.promote_types(score.dtype, torch.float32))

    def cost(self, images: Tensor, noise: Tensor | None = None, labels: Labels = None) -> Tensor:
        """Generator loss of images as `score` takes them, (N,); noise, labels: as of `score`."""
        return self.recipe.criterion.generator(self.score(images, labels, noise))

    def _beside(self, images: Tensor, noise: Tensor | None) -> tuple[Tensor, ...]:
        if noise is None:
            precise = torch.promote_types(self.dtype, torch.float32)
            return self.companion.beside_real(self._enter(images).to(precise))
        return self.companion.beside_fake(self._enter(images), self._enter(noise))

    def _enter(self, x: Tensor) -> Tensor:
        return x.to(self.device)


def rows_a_call(recipe: Recipe, most: int) -> int:
    """How many images a call makes where `most` small ones fit: their pixels are what takes memory."""
    return max(1, min(most, most * SIDE**2 // recipe.size**2))


def _chunks(rows: Tensor, labels: Tensor | int, count: int) -> Iterator[tuple[Tensor, Tensor | int]]:
    """Pieces of `count` rows, each with its labels."""
    pieces = rows.split(count)
    own = [labels] * len(pieces) if isinstance(labels, int) else labels.split(count)
    return zip(pieces, own, strict=True)


def check_critic(critic: nn.Module) -> None:
    """Raise CheckpointError if this critic stands for none."""
    if not any(True for _ in critic.children()):
        raise CheckpointError(
            "expected a model with a critic, got a generator alone, whose images it cannot judge; import it "
            "again with its critic's file beside it, or train one, with `python -m rgan critic` or on the Checkpoints "
            "page"
        )


def fresh(recipe: Recipe, seed: int) -> tuple[nn.Module, Critic]:
    """A generator and a critic of `recipe` with initial weights drawn from `seed`, on the CPU, in training mode.

    Raises:
        SettingsError: it is the recipe of an imported Gan, whose first weights nobody knows.
    """
    if recipe.layers is not None:
        raise SettingsError("expected a recipe to train by, got that of an imported model; choose one of the systems")
    weights = torch.Generator().manual_seed(seed)
    networks = recipe.networks()
    for network in networks:
        network.to_empty(device="cpu")
        SYSTEMS[recipe.system].family.initialise(network, weights)
    return networks


def fresh_companion(recipe: Recipe, seed: int) -> Companion:
    """The companion of `fresh`'s networks, likewise; it draws from a stream of its own."""
    companion = recipe.companion()
    companion.to_empty(device="cpu")
    weights = separate(seed, "companion")
    SYSTEMS[recipe.system].family.initialise(companion, weights)
    companion.reset()
    return companion
