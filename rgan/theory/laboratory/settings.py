"""How the twins of the laboratory are built and trained, and how a training's past is told in a link."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch

from rgan.common.errors import number_between, one_of
from rgan.importing.points import ENDS, GUESS, PointNetworks, Weights, layers
from rgan.models.gan import MAX_SEED
from rgan.models.recipes import IMPORTED, PLAYERS, Recipe, Robust
from rgan.networks.described import ACTIVATIONS, Activation, Flat, Layer, Layers, Linear, View
from rgan.theory.laboratory.points import PRIORS, source

LOSSES = {"log": "non-saturating", "wasserstein": "wasserstein", "hinge": "hinge"}  # of models.losses
BATCH = 128
BETAS = 0.5, 0.9
SIDES = ("A", "B")  # the baseline and its robust twin
MOST_LAYERS, MOST_WIDTH = 4, 128


@dataclass(frozen=True)
class Start:
    """A stranger's GAN of points, from whose weights both twins go on.

    activation: between its layers, one of ACTIVATIONS. end: one of `importing.points.ENDS`. Of noise with more than two
    numbers the plane of the first two is looked at and trained on.
    """

    networks: PointNetworks
    activation: str = GUESS
    end: str = "none"

    def __post_init__(self) -> None:
        one_of("activation", self.activation, tuple(ACTIVATIONS))
        one_of("end of the generator", self.end, tuple(ENDS))

    @property
    def generator(self) -> tuple[Layer, ...]:
        """From noise of two numbers to a point."""
        own = layers(self.networks.generator, self.activation, self.end)
        return own if self.networks.latent == 2 else (Linear(self.networks.latent, bias=False), *own)

    @property
    def weights(self) -> tuple[Weights, Weights | None]:
        """Of the generator's linear layers and of the critic's."""
        own = self.networks.generator
        if self.networks.latent != 2:
            own = ((torch.eye(self.networks.latent, 2), None), *own)
        return own, self.networks.critic


@dataclass(frozen=True)
class Settings:
    """The FIXED ones say what is trained, and changing one begins anew; all others may change while it runs.

    data, drawn: as of `points.source`. prior: one of PRIORS. generator_layers, generator_width, critic_layers,
    critic_width: hidden layers and their features. start: whose weights they go on from, instead of fresh ones. loss:
    one of LOSSES; penalty: weight of the gradient penalty, which goes with the Wasserstein loss alone. noise_radius,
    image_radius, weight, players, solver_steps: the robust part of the twin, ε₁, ε₂ and λ of Algorithm 1.
    generator_rate, critic_rate: learning rates. critic_steps: for each step of the generator.
    """

    data: str = "ring"
    drawn: tuple[tuple[float, float], ...] = ()
    prior: str = "normal"
    generator_layers: int = 2
    generator_width: int = 32
    critic_layers: int = 2
    critic_width: int = 32
    seed: int = 0
    start: Start | None = None
    loss: str = "log"
    penalty: float = 0.1
    noise_radius: float = 0.3
    image_radius: float = 0.3
    weight: float = 1.0
    players: str = PLAYERS[0]
    solver_steps: int = 1
    generator_rate: float = 0.001
    critic_rate: float = 0.002
    critic_steps: int = 1

    def __post_init__(self) -> None:
        source(self.data, self.drawn)
        one_of("noise", self.prior, tuple(PRIORS))
        for player in ("generator", "critic"):
            number_between(f"hidden layers of the {player}", getattr(self, f"{player}_layers"), 1, MOST_LAYERS)
            number_between(f"width of the {player}", getattr(self, f"{player}_width"), 2, MOST_WIDTH)
            number_between(f"learning rate of the {player}", getattr(self, f"{player}_rate"), 0, 1)
        number_between("seed", self.seed, 0, MAX_SEED)
        one_of("loss", self.loss, tuple(LOSSES))
        number_between("penalty", self.penalty, 0, 1e6)
        number_between("critic steps", self.critic_steps, 1, 100)

    @property
    def robust(self) -> Robust:
        """The robust part of the twin: Algorithm 1 as printed."""
        return Robust(
            noise_radius=self.noise_radius,
            image_radius=self.image_radius,
            weight=self.weight,
            players=self.players,
            steps=self.solver_steps,
        )

    def recipe(self, side: str) -> Recipe:
        """Of one of SIDES: a point is an image of two channels and one pixel."""
        return Recipe(
            IMPORTED,
            size=1,
            channels=2,
            latent=2,
            loss=LOSSES[self.loss],
            critic_norm="none",
            gradient_penalty=self.penalty if self.loss == "wasserstein" else 0.0,
            critic_steps=self.critic_steps,
            betas=BETAS,
            batch=BATCH,
            robust=self.robust if side == "B" else None,
            layers=self._layers(),
        )

    def anew(self, other: Settings) -> bool:
        """Whether `other` asks for another training and not for a change of this one."""
        return any(getattr(self, name) != getattr(other, name) for name in FIXED)

    def _layers(self) -> Layers:
        generator: tuple[Layer, ...] = (*_hidden(self.generator_layers, self.generator_width), Linear(2))
        critic: tuple[Layer, ...] = (*_hidden(self.critic_layers, self.critic_width), Linear(1))
        if self.start is not None:
            generator = self.start.generator
            if self.start.networks.critic is not None:
                critic = layers(self.start.networks.critic, self.start.activation)
        return Layers("points in the plane", (*generator, View(2)), (Flat(), *critic), score=len(critic))


def _hidden(layers: int, width: int) -> tuple[Layer, ...]:
    return (Linear(width), Activation("leaky")) * layers


FIXED = (
    "data", "drawn", "prior", "generator_layers", "generator_width", "critic_layers", "critic_width", "seed", "start",
)  # fmt: skip
TUNED = tuple(one.name for one in dataclasses.fields(Settings) if one.name not in FIXED)
