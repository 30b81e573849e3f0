"""The search for worst noise: the paper's inner problem (eq. 8), solved per sample.

    maximise over r:   ℓ(z + r) − λ‖r‖²   subject to ‖r‖ ≤ ε

ℓ is the generator's loss of one sample, λ the price of moving it, ε the radius. The landscape has many maxima, so the
search is one endless schedule, cut off where its budget of gradients ends: what a larger budget finds is never less.

    glance    10    normalised gradients with momentum from r = 0, the step falling from ε to 0
    2 kicks   20 each   a random push from the best r so far, and shorter falling steps
    rounds    150 each  a tournament of ten random starts (after 4 steps each the best 4 go on, after 8 the best one),
                    two kicks of its winner, and 10 steps that are taken only where they raise and halved elsewhere

Where moving has a price and dimensions are few, a round is another: a survey looks at places all over the ball, without
a gradient, the tournament starts from the best of them, and its winner settles. There the price makes nearly all of the
ball worthless, so that random starts miss what lies in its few other places.

A rising list of radii is searched in one batch. What is returned is each sample's best iterate, and a larger radius
takes over the smaller one's answer whenever that is better, so the worst value never falls as ε grows.
"""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor
from torch.quasirandom import SobolEngine

from rgan.common.errors import SettingsError, number_between, one_of
from rgan.common.geometry import (
    even_in_ball,
    project_ball,
    project_cap,
    random_directions,
    random_in_ball,
    separate,
    turn,
    unit,
)

Loss = Callable[[Tensor], Tensor]
CHUNK = 224  # rows a call: large enough to fill the processor, small enough to stay in its cache


@dataclass(frozen=True)
class SampleLoss:
    """An objective that is told whose row it is given: it holds each move against what that sample was before.

    of: noise (B, d) and the numbers (B,) of the samples, 0 to N − 1, that its rows belong to → loss of each row (B,).
    rows: B at most.
    """

    of: Callable[[Tensor, Tensor], Tensor]
    rows: int = CHUNK

    def belonging(self, samples: Tensor) -> Loss:
        """The objective of rows that belong to these samples (B,)."""
        return lambda z: self.of(z, samples)


METHODS = ("ascent", "one-step")
BUDGETS = {"live": 10, "standard": 200, "strong": 2000}  # gradients a sample
MOMENTUM = 0.75
GLANCE, KICK, SETTLE = 10, 20, 10  # gradients of each
TOURNAMENT = ((10, 4), (4, 8), (1, 28))  # how many starts make how many steps
OF_A_SURVEY = ((10, 4), (4, 15))  # where hills are few, and known, their tops are compared
STARTS = TOURNAMENT[0][0]
PUSH, KICK_STEP = 0.5, 0.3  # of the length of the best r so far
SETTLE_STEP, SHARP_STEP = 0.1, 0.25
LOOKS, FEW = 225, 6  # places of a survey, and dimensions in which their distances are half the radius at most
MOST_LOOKS = 8  # times the first survey's places: those of a survey at most
APART = 2  # times the distance of neighbouring places: starts that a survey finds are no nearer to each other
LOOKS_A_GRADIENT = 3  # what a gradient costs, in evaluations without one
SHARP = 10  # at most so many of the last gradients of a coarse search are in full precision


@dataclass(frozen=True)
class Attack:
    """What to search, and how: a subclass that overrides one of the five steps below is another attack.

    radii: rising ε, in units of noise. price: λ, loss per squared unit of noise. gradients: the budget, gradients of
    the objective a sample and radius. method: "ascent" (best iterate) or "one-step" (the paper's r = ε·∇ℓ/‖∇ℓ‖, taken
    as it is, also where it lowers the loss). keep_shell: z + r keeps the length of z, so worst noise is as long as
    ordinary noise.
    """

    radii: tuple[float, ...]
    price: float = 0.0
    gradients: int = BUDGETS["standard"]
    method: str = "ascent"
    keep_shell: bool = False

    def __post_init__(self) -> None:
        if not self.radii:
            raise SettingsError("expected at least one radius ε, got none")
        for radius in self.radii:
            number_between("radius ε", radius, 0, 1e6)
        if any(b <= a for a, b in zip(self.radii, self.radii[1:], strict=False)):
            raise SettingsError(f"expected rising radii, got {self.radii}; sort them and drop repeats")
        number_between("price λ", self.price, 0, 1e9)
        number_between("the budget of gradients", self.gradients, 1, 1_000_000)
        one_of("method", self.method, METHODS)

    @classmethod
    def within(cls, radius: float, *, price: float = 0.0, budget: str | int = "standard") -> Self:
        """The attack within one radius that costs one of BUDGETS, or so many gradients a sample.

        Raises:
            SettingsError: impossible numbers, or another word.
        """
        return cls((float(radius),), price, budget_of(budget))

    def normalize(self, slope: Tensor) -> Tensor:
        """Directions (n, d) to step in, from slopes (n, d): unit vectors."""
        return unit(slope)

    def project(self, z: Tensor, r: Tensor, radius: Tensor) -> Tensor:
        """The r (n, d) within each row's radius (n,) of noise z (n, d) that is nearest to the one given."""
        return project_cap(z, r, radius) if self.keep_shell else project_ball(r, radius)

    def initial(self, radius: Tensor, dimensions: int, stream: torch.Generator) -> Tensor:
        """Where a start of a tournament begins, r (n, d) for radii (n,): uniform in the ball."""
        return random_in_ball((len(radius), dimensions), stream).to(radius) * radius[:, None]

    def looks(self, dimensions: int) -> int:
        """Places of the survey before the first tournament, of which a gradient pays for three; 0 for random starts.

        In many dimensions so few places lie as far apart as random starts, and would only cost. Where moving is free
        random starts stay, since answers that were kept are theirs.
        """
        return LOOKS if self.price and dimensions <= FEW else 0

    def step_size(self, radius: Tensor) -> Tensor:
        """Length (n,) of a start's first step, from which they fall. The whole radius: the paper's one-step answer."""
        return radius


def budget_of(name: str | int) -> int:
    """Gradients a sample of one of BUDGETS; a number, also as text, is taken as it is.

    Raises:
        SettingsError: another word, or a number below 1.
    """
    if isinstance(name, str) and not name.isdecimal():
        one_of("the budget", name, tuple(BUDGETS))
        return BUDGETS[name]
    number_between("the budget of gradients", int(name), 1, 1_000_000)
    return int(name)


def budget_name(gradients: int) -> str:
    """The smallest of BUDGETS that has so many gradients a sample, or the largest there is."""
    return next(
        (name for name, most in BUDGETS.items() if most >= gradients), max(BUDGETS, key=lambda one: BUDGETS[one])
    )


@dataclass(frozen=True)
class WorstNoise:
    """The state of a search over K radii and N samples.

    noise: r, (K, N, d). loss: ℓ(z + r), (K, N). original: ℓ(z), (N,). gradients: what each sample and radius has been
    given so far. done: the search has ended and the losses are the exact objective's.
    """

    attack: Attack
    z: Tensor
    noise: Tensor
    loss: Tensor
    original: Tensor
    gradients: int
    seconds: float
    done: bool

    @property
    def value(self) -> Tensor:
        """ℓ(z + r) − λ‖r‖², (K, N)."""
        return self.loss - self.attack.price * _squares(self.noise)


def search(
    objective: Loss | SampleLoss,
    z: Tensor,
    attack: Attack,
    *,
    seed: int = 0,
    exact: Loss | SampleLoss | None = None,
    start: Tensor | None = None,
) -> Iterator[WorstNoise]:
    """Search, yielding after every step; the last state is final (`done`). Stop by not asking for the next.

    Args:
        objective: noise (B, d) → loss of each row (B,), differentiable, rows independent of each other; or the same
            of noise and the samples it belongs to. It may be fast and coarse (bfloat16).
        z: original noise (N, d).
        seed: for the random starts and pushes.
        exact: the objective in full precision, which takes over for the last steps and gives the final losses;
            `objective` itself by default.
        start: r (N, d), or one for each radius (K, N, d), from which the glance begins where it beats r = 0; it is cut
            to each radius.
    """
    started = time.perf_counter()
    z = z.detach()
    if attack.method == "one-step":
        noise, loss, original = _one_step(exact or objective, z, attack)
        yield WorstNoise(attack, z, noise, loss, original, 1, time.perf_counter() - started, done=True)
        return
    if attack.radii[-1] == 0:
        original = losses(exact or objective, z)
        seconds = time.perf_counter() - started
        yield WorstNoise(attack, z, torch.zeros_like(z)[None], original[None], original, 0, seconds, done=True)
        return
    sharp = 0 if exact is None else min(SHARP, max(2, attack.gradients // 20), attack.gradients)
    schedule = _Schedule(objective, z, attack, seed, attack.gradients - sharp)

    def state(done: bool) -> WorstNoise:
        best = schedule.best
        spent = attack.gradients - sharp - schedule.left if not done else attack.gradients
        seconds = time.perf_counter() - started
        return WorstNoise(attack, z, best.noise[0], best.loss[0], schedule.original, spent, seconds, done)

    for _ in schedule.phases(start):
        if schedule.left or exact is not None:
            yield state(done=False)
    if exact is not None:
        schedule.sharpen(exact, sharp)
    yield state(done=True)


def run(
    objective: Loss | SampleLoss,
    z: Tensor,
    attack: Attack,
    *,
    seed: int = 0,
    exact: Loss | SampleLoss | None = None,
    start: Tensor | None = None,
) -> WorstNoise:
    """`search` to its end."""
    *_, final = search(objective, z, attack, seed=seed, exact=exact, start=start)
    return final


def surveyed(price: float, dimensions: int) -> dict[str, int]:
    """What the answers of an `Attack` at this price, on noise of so many dimensions, are kept by beside its settings.

    The looks of its surveys, where it makes any: an answer that was kept before there were surveys is not taken for it.
    """
    looks = Attack((0.0,), price).looks(dimensions)
    return {"looks": looks} if looks else {}


def between(found: WorstNoise, radius: float) -> Tensor:
    """Noise (N, d) at a radius between searched ones, on the straight way from one answer to the next: no evaluation.

    r = 0 stands before the first radius; beyond the last one its answer stays. Moves evenly as `radius` does, where
    `look_up` jumps to the better neighbour.
    """
    radii = (0.0, *found.attack.radii)
    noise = torch.cat([torch.zeros_like(found.noise[:1]), found.noise])
    above = next((k for k, known in enumerate(radii) if known >= radius and k > 0), None)
    if above is None:
        return noise[-1]
    gap = radii[above] - radii[above - 1]  # 0 where the first radius is 0
    share = (radius - radii[above - 1]) / gap if gap else 1.0
    moved = noise[above] * radius / radii[above] if found.attack.method == "one-step" and radii[above] else None
    if moved is None:
        moved = noise[above - 1] + share * (noise[above] - noise[above - 1])
    return found.attack.project(found.z, moved, torch.full_like(found.original, radius))


def merge(first: WorstNoise, second: WorstNoise) -> WorstNoise:
    """Two searches of the same noise at any radii as one: each radius keeps the best answer of all radii up to it.

    The one-step method has one answer a radius, so there the second search's answers stand.
    """
    radii = torch.tensor(first.attack.radii + second.attack.radii, dtype=torch.float64)  # as far apart as they are
    order = radii.argsort(stable=True)
    noise = torch.cat([first.noise, second.noise])[order]
    loss = torch.cat([first.loss, second.loss])[order]
    if first.attack.method == "ascent":
        best = (loss - first.attack.price * _squares(noise)).cummax(dim=0).indices
        noise, loss = noise.gather(0, best[..., None].expand_as(noise)), loss.gather(0, best)
    rising = radii[order]
    last = torch.cat([rising[1:] != rising[:-1], torch.ones(1, dtype=torch.bool)])
    attack = dataclasses.replace(second.attack, radii=tuple(sorted({*first.attack.radii, *second.attack.radii})))
    return dataclasses.replace(second, attack=attack, noise=noise[last], loss=loss[last])


def joined(parts: Sequence[WorstNoise]) -> WorstNoise:
    """Finished searches of different samples as one, in their order."""
    return dataclasses.replace(
        parts[0],
        z=torch.cat([part.z for part in parts]),
        noise=torch.cat([part.noise for part in parts], dim=1),
        loss=torch.cat([part.loss for part in parts], dim=1),
        original=torch.cat([part.original for part in parts]),
        seconds=sum(part.seconds for part in parts),
    )


def look_up(objective: Loss | SampleLoss, found: WorstNoise, radius: float) -> WorstNoise:
    """Worst noise at a radius between searched ones, from their answers alone: two loss evaluations, no gradient.

    Each sample takes the better of the smaller radius's answer and the larger one's shortened to `radius`; r = 0
    stands in below the first. The result has one radius.
    """
    attack = dataclasses.replace(found.attack, radii=(radius,))
    below = max((k for k, known in enumerate(found.attack.radii) if known <= radius), default=None)
    above = min((k for k, known in enumerate(found.attack.radii) if known >= radius), default=None)
    candidates = [torch.zeros_like(found.z) if below is None else found.noise[below]]
    if above is not None and above != below:
        shortened = attack.project(found.z, found.noise[above], torch.full_like(found.original, radius))
        candidates = [shortened] if attack.method == "one-step" else [*candidates, shortened]
    noise = torch.stack(candidates)
    loss = losses(objective, found.z + noise)
    best = (loss - attack.price * _squares(noise)).argmax(dim=0)
    rows = torch.arange(len(best))
    return dataclasses.replace(found, attack=attack, noise=noise[best, rows][None], loss=loss[best, rows][None])


def random_noise(z: Tensor, distance: Tensor, seed: int, *, tries: int = 1, keep_shell: bool = False) -> Tensor:
    """The control: random directions of given lengths (N,), shape (tries, N, d); on the shell if asked."""
    directions = random_directions((tries * len(z), z.shape[1]), separate(seed, "control")).to(z)
    repeated, distance = z.repeat(tries, 1), distance.repeat(tries)
    moved = turn(repeated, directions, distance) if keep_shell else directions * distance[:, None]
    return moved.view(tries, *z.shape)


def losses(objective: Loss | SampleLoss, z: Tensor) -> Tensor:
    """ℓ of noise (…, N, d) for N samples, (…, N), without gradients."""
    with torch.no_grad():
        return torch.cat([loss(chunk) for loss, chunk in _chunks(objective, z)]).view(z.shape[:-1])


def _chunks(objective: Loss | SampleLoss, z: Tensor) -> Iterator[tuple[Loss, Tensor]]:
    """The rows of noise (…, N, d) in pieces, each with the objective of its rows."""
    rows = z.flatten(0, -2)
    if not isinstance(objective, SampleLoss):
        yield from ((objective, chunk) for chunk in rows.split(CHUNK))
        return
    samples = torch.arange(len(rows)) % z.shape[-2]
    for chunk, which in zip(rows.split(objective.rows), samples.split(objective.rows), strict=True):
        yield objective.belonging(which), chunk


class _Best:
    """The best r so far of rows: noise (S, K, N, d), its loss and its value, both (S, K, N)."""

    def __init__(self, noise: Tensor, loss: Tensor, value: Tensor):
        self.noise, self.loss, self.value = noise, loss, value

    @classmethod
    def none(cls, like: Tensor) -> _Best:
        """Nothing yet for rows like these (S, K, N, d)."""
        nothing = torch.full_like(like[..., 0], -torch.inf)
        return cls(like, nothing, nothing)

    def see(self, noise: Tensor, loss: Tensor, value: Tensor) -> None:
        """Take what is better."""
        better = value > self.value
        self.noise = torch.where(better[..., None], noise, self.noise)
        self.loss, self.value = torch.where(better, loss, self.loss), torch.where(better, value, self.value)

    def first(self, count: int) -> Tensor:
        """Which rows of dimension 0 are the best ones of each radius and sample, (count, K, N)."""
        return self.value.topk(count, dim=0).indices

    def picked(self, dim: int, index: Tensor) -> _Best:
        return _Best(_pick(self.noise, dim, index), self.loss.gather(dim, index), self.value.gather(dim, index))


class _Schedule:
    """The schedule of the module's first lines, over starts S, radii K and samples N, until its budget is spent."""

    def __init__(self, objective: Loss | SampleLoss, z: Tensor, attack: Attack, seed: int, budget: int):
        self.objective, self.z, self.attack, self.seed, self.left = objective, z, attack, seed, budget
        shape = 1, len(attack.radii), len(z)
        self.radius = torch.tensor(attack.radii, dtype=z.dtype, device=z.device)[None, :, None].expand(shape)
        self.original = losses(objective, z)
        nothing = self.original.expand(shape)
        self.best = _Best(torch.zeros(*shape, z.shape[1], dtype=z.dtype, device=z.device), nothing, nothing)

    def phases(self, start: Tensor | None) -> Iterator[None]:
        """Search, yielding after every step, until nothing is left."""
        if start is not None:
            self._see(self._feasible(start.expand(self.best.noise.shape)), self.best)
        if self.left:
            yield from self._glance()
        places, kicks, dimensions = None, 2, self.z.shape[1]
        if self.attack.looks(dimensions):
            seed = separate(self.seed, "survey").initial_seed()
            places, kicks = SobolEngine(dimensions + 1, scramble=True, seed=seed), 0
        pushes = separate(self.seed, "pushes")
        for _ in range(kicks):
            yield from self._kick(self.best, pushes)
        for number in itertools.count(1):
            if not self.left:
                return
            stream = separate(self.seed, f"round {number}")
            winner = yield from self._tournament(stream, places, number)
            for _ in range(kicks):
                yield from self._kick(winner, stream)
            yield from self._settle(winner, SETTLE, SETTLE_STEP)

    def sharpen(self, exact: Loss | SampleLoss, budget: int) -> None:
        """Go on from the best with another objective, whose losses replace the old; r = 0 where it finds no gain."""
        self.objective, self.left = exact, budget
        coarse, self.original = self.best.noise, losses(exact, self.z)
        nothing = self.original.expand(self.radius.shape)
        self.best = _Best(torch.zeros_like(coarse), nothing, nothing)
        self._see(coarse, self.best)
        for _ in self._settle(self.best, budget, SHARP_STEP):
            pass

    def _glance(self) -> Iterator[None]:
        """From r = 0, or the start given. Where moving has a price the best length is not known beforehand, so a step
        that does not pay is halved; it costs nothing to step as far as the radius where moving is free."""
        if self.attack.price:
            yield from self._settle(self.best, GLANCE, 1.0)
        else:
            yield from self._falling(self.best.noise, self.best, self.attack.step_size(self.radius), ((1, GLANCE),), 1)

    def _kick(self, of: _Best, stream: torch.Generator) -> Iterator[None]:
        """A random push from the best of `of`, which also takes what comes of it, and falling steps."""
        if self.left:
            rows, scale = of.noise, self._scale(of)
            push = random_directions((rows[..., 0].numel(), rows.shape[-1]), stream).to(rows).view_as(rows)
            pushed = self._feasible(rows + PUSH * scale[..., None] * push)
            yield from self._falling(pushed, of, KICK_STEP * self.attack.step_size(scale), ((1, KICK),), 1)

    def _tournament(
        self, stream: torch.Generator, places: SobolEngine | None, number: int
    ) -> Generator[None, None, _Best]:
        """Starts, random ones or the best of a survey, of which the best ones go on; the last one's best r."""
        near = torch.minimum(2 * self._scale(self.best), self.radius)
        rows, length = (self._drawn(near, stream), near) if places is None else self._survey(near, places, number)
        found = _Best.none(rows)
        plan = TOURNAMENT if places is None else OF_A_SURVEY
        yield from self._falling(rows, found, self.attack.step_size(length), plan, 2)
        return found.picked(0, found.first(1))

    def _drawn(self, near: Tensor, stream: torch.Generator) -> Tensor:
        """Random starts r (STARTS, K, N, d) within lengths near (1, K, N)."""
        # Where moving has a price the best r so far may be a near hill, and a higher one far off: every other start is
        # drawn from the whole ball.
        scales = [self.radius if self.attack.price and start % 2 else near for start in range(STARTS)]
        drawn = [self.attack.initial(scale.flatten(), self.z.shape[1], stream) for scale in scales]
        return self._feasible(torch.stack(drawn).view(STARTS, *self.best.noise.shape[1:]))

    def _survey(self, near: Tensor, places: SobolEngine, number: int) -> tuple[Tensor, Tensor]:
        """The best STARTS of the next places, none beside another, r (STARTS, K, N, d), and how far each is from the
        place beside it, (STARTS, K, N). If moving has a price half of the places lie within lengths near (1, K, N), all
        others in the whole ball.

        The next survey's places lie between those of this one, and are twice as many up to a limit. Looks that the
        budget does not pay for are left out.
        """
        dimensions = self.z.shape[1]
        looks = self.attack.looks(dimensions) * min(2 ** (number - 1), MOST_LOOKS)
        spread = even_in_ball(places, looks).to(near)[:, None, None]
        by_near = torch.arange(looks, device=near.device)[:, None, None] < (looks // 2 if self.attack.price else 0)
        scale = torch.where(by_near, near, self.radius)[: max(STARTS, LOOKS_A_GRADIENT * self.left)]
        beside = scale * looks ** (-1 / dimensions)
        rows = self._feasible((scale + beside)[..., None] * spread[: len(scale)])  # the border has its share of places
        looked = _Best.none(rows)
        self._see(rows, looked)
        self.left = max(0, self.left - looks // LOOKS_A_GRADIENT)
        value, chosen = looked.value, []
        for _ in range(STARTS):
            best = value.argmax(dim=0, keepdim=True)
            chosen.append(best)
            apart = (rows - _pick(rows, 0, best)).square().sum(dim=-1).sqrt()
            value = torch.where(apart < APART * beside.gather(0, best), -torch.inf, value)
        index = torch.cat(chosen)
        return _pick(rows, 0, index), beside.gather(0, index)

    def _falling(
        self, rows: Tensor, found: _Best, length: Tensor, plan: tuple[tuple[int, int], ...], power: int
    ) -> Iterator[None]:
        """Normalised gradients with momentum from rows (S, K, N, d), seen by `found`; the step falls to 0 from length,
        one for all rows of a sample (1, K, N) or one for each (S, K, N).

        plan: how many of the rows of each sample make how many steps, the best ones so far going on.
        """
        velocity, steps = torch.zeros_like(rows), sum(count for _, count in plan)
        for step, starts in enumerate(starts for starts, count in plan for _ in range(count)):
            if starts < len(rows):
                index = found.first(starts)
                rows, velocity = _pick(rows, 0, index), _pick(velocity, 0, index)
                length = length.gather(0, index) if len(length) > 1 else length
                kept = found.picked(0, index)
                found.noise, found.loss, found.value = kept.noise, kept.loss, kept.value
            if self.left < starts:
                self.left = 0
                break
            slope = self._see(rows, found, gradient=True)
            if step:
                yield
            velocity = MOMENTUM * velocity + self._normalized(slope)
            going = length * (1 - step / steps) ** power
            rows = self._feasible(rows + going[..., None] * self._normalized(velocity))
        self._see(rows, found)
        yield

    def _settle(self, of: _Best, steps: int, share: float) -> Iterator[None]:
        """Steps from the best of `of`, each taken only where it raises the value, and made shorter elsewhere.

        The next length is where the slope would end if it went on falling as along this step (Barzilai & Borwein 1988).
        """
        if not self.left:
            return
        of = _Best(of.noise, of.loss, of.value)  # its own: a smaller radius's answer has another slope
        slope = self._see(of.noise, of, gradient=True)
        length, heading = share * self.attack.step_size(self._scale(of)), torch.zeros_like(slope)
        for step in range(1, steps + 1):
            last = step == steps or not self.left
            direction = self._normalized(self._normalized(slope) + MOMENTUM * heading)
            before, rows = of.noise, self._feasible(of.noise + length[..., None] * direction)
            value = of.value
            there = self._see(rows, of, gradient=not last)
            better = of.value > value
            yield
            if last:
                return
            rising, left = (slope * direction).sum(dim=-1), (there * direction).sum(dim=-1)
            bend = (rising - left).clamp_min(torch.finfo(rising.dtype).tiny)
            flat = torch.where(better, there.square().sum(dim=-1).sqrt(), rising) * length / bend
            flat = torch.where(rising > left, flat, torch.inf)
            length = torch.where(better, flat.clamp(length / 8, length * 2), flat.clamp(length / 8, length / 2))
            heading = torch.where(better[..., None], self._normalized(rows - before), torch.zeros_like(rows))
            slope = torch.where(better[..., None], there, slope)

    def _scale(self, of: _Best) -> Tensor:
        """The length of the best r, (S, K, N): what the search should step by; the radius where nothing is found."""
        length = of.noise.square().sum(dim=-1).sqrt()
        return torch.where(length > 0, length, self.radius)

    def _see(self, rows: Tensor, found: _Best, *, gradient: bool = False) -> Tensor:
        """Show r (S, K, N, d) to `found` and to the best of all; the value's slope there, for one gradient a row."""
        loss, slope = self._evaluate(rows, gradient)
        value = loss - self.attack.price * _squares(rows)
        found.see(rows, loss, value)
        if found is not self.best:
            top = value.argmax(dim=0, keepdim=True)
            self.best.see(_pick(rows, 0, top), loss.gather(0, top), value.gather(0, top))
        if len(self.attack.radii) > 1:
            raised = self.best.picked(1, self.best.value.cummax(dim=1).indices)
            self.best.noise, self.best.loss, self.best.value = raised.noise, raised.loss, raised.value
        self.left -= len(rows) if gradient else 0
        return slope - 2 * self.attack.price * rows

    def _normalized(self, slope: Tensor) -> Tensor:
        return self.attack.normalize(slope.flatten(0, -2)).view_as(slope)

    def _feasible(self, noise: Tensor) -> Tensor:
        rows = noise.flatten(0, 2)
        z = self.z.repeat(len(rows) // len(self.z), 1)
        radius = self.radius.expand(noise.shape[:3]).flatten()
        return self.attack.project(z, rows, radius).view_as(noise)

    def _evaluate(self, noise: Tensor, gradient: bool) -> tuple[Tensor, Tensor]:
        moved = self.z + noise
        if not gradient:
            return losses(self.objective, moved), torch.zeros_like(noise)
        found, slopes = [], []
        for objective, chunk in _chunks(self.objective, moved):
            chunk = chunk.detach().requires_grad_()
            with torch.enable_grad():
                loss = objective(chunk)
                (slope,) = torch.autograd.grad(loss.sum(), chunk)
            found.append(loss.detach())
            slopes.append(slope)
        return torch.cat(found).view(noise.shape[:3]), torch.cat(slopes).view_as(noise)


def _pick(rows: Tensor, dim: int, index: Tensor) -> Tensor:
    """`gather` for rows (S, K, N, d)."""
    return rows.gather(dim, index[..., None].expand(*index.shape, rows.shape[-1]))


def _one_step(objective: Loss | SampleLoss, z: Tensor, attack: Attack) -> tuple[Tensor, Tensor, Tensor]:
    """r = ε·∇ℓ(z)/‖∇ℓ(z)‖ for every radius: Alg. 1 l. 4 as the paper's official code solves it.

    Noise (K, N, d), its loss (K, N), the original loss (N,).
    """
    schedule = _Schedule(objective, z, attack, 0, 1)
    _, slope = schedule._evaluate(torch.zeros_like(schedule.best.noise[:, :1]), gradient=True)
    noise = schedule._feasible(schedule.radius[..., None] * schedule._normalized(slope))[0]
    return noise, losses(objective, z + noise), schedule.original


def _squares(noise: Tensor) -> Tensor:
    return noise.square().sum(dim=-1)
