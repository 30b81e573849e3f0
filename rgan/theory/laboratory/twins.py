"""A baseline GAN of points and its robust twin, trained side by side from one seed by Algorithm 1."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from rgan.common.errors import RganError, SettingsError, number_between, one_of
from rgan.common.geometry import finite
from rgan.importing.points import Weights
from rgan.models.gan import Gan
from rgan.models.recipes import Recipe
from rgan.networks.layers import Critic
from rgan.theory.laboratory.points import Source, noise, source
from rgan.theory.laboratory.settings import BATCH, SIDES, TUNED, Settings
from rgan.training.algorithm1 import critic_gradients, frozen, generator_gradients
from rgan.training.trainer import optimiser_of

PLAYERS = ("critic", "generator")
MOST_STEPS = 20_000
MOST_PAST = 100  # changes on the way that a link can tell


class DivergedError(RganError):
    """A weight of the twins is no longer a number."""


@dataclass(frozen=True)
class Event:
    """What happened once `iteration` steps were done: a step of one of PLAYERS alone, or a setting of `name` that was
    `before` until then."""

    iteration: int
    name: str
    before: float | str | None = None


@dataclass(frozen=True)
class Plan:
    """A training up to its step `steps`: what the settings are then, and what happened before, in order.

    The same plan gives bitwise the same twins.
    """

    settings: Settings
    steps: int = 0
    past: tuple[Event, ...] = ()

    def __post_init__(self) -> None:
        number_between("steps", self.steps, 0, MOST_STEPS)
        if len(self.past) > MOST_PAST:
            raise SettingsError(f"expected at most {MOST_PAST} changes on the way, got {len(self.past)}; restart")
        times = [event.iteration for event in self.past]
        if sorted(times) != times or not all(0 <= at <= self.steps for at in times):
            raise SettingsError(f"expected changes in their order and before step {self.steps}, got them at {times}")
        for event in self.past:
            one_of("what happened on the way", event.name, (*PLAYERS, *TUNED))

    def prefix(self, events: int, steps: int) -> Plan:
        """The same after the first `events` of its past and at the step `steps`."""
        later = self.past[events:]
        undone = {event.name: event.before for event in reversed(later) if event.name not in PLAYERS}
        settings = dataclasses.replace(self.settings, **undone)  # type: ignore[arg-type]
        return Plan(settings, steps, self.past[:events])

    def until(self, steps: int) -> Plan:
        """The same up to an earlier step; what happened at that step itself has happened."""
        return self.prefix(sum(event.iteration <= steps for event in self.past), steps)

    def follows(self, other: Plan) -> bool:
        """Whether it goes on where `other` ends."""
        events = len(other.past)
        if self.steps < other.steps or len(self.past) < events or self.past[:events] != other.past:
            return False
        nothing_missed = all(event.iteration >= other.steps for event in self.past[events:])
        return nothing_missed and self.prefix(events, other.steps) == other

    def changed(self, settings: Settings) -> Plan:
        """The same once these settings hold; a training that they begin anew has no past."""
        if self.settings.anew(settings) or not (self.steps or self.past):
            return Plan(settings)
        changes = [
            Event(self.steps, name, getattr(self.settings, name))
            for name in TUNED
            if getattr(self.settings, name) != getattr(settings, name)
        ]
        return Plan(settings, self.steps, (*self.past, *changes))

    def played(self, player: str) -> Plan:
        """The same after one more step of one of PLAYERS alone."""
        return dataclasses.replace(self, past=(*self.past, Event(self.steps, player)))


class _Player:
    """One of the twins: networks, optimisers, and the recipe that holds now."""

    def __init__(self, recipe: Recipe, networks: tuple[nn.Module, Critic]):
        self.recipe = recipe
        self.generator = networks[0]
        self.critic: Any = networks[1]  # of points alone, where algorithm1 allows for more inputs
        self.optimisers = {name: optimiser_of(recipe, [*getattr(self, name).parameters()]) for name in PLAYERS}


class Twins:
    """The twins at some step: both begin with the same weights and see the same points and noise."""

    def __init__(self, settings: Settings):
        self.settings = settings
        self.iteration = 0
        self._stream = torch.Generator().manual_seed(settings.seed)
        self._players = {side: _Player(settings.recipe(side), _fresh(settings, side)) for side in SIDES}
        self._source: Source = source(settings.data, settings.drawn)
        self._set_rates()

    def become(self, settings: Settings) -> None:
        """Go on by these settings, of which only TUNED ones may differ."""
        assert not self.settings.anew(settings)
        self.settings = settings
        for side, player in self._players.items():
            player.recipe = settings.recipe(side)
        self._set_rates()

    def step(self) -> None:
        """The steps of the critic, and then one of the generator (Alg. 1 l. 2–11)."""
        for _ in range(self.settings.critic_steps):
            self.critic_step()
        self.generator_step()
        self.iteration += 1

    def critic_step(self) -> None:
        """One step of both twins' critics alone, on fresh points and noise."""
        real, z = self._source.sample(BATCH, self._stream), noise(self.settings.prior, BATCH, self._stream)
        mix = torch.rand(BATCH, generator=self._stream)
        for player in self._players.values():
            player.optimisers["critic"].zero_grad()
            with frozen(player.generator.parameters()):
                critic_gradients(player.generator, player.critic, player.recipe, as_images(real), z, mix)
            player.optimisers["critic"].step()

    def generator_step(self) -> None:
        """One step of both twins' generators alone, on fresh noise."""
        z = noise(self.settings.prior, BATCH, self._stream)
        for player in self._players.values():
            player.optimisers["generator"].zero_grad()
            with frozen(player.critic.parameters()):
                generator_gradients(player.generator, player.critic, player.recipe, z)
            player.optimisers["generator"].step()

    def gan(self, side: str) -> Gan:
        """A frozen copy of one of SIDES, for the attack and for pictures.

        Raises:
            DivergedError: its weights are no numbers any more.
        """
        player = self._players[side]
        for name in PLAYERS:
            if not all(finite(one) for one in getattr(player, name).parameters()):
                raise DivergedError(
                    f"expected weights that are numbers, got none in the {name} of model {side} by step "
                    f"{self.iteration}; lower the learning rates or ε, and restart"
                )
        return Gan(player.recipe, copy.deepcopy(player.generator), copy.deepcopy(player.critic))

    def copy(self) -> Twins:
        """Twins that go on as these would."""
        other = copy.copy(self)
        other._stream = torch.Generator()
        other._stream.set_state(self._stream.get_state())
        other._players = copy.deepcopy(self._players)
        return other

    def state(self) -> dict[str, Tensor]:
        """All weights, by side, player and name."""
        return {
            f"{side}.{name}.{key}": value
            for side, player in self._players.items()
            for name in PLAYERS
            for key, value in getattr(player, name).state_dict().items()
        }

    def standing(self) -> dict[str, Tensor]:
        """All that the next steps depend on, besides the settings and the iteration: weights, what the optimisers
        remember, and the stream of randomness."""
        remembered = {
            f"{side}.{name} {index} {key}": value
            for side, player in self._players.items()
            for name, optimiser in player.optimisers.items()
            for index, memory in optimiser.state_dict()["state"].items()
            for key, value in memory.items()
        }
        return self.state() | remembered | {"stream": self._stream.get_state()}

    def stand(self, standing: Mapping[str, Tensor], iteration: int) -> None:
        """Stand where twins of the same settings stood at that step, which go on as those would."""
        with torch.no_grad():
            for name, value in self.state().items():
                value.copy_(standing[name])
        for side, player in self._players.items():
            for name, optimiser in player.optimisers.items():
                memory: dict[int, dict[str, Tensor]] = {}
                for told, value in standing.items():
                    whose, _, rest = told.partition(" ")
                    if rest and whose == f"{side}.{name}":
                        index, key = rest.split()
                        memory.setdefault(int(index), {})[key] = value.clone()
                optimiser.load_state_dict(optimiser.state_dict() | {"state": memory})
        self._stream.set_state(standing["stream"].clone())
        self.iteration = iteration

    def _set_rates(self) -> None:
        for player in self._players.values():
            for name, optimiser in player.optimisers.items():
                for group in optimiser.param_groups:
                    group["lr"] = getattr(self.settings, f"{name}_rate")


def begin(plan: Plan) -> tuple[Twins, Plan]:
    """Twins where `plan` begins."""
    first = plan.prefix(0, 0)
    return Twins(first.settings), first


def advance(twins: Twins, at: Plan, plan: Plan) -> Iterator[Plan]:
    """Bring `twins`, which stand at `at`, to the end of `plan`, which follows it; yields where they stand after every
    step and change."""
    for count, event in enumerate((*plan.past[len(at.past) :], None), len(at.past)):
        while twins.iteration < (plan.steps if event is None else event.iteration):
            twins.step()
            yield plan.prefix(count, twins.iteration)
        if event is None:
            return
        if event.name == "critic":
            twins.critic_step()
        elif event.name == "generator":
            twins.generator_step()
        else:
            twins.become(plan.prefix(count + 1, twins.iteration).settings)
        yield plan.prefix(count + 1, twins.iteration)


def as_images(points: Tensor) -> Tensor:
    """Points (N, 2) as the images (N, 2, 1, 1) that the networks take."""
    return points[:, :, None, None]


def as_points(images: Tensor) -> Tensor:
    """Images (N, 2, 1, 1) as points (N, 2)."""
    return images.flatten(1)


def _fresh(settings: Settings, side: str) -> tuple[nn.Module, Critic]:
    """Networks with first weights as torch draws them, from the seed, or a stranger's: the same for both sides."""
    stream = torch.Generator().manual_seed(settings.seed)
    networks = settings.recipe(side).networks("cpu")
    with torch.no_grad():
        for module in (module for network in networks for module in network.modules()):
            if isinstance(module, nn.Linear):
                bound = 1 / math.sqrt(module.in_features)
                for weight in (module.weight, module.bias):
                    if weight is not None:
                        weight.uniform_(-bound, bound, generator=stream)
        if settings.start is not None:
            for network, own in zip(networks, settings.start.weights, strict=True):
                _take(network, own)
    return networks


def _take(network: nn.Module, weights: Weights | None) -> None:
    """Put these weights into the linear layers of a network; None leaves it as it is."""
    linear = [module for module in network.modules() if isinstance(module, nn.Linear)]
    for module, (weight, bias) in zip(linear, weights or (), strict=False):
        module.weight.copy_(weight)
        if bias is not None:
            module.bias.copy_(bias)
