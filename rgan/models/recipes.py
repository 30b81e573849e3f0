"""Recipes: one frozen dataclass says everything about how a Gan is trained.

A row of the paper's tables is a recipe; its robust row is the same recipe with `robust` set.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from rgan.common.errors import SettingsError, number_between, one_of
from rgan.common.fields import typed
from rgan.models.losses import LOSSES, Loss
from rgan.models.systems import OFFICIAL, SYSTEMS
from rgan.networks.companions import Companion
from rgan.networks.described import Layers
from rgan.networks.layers import Critic

PLAYERS = ("both", "generator", "critic")
PRESETS = ("paper", "official")
OPTIMISERS = ("adam", "rmsprop")
IMPORTED = "imported"  # the system of a Gan that another program trained
_WEIGHTS = ("historical_averaging", "feature_matching", "entropy", "denoising")
_OF_COMPANIONS = ("diversity", "balance_rate", "minibatch", *_WEIGHTS)


@dataclass(frozen=True)
class Robust:
    """The robust part of Algorithm 1. Every coefficient below is multiplied by `weight` (λ of eq. 11).

    The seven kinds of term, with r_z = ε₁·unit(∇_z ℓ_G), r_x = ε₂·unit(∇_x ·) held constant while the weights move:

    | coefficient | term | in |
    |---|---|---|
    | generator_noise | ℓ_G(G(z + r_z)) | Alg. 1 l. 8 |
    | generator_image | ℓ_G(G(z) + r_x), and the same at worst noise | official WGAN-GP |
    | critic_image | cost of x + r₁ and of G(z) + r₂ | Alg. 1 l. 10 |
    | critic_noise | cost of G(z + r_z) as a fake (with the reals if `noise_with_real`) | eq. 11, official code |
    | critic_noise_image | cost of x + r₁ and of G(z + r_z) + r₂ | official WGAN-GP |
    | image_penalty | the recipe's gradient penalty between x and G(z) + r₂ | official WGAN-GP (ResNet) |
    | consistency | Σ (D(x̂ + r) − D(x̂))², x̂ between real and fake; and the same towards worst noise | official DCGAN |
    """

    noise_radius: float = 0.01
    image_radius: float = 4.0
    weight: float = 0.1
    players: str = "both"
    steps: int = 1
    generator_noise: float = 1.0
    generator_image: float = 0.0
    critic_image: float = 1.0
    critic_noise: float = 0.0
    critic_noise_image: float = 0.0
    image_penalty: float = 0.0
    consistency: float = 0.0
    noise_with_real: bool = False

    def __post_init__(self) -> None:
        number_between("noise radius ε₁", self.noise_radius, 0, 1000)
        number_between("image radius ε₂", self.image_radius, 0, 1000)
        number_between("robust weight λ", self.weight, 0, 1000)
        one_of("players", self.players, PLAYERS)
        number_between("steps", self.steps, 1, 100)
        for name in COEFFICIENTS:
            number_between(name, getattr(self, name), 0, 1000)

    def terms(self) -> dict[str, float]:
        """The coefficients of the players who train robustly, without λ and without zeros."""
        mine = {"generator": GENERATOR_TERMS, "critic": CRITIC_TERMS, "both": COEFFICIENTS}[self.players]
        return {name: value for name in mine if (value := getattr(self, name))}

    def of_generator(self, name: str) -> float:
        """λ × coefficient `name`, or 0 when the generator is not a robust player."""
        return 0.0 if self.players == "critic" else self.weight * float(getattr(self, name))

    def of_critic(self, name: str) -> float:
        """λ × coefficient `name`, or 0 when the critic is not a robust player."""
        return 0.0 if self.players == "generator" else self.weight * float(getattr(self, name))


GENERATOR_TERMS = ("generator_noise", "generator_image")
CRITIC_TERMS = ("critic_image", "critic_noise", "critic_noise_image", "image_penalty", "consistency")
COEFFICIENTS = GENERATOR_TERMS + CRITIC_TERMS


@dataclass(frozen=True)
class Recipe:
    """How a Gan is built and trained. Sizes in pixels, features and noise dimensions; the prior is N(0, I_latent).

    The critic's regularisers, each off at its default:

    | field | term in the critic's loss |
    |---|---|
    | gradient_penalty | weight of (‖∇D(x̂)‖ − 1)², Gulrajani et al. 2017 |
    | exponent, smoothness, critic_scale | p, s, γ: images are measured by ‖Sₛx‖_p, slopes by its dual norm, over γ |
    | drift, drift_fake | weight of D(x)² on real images, of D(G(z))² on generated ones |
    | label_smoothing | the share by which real images count as generated ones (Salimans et al. 2016) |
    | consistency, dropout | weight of CT-GAN's term between two dropout passes of the reals; the dropout rate |
    | orthonormal | weight of Σ‖W Wᵀ − I‖² over the layers |
    | clip | every parameter stays within ±clip (weight clipping) |

    Terms of systems that have a companion (`networks.companions`), for no other:

    | field | of | meaning |
    |---|---|---|
    | diversity, balance_rate | BEGAN | γ, how much smaller L(G(z)) is kept than L(x), and how fast k is steered |
    | historical_averaging | Improved GAN | weight of ‖θ − mean of all θ so far‖², of both players |
    | feature_matching | Improved GAN | weight of ‖E f(x) − E f(G(z))‖² in the generator's loss |
    | minibatch | Improved GAN | kernels of minibatch discrimination in the critic |
    | entropy | EGAN-Ent-VI | weight of −log q(z given G(z)), the bound of the images' entropy |
    | denoising | DFM | weight of (f − r(f))², f the critic's features and r(f) what the denoiser makes of them |

    With critic_scale 0, γ and the penalty's weight are measured when training starts: E‖S₋ₛx‖_q and E‖Sₛx‖_p of the
    data (Adler & Lunz 2018); scores count divided by γ.

    decay: iterations over which the learning rate falls linearly to 0; 0: it never falls. generator_batch: noise a
    generator step, 0: as many as `batch`. dequantise: reals get uniform noise of one grey level, as ResNets' code does.
    critic_rate: the critic's learning rate over the generator's. halving: iterations after which the learning rate is
    halved, each time; 0: never. weight_decay: what is added to each weight's gradient, times the weight.
    layers: the networks of a Gan that was trained elsewhere (system "imported"), of which little else is known: of the
    other fields only size, channels, latent and loss mean anything then.
    """

    system: str
    size: int = 32
    channels: int = 3
    width: int = 128
    latent: int = 128
    loss: str = "non-saturating"
    critic_norm: str = "batch"
    gradient_penalty: float = 0.0
    exponent: float = 2.0
    smoothness: float = 0.0
    critic_scale: float = 1.0
    drift: float = 0.0
    consistency: float = 0.0
    dropout: float = 0.0
    orthonormal: float = 0.0
    clip: float = 0.0
    drift_fake: float = 0.0
    label_smoothing: float = 0.0
    critic_steps: int = 1
    optimiser: str = "adam"
    learning_rate: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    decay: int = 0
    halving: int = 0
    critic_rate: float = 1.0
    weight_decay: float = 0.0
    batch: int = 64
    generator_batch: int = 0
    dequantise: bool = False
    ema: float = 0.999
    diversity: float = 0.0
    balance_rate: float = 0.0
    historical_averaging: float = 0.0
    feature_matching: float = 0.0
    minibatch: int = 0
    entropy: float = 0.0
    denoising: float = 0.0
    robust: Robust | None = field(default=None)
    layers: Layers | None = field(default=None)

    def __post_init__(self) -> None:
        one_of("loss", self.loss, tuple(LOSSES))
        number_between("size", self.size, 1, 1024)
        number_between("channels", self.channels, 1, 16)
        number_between("width", self.width, 1, 512, "several times the published ones; the cost grows with its square")
        number_between("latent", self.latent, 1, 4096)
        self._check_networks()
        number_between("gradient_penalty", self.gradient_penalty, 0, 1e6)
        number_between("exponent", self.exponent, 1, 1000)
        number_between("smoothness", self.smoothness, -10, 10)
        if self.critic_scale:
            number_between("critic_scale, if it is not 0,", self.critic_scale, 1e-6, 1e9)
        for name in ("drift", "drift_fake", "consistency", "orthonormal", "clip", *_WEIGHTS):
            number_between(name, getattr(self, name), 0, 1e6)
        number_between("dropout", self.dropout, 0, 0.9)
        number_between("label_smoothing", self.label_smoothing, 0, 0.5)
        for name in ("diversity", "balance_rate"):
            number_between(name, getattr(self, name), 0, 1)
        number_between("minibatch", self.minibatch, 0, 1000)
        number_between("critic_steps", self.critic_steps, 1, 100)
        one_of("optimiser", self.optimiser, OPTIMISERS)
        number_between("learning_rate", self.learning_rate, 0, 1)
        for beta in self.betas:
            number_between("each of betas", beta, 0, 0.999999)
        number_between("decay", self.decay, 0, 10_000_000)
        number_between("halving", self.halving, 0, 10_000_000)
        number_between("critic_rate", self.critic_rate, 1e-6, 1e6)
        number_between("weight_decay", self.weight_decay, 0, 1)
        number_between("batch", self.batch, 2, 65536)
        if self.generator_batch:
            number_between("generator_batch, if it is not 0,", self.generator_batch, 2, 65536)
        number_between("ema", self.ema, 0, 0.999999)
        self._check_together()

    def _check_networks(self) -> None:
        """Raise SettingsError unless there are networks of this system and shape."""
        if self.layers is not None:
            one_of("system of layers", self.system, (IMPORTED,))
            self.layers.check(self.latent, (self.channels, self.size, self.size))
            return
        one_of("system", self.system, tuple(SYSTEMS))
        family = SYSTEMS[self.system].family
        one_of("critic_norm", self.critic_norm, family.norms)
        if self.size not in family.sizes:
            raise SettingsError(
                f"expected a size of {family.sizes_in_words()} pixels for {SYSTEMS[self.system].title}, "
                f"got {self.size}; choose one of these, or another system"
            )

    def _check_together(self) -> None:
        """Raise SettingsError for fields that contradict each other."""
        penalised = self.gradient_penalty > 0 or not self.critic_scale
        if penalised and self.critic_norm == "batch":
            raise SettingsError(
                "expected a critic without batch norm under a gradient penalty, got critic_norm='batch'; the penalty "
                "is a slope per image and batch norm mixes images: set another critic_norm, or no penalty"
            )
        if self.gradient_penalty > 0 and not self.critic_scale:
            raise SettingsError(
                f"expected critic_scale and gradient_penalty both 0 (measured on the data) or both given, got 0 and "
                f"{self.gradient_penalty:g}; set both or neither"
            )
        if not penalised and (self.exponent, self.smoothness, self.critic_scale) != (2, 0, 1):
            raise SettingsError(
                "expected a gradient penalty where exponent, smoothness or critic_scale are set, got none; set "
                "gradient_penalty as well, or critic_scale=0 to measure both on the data"
            )
        if penalised and self.minibatch:
            raise SettingsError(
                "expected no minibatch discrimination under a gradient penalty, got both; the penalty is a slope per "
                "image and minibatch discrimination mixes images: set minibatch=0, or no penalty"
            )
        strange = [name for name in _OF_COMPANIONS if getattr(self, name) and name not in self._known_fields]
        if strange:
            raise SettingsError(
                f"expected {strange[0]} 0 for {self.title}, which has no such term, got "
                f"{getattr(self, strange[0]):g}; `python -m rgan recipes` lists the systems"
            )
        if self.consistency > 0 and not self.dropout:
            raise SettingsError(
                "expected dropout where consistency is set, got none, and two equal passes; set dropout as well"
            )

    @property
    def title(self) -> str:
        """Name of the system for people, with its robust part: "DCGAN, robust"."""
        name = SYSTEMS[self.system].title if self.layers is None else self.layers.title
        return f"{name}, robust" if self.robust else name

    @property
    def criterion(self) -> Loss:
        """Losses as functions of the critic's raw output."""
        loss = LOSSES[self.loss].scaled(self.critic_scale or 1.0, self.drift, self.drift_fake)
        return loss.smoothed(self.label_smoothing)

    def rate(self, iteration: int) -> float:
        """The learning rate of the step that follows `iteration` finished ones."""
        rate = self.learning_rate * max(0.0, 1 - iteration / self.decay) if self.decay else self.learning_rate
        return rate / 2 ** (iteration // self.halving) if self.halving else rate

    def networks(self, device: torch.device | str = "meta") -> tuple[nn.Module, Critic]:
        """A generator and a critic of this recipe without usable weights (on "meta": without memory either)."""
        if self.layers is not None:
            image = self.channels, self.size, self.size
            with torch.device(device):
                return self.layers.build_generator(self.latent), self.layers.build_critic(image)
        family = SYSTEMS[self.system].family
        shape = {"size": self.size, "channels": self.channels, "width": self.width}
        with torch.device(device):
            return (
                family.generator(**shape, latent=self.latent),
                family.critic(
                    **shape, norm=self.critic_norm, dropout=self.dropout,
                    **{name: getattr(self, name) for name in family.critic_fields},
                ),
            )  # fmt: skip

    def companion(self, device: torch.device | str = "meta") -> Companion:
        """What is trained beside the networks, without usable weights."""
        made = self.companion_type
        if made is Companion:
            return Companion()
        networks = self.networks()
        with torch.device(device):
            return made(*networks, **{name: getattr(self, name) for name in made.fields})

    @property
    def companion_type(self) -> type[Companion]:
        """Companion itself where there is none."""
        return Companion if self.layers is not None else SYSTEMS[self.system].family.companion

    @property
    def _known_fields(self) -> set[str]:
        if self.layers is not None:
            return set()
        return {*self.companion_type.fields, *SYSTEMS[self.system].family.critic_fields}

    def parameters(self) -> tuple[int, int]:
        """Number of weights of the generator and of the critic."""
        generator, critic = (sum(p.numel() for p in network.parameters()) for network in self.networks())
        return generator, critic

    def companion_numbers(self) -> int:
        """Numbers that its companion holds beside them, weights and others."""
        return sum(value.numel() for value in self.companion().state_dict().values())

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `from_dict` reads them back."""
        plain = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "layers"}
        plain["robust"] = self.robust and dataclasses.asdict(self.robust)
        return plain if self.layers is None else plain | {"layers": self.layers.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Recipe:
        """Rebuild a recipe from `to_dict`'s values, checking every name, type and range.

        Raises:
            SettingsError: an unknown name, a wrong type or a value out of range.
        """
        plain = typed(cls, values)
        if "system" not in plain:
            raise SettingsError("expected a Recipe with a system; the field is missing")
        if plain.get("robust") is not None:
            plain["robust"] = Robust(**typed(Robust, plain["robust"]))
        if plain.get("layers") is not None:
            plain["layers"] = Layers.from_dict(plain["layers"])
        return cls(**plain)


SETTABLE = tuple(f.name for f in dataclasses.fields(Recipe) if f.name not in ("system", "robust", "layers"))


def recipe(system: str, robust: Robust | str | None = None, *, players: str | None = None, **changes: Any) -> Recipe:
    """The recipe of a system, with `changes` to its fields.

    Args:
        system: a key of SYSTEMS.
        robust: None for the plain GAN, "paper" (λ .1, ε₁ .01, ε₂ 4: Algorithm 1), "official" (the coefficients of
            the paper's published code, which for WGAN-GP also changes critic_steps), or a Robust.
        players: who trains robustly, if not those of `robust`; "none" leaves the baseline that a preset is to be
            compared with: its other fields without its robust part.
    """
    one_of("system", system, tuple(SYSTEMS))
    about = SYSTEMS[system]
    fields = {**about.fields, **about.by_size.get(changes.get("size", Recipe.size), {})}
    if fields.get("generator_batch"):  # as many times the batch as published
        fields["generator_batch"] = fields["generator_batch"] * changes.get("batch", Recipe.batch) // Recipe.batch
    if isinstance(robust, str):
        one_of("robust preset", robust, PRESETS)
        if robust == "paper":
            robust = Robust()
        else:
            terms, extra = OFFICIAL[about.official]
            robust = Robust(**terms)
            fields |= extra if about.official == system else {}
    if players == "none":
        robust = None
    elif robust is not None and players is not None:
        robust = dataclasses.replace(robust, players=players)
    return Recipe(system=system, robust=robust, **(fields | changes))


def lasting(recipe: Recipe, iterations: int) -> Recipe:
    """`recipe` for a run of that length: a learning rate that falls reaches 0 at its end."""
    return dataclasses.replace(recipe, decay=iterations) if recipe.decay else recipe


def parsed(settings: Iterable[str]) -> dict[str, Any]:
    """Recipe fields from "name=value" texts, values as JSON writes them ("critic_steps=2", "betas=[0,0.9]").

    Raises:
        SettingsError: no such field, or a value of another type.
    """
    values: dict[str, Any] = {}
    for setting in settings:
        name, _, text = setting.partition("=")
        try:
            values[name] = json.loads(text)
        except ValueError:
            values[name] = text
    for name in values:
        one_of("a field that can be set", name, SETTABLE)
    return typed(Recipe, values)


def catalogue() -> dict[str, tuple[str, str | None, str]]:
    """Every recipe that has a name, as (system, robust preset, robust players).

    Each system plain ("dcgan"), and with either preset for both players ("paper/dcgan") or one of them
    ("paper/dcgan/critic"): the rows of the paper's Tables 1 and 2. Where a preset changes more than the robust part,
    its baseline is a row too ("official/wgan-gp/none"); elsewhere the plain recipe is.
    """
    names: dict[str, tuple[str, str | None, str]] = {}
    for system in SYSTEMS:
        names[system] = system, None, "both"
        for preset in PRESETS:
            for players in PLAYERS:
                names[f"{preset}/{system}" + ("" if players == "both" else f"/{players}")] = system, preset, players
            if recipe(system, preset, players="none") != recipe(system):
                names[f"{preset}/{system}/none"] = system, preset, "none"
    return names


def named(name: str, **changes: Any) -> Recipe:
    """The recipe of that name in `catalogue`, with `changes` to its fields.

    Raises:
        SettingsError: there is none of that name.
    """
    if name not in (names := catalogue()):
        raise SettingsError(f"expected the name of a recipe, got {name[:60]!r}; `python -m rgan recipes` lists them")
    system, preset, players = names[name]
    return recipe(system, preset, players=players, **changes)
