"""Recipes: one frozen dataclass says everything about how a Gan is trained.

A row of the paper's tables is a recipe; its robust row is the same recipe with `robust` set.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from rgan.errors import SettingsError, number_between, one_of
from rgan.losses import LOSSES, Loss
from rgan.networks import dcgan

PLAYERS = ("both", "generator", "critic")
NORMS = ("batch", "none")


@dataclass(frozen=True)
class Robust:
    """The robust part of Algorithm 1. Every coefficient below is multiplied by `weight` (λ of eq. 11).

    The six kinds of term, with r_z = ε₁·unit(∇_z ℓ_G), r_x = ε₂·unit(∇_x ·) held constant while the weights move:

    | coefficient | term | in |
    |---|---|---|
    | generator_noise | ℓ_G(G(z + r_z)) | Alg. 1 l. 8 |
    | generator_image | ℓ_G(G(z) + r_x), and the same at worst noise | official WGAN-GP |
    | critic_image | cost of x + r₁ and of G(z) + r₂ | Alg. 1 l. 10 |
    | critic_noise | cost of G(z + r_z) as a fake (with the reals if `noise_with_real`) | eq. 11, official code |
    | critic_noise_image | cost of x + r₁ and of G(z + r_z) + r₂ | official WGAN-GP |
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

    def of_generator(self, name: str) -> float:
        """λ × coefficient `name`, or 0 when the generator is not a robust player."""
        return 0.0 if self.players == "critic" else self.weight * float(getattr(self, name))

    def of_critic(self, name: str) -> float:
        """λ × coefficient `name`, or 0 when the critic is not a robust player."""
        return 0.0 if self.players == "generator" else self.weight * float(getattr(self, name))


COEFFICIENTS = (
    "generator_noise",
    "generator_image",
    "critic_image",
    "critic_noise",
    "critic_noise_image",
    "consistency",
)


@dataclass(frozen=True)
class Recipe:
    """How a Gan is built and trained. Sizes in pixels, features and noise dimensions; the prior is N(0, I_latent)."""

    system: str
    size: int = 32
    channels: int = 3
    width: int = 128
    latent: int = 128
    loss: str = "non-saturating"
    critic_norm: str = "batch"
    gradient_penalty: float = 0.0
    critic_steps: int = 1
    learning_rate: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    batch: int = 64
    ema: float = 0.999
    robust: Robust | None = field(default=None)

    def __post_init__(self) -> None:
        one_of("system", self.system, tuple(SYSTEMS))
        one_of("loss", self.loss, tuple(LOSSES))
        one_of("critic_norm", self.critic_norm, NORMS)
        number_between("size", self.size, 25, 32, "pixels that three doublings from 4×4 can draw")
        number_between("channels", self.channels, 1, 16)
        number_between("width", self.width, 1, 512, "four times the paper's; the cost grows with its square")
        number_between("latent", self.latent, 1, 4096)
        number_between("gradient_penalty", self.gradient_penalty, 0, 1e6)
        number_between("critic_steps", self.critic_steps, 1, 100)
        number_between("learning_rate", self.learning_rate, 0, 1)
        for beta in self.betas:
            number_between("each of betas", beta, 0, 0.999999)
        number_between("batch", self.batch, 2, 65536)
        number_between("ema", self.ema, 0, 0.999999)
        if self.gradient_penalty > 0 and self.critic_norm == "batch":
            raise SettingsError(
                "expected a critic without batch norm under a gradient penalty, got critic_norm='batch'; the penalty "
                "is a slope per image and batch norm mixes images: set critic_norm='none' or gradient_penalty=0"
            )

    @property
    def title(self) -> str:
        """Name of the system for people, with its robust part: "DCGAN, robust"."""
        name = SYSTEMS[self.system].title
        return f"{name}, robust" if self.robust else name

    @property
    def criterion(self) -> Loss:
        return LOSSES[self.loss]

    def networks(self, device: torch.device | str = "meta") -> tuple[nn.Module, nn.Module]:
        """A generator and a critic of this recipe without usable weights (on "meta": without memory either)."""
        with torch.device(device):
            return (
                dcgan.Generator(size=self.size, channels=self.channels, width=self.width, latent=self.latent),
                dcgan.Critic(size=self.size, channels=self.channels, width=self.width, norm=self.critic_norm),
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `from_dict` reads them back."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Recipe:
        """Rebuild a recipe from `to_dict`'s values, checking every name, type and range.

        Raises:
            SettingsError: an unknown name, a wrong type or a value out of range.
        """
        plain = dict(_typed(cls, values))
        if plain.get("robust") is not None:
            plain["robust"] = Robust(**_typed(Robust, plain["robust"]))
        return cls(**plain)


@dataclass(frozen=True)
class System:
    """A GAN of the paper: its name and the recipe fields in which it differs from the defaults."""

    title: str
    fields: Mapping[str, Any]
    official: Callable[[], tuple[dict[str, Any], Robust]]


def _official_dcgan() -> tuple[dict[str, Any], Robust]:
    return {}, Robust(
        noise_radius=0.01,
        image_radius=1.0,
        weight=1.0,
        generator_noise=1.0,
        critic_image=0.0,
        critic_noise=0.3,
        consistency=0.1,
    )


def _official_wgan_gp() -> tuple[dict[str, Any], Robust]:
    return {"critic_steps": 2}, Robust(
        noise_radius=0.01,
        image_radius=4.0,
        weight=1.0,
        generator_noise=1.0,
        generator_image=0.001,
        critic_image=0.01,
        critic_noise=1.0,
        critic_noise_image=0.01,
        noise_with_real=True,
    )


SYSTEMS: dict[str, System] = {
    "dcgan": System("DCGAN", {}, _official_dcgan),
    "wgan-gp": System(
        "WGAN-GP",
        {
            "loss": "wasserstein",
            "critic_norm": "none",
            "gradient_penalty": 10.0,
            "critic_steps": 5,
            "learning_rate": 1e-4,
            "betas": (0.5, 0.9),
        },
        _official_wgan_gp,
    ),
}


def recipe(system: str, robust: Robust | str | None = None, **changes: Any) -> Recipe:
    """The recipe of a system, with `changes` to its fields.

    Args:
        system: a key of SYSTEMS.
        robust: None for the plain GAN, "paper" (λ .1, ε₁ .01, ε₂ 4: Algorithm 1), "official" (the coefficients of
            the paper's published code for this system, which also changes critic_steps), or a Robust.
    """
    one_of("system", system, tuple(SYSTEMS))
    fields = dict(SYSTEMS[system].fields)
    if isinstance(robust, str):
        one_of("robust preset", robust, ("paper", "official"))
        if robust == "paper":
            robust = Robust()
        else:
            extra, robust = SYSTEMS[system].official()
            fields |= extra
    return Recipe(system=system, robust=robust, **(fields | changes))


def _typed(cls: type, values: object) -> dict[str, Any]:
    """`values` as keyword arguments of dataclass `cls`; ints pass for floats, lists for tuples, nothing else."""
    if not isinstance(values, Mapping):
        raise SettingsError(f"expected the fields of a {cls.__name__}, got {type(values).__name__}")
    known = {f.name: str(f.type) for f in dataclasses.fields(cls)}
    checked: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            raise SettingsError(f"expected fields of a {cls.__name__}, got an unknown one, {str(name)[:40]!r}")
        kind = known[name]
        if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        right = {
            "str": isinstance(value, str),
            "int": isinstance(value, int) and not isinstance(value, bool),
            "float": isinstance(value, float),
            "bool": isinstance(value, bool),
            "tuple[float, float]": isinstance(value, (list, tuple))
            and len(value) == 2
            and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in value),
            "Robust | None": value is None or isinstance(value, Mapping),
        }[kind]
        if not right:
            raise SettingsError(f"expected {name} to be {kind}, got {str(value)[:40]!r}")
        checked[name] = (float(value[0]), float(value[1])) if kind.startswith("tuple") else value
    missing = [f.name for f in dataclasses.fields(cls) if f.default is dataclasses.MISSING and f.name not in checked]
    if missing:
        raise SettingsError(f"expected a {cls.__name__} with {', '.join(missing)}; the field is missing")
    return checked
