"""The search for worst noise: the paper's inner problem (eq. 8), solved per sample.

    maximise over r:   ℓ(z + r) − λ‖r‖²   subject to ‖r‖ ≤ ε

ℓ is the generator's loss of one sample, λ the price of moving it, ε the radius. A rising list of radii is searched
in one batch. What is returned is each sample's best iterate, and a larger radius takes over the smaller one's answer
whenever that is better, so the worst value never falls as ε, the steps or the restarts grow.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from rgan.common.errors import SettingsError, number_between, one_of
from rgan.common.geometry import project_ball, project_cap, random_directions, random_in_ball, separate, turn, unit

Loss = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class SampleLoss:
    """An objective that is told whose row it is given: it holds each move against what that sample was before.

    of: noise (B, d) and the numbers (B,) of the samples, 0 to N − 1, that its rows belong to → loss of each row (B,).
    """

    of: Callable[[Tensor, Tensor], Tensor]

    def belonging(self, samples: Tensor) -> Loss:
        """The objective of rows that belong to these samples (B,)."""
        return lambda z: self.of(z, samples)


METHODS = ("ascent", "one-step")
BUDGETS = {"live": (10, 1), "standard": (40, 5), "strong": (100, 20)}  # steps and starts: 10, 200, 2,000 gradients
MOMENTUM = 0.75
SHARP_STEPS = 2  # last steps of a coarse search that are made in full precision
CHUNK = 224  # rows a call: large enough to fill the processor, small enough to stay in its cache


@dataclass(frozen=True)
class Attack:
    """What to search, and how: a subclass that overrides one of the four steps below is another attack.

    radii: rising ε, in units of noise. price: λ, loss per squared unit of noise. steps: gradient steps a sample.
    method: "ascent" (projected gradient ascent, best iterate) or "one-step" (the paper's r = ε·∇ℓ/‖∇ℓ‖, taken as it
    is, also where it lowers the loss). restarts: starting points, the first at r = 0, the others as `initial` says.
    keep_shell: z + r keeps the length of z, so worst noise is as long as ordinary noise.
    """

    radii: tuple[float, ...]
    price: float = 0.0
    steps: int = 10
    method: str = "ascent"
    restarts: int = 1
    keep_shell: bool = False

    def __post_init__(self) -> None:
        if not self.radii:
            raise SettingsError("expected at least one radius ε, got none")
        for radius in self.radii:
            number_between("radius ε", radius, 0, 1e6)
        if any(b <= a for a, b in zip(self.radii, self.radii[1:], strict=False)):
            raise SettingsError(f"expected rising radii, got {self.radii}; sort them and drop repeats")
        number_between("price λ", self.price, 0, 1e9)
        number_between("steps", self.steps, 1, 10_000)
        number_between("restarts", self.restarts, 1, 1000)
        one_of("method", self.method, METHODS)

    @classmethod
    def within(cls, radius: float, *, price: float = 0.0, budget: str = "standard") -> Self:
        """The attack within one radius that costs one of BUDGETS.

        Raises:
            SettingsError: impossible numbers, or another word.
        """
        one_of("the budget", budget, tuple(BUDGETS))
        steps, restarts = BUDGETS[budget]
        return cls((float(radius),), price, steps, restarts=restarts)

    def normalize(self, slope: Tensor) -> Tensor:
        """Directions (n, d) to step in, from slopes (n, d): unit vectors."""
        return unit(slope)

    def project(self, z: Tensor, r: Tensor, radius: Tensor) -> Tensor:
        """The r (n, d) within each row's radius (n,) of noise z (n, d) that is nearest to the one given."""
        return project_cap(z, r, radius) if self.keep_shell else project_ball(r, radius)

    def initial(self, radius: Tensor, dimensions: int, stream: torch.Generator) -> Tensor:
        """Where a further start begins, r (n, d) for radii (n,): uniform in the ball."""
        return random_in_ball((len(radius), dimensions), stream).to(radius) * radius[:, None]

    def step_size(self, radius: Tensor) -> Tensor:
        """Length (n,) of the first step; a step that fails is halved. The whole radius: the paper's one-step answer."""
        return radius


@dataclass(frozen=True)
class WorstNoise:
    """The state of a search over K radii and N samples, after `step` of its steps.

    noise: r, (K, N, d). loss: ℓ(z + r), (K, N). original: ℓ(z), (N,). gradient_calls: gradients a sample and radius
    has been given. done: the search has ended and the losses are the exact objective's.
    """

    attack: Attack
    z: Tensor
    noise: Tensor
    loss: Tensor
    original: Tensor
    step: int
    gradient_calls: int
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
        seed: for the random starting points.
        exact: the objective in full precision, which takes over for the last steps and gives the final losses;
            `objective` itself by default.
        start: r (N, d) from which the first start begins where it beats r = 0; it is cut to each radius.
    """
    started = time.perf_counter()
    z = z.detach()

    def state(noise: Tensor, loss: Tensor, original: Tensor, step: int, calls: int, done: bool) -> WorstNoise:
        return WorstNoise(attack, z, noise, loss, original, step, calls, time.perf_counter() - started, done)

    if attack.method == "one-step":
        yield state(*_one_step(exact or objective, z, attack), step=1, calls=1, done=True)
        return
    sharpened = max(1, attack.steps - SHARP_STEPS + 1) if exact is not None else None
    ascent = _Ascent(objective, z, attack, seed, start)
    for step in range(1, attack.steps + 1):
        if exact is not None and step == sharpened:
            ascent.sharpen(exact)
        ascent.advance(gradient=step < attack.steps and step + 1 != sharpened)
        calls = min(step + 1, attack.steps) * attack.restarts + (start is not None)
        yield state(*ascent.answer(), step=step, calls=calls, done=step == attack.steps)


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
    """The rows of noise (…, N, d) in pieces of CHUNK, each with the objective of its rows."""
    rows = z.flatten(0, -2)
    if not isinstance(objective, SampleLoss):
        yield from ((objective, chunk) for chunk in rows.split(CHUNK))
        return
    samples = torch.arange(len(rows)) % z.shape[-2]
    for chunk, which in zip(rows.split(CHUNK), samples.split(CHUNK), strict=True):
        yield objective.belonging(which), chunk


@dataclass(frozen=True)
class _Points:
    """Noise (S, K, N, d) with its loss (S, K, N) and the loss's gradient (S, K, N, d), for S starts."""

    noise: Tensor
    loss: Tensor
    slope: Tensor

    def expand(self, starts: int, radii: int) -> _Points:
        return _Points(*(tensor.expand(starts, radii, *tensor.shape[2:]) for tensor in self._all()))

    def where(self, mask: Tensor, other: _Points) -> _Points:
        """`other` where mask (S, K, N) holds, self elsewhere."""
        return _Points(
            torch.where(mask[..., None], other.noise, self.noise),
            torch.where(mask, other.loss, self.loss),
            torch.where(mask[..., None], other.slope, self.slope),
        )

    def gather(self, dim: int, index: Tensor) -> _Points:
        wide = index[..., None].expand(*index.shape, self.noise.shape[-1])
        return _Points(self.noise.gather(dim, wide), self.loss.gather(dim, index), self.slope.gather(dim, wide))

    def beside(self, other: _Points) -> _Points:
        """Both, as starts one after the other."""
        return _Points(*(torch.cat(pair) for pair in zip(self._all(), other._all(), strict=True)))

    def _all(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.noise, self.loss, self.slope


class _Ascent:
    """Projected gradient ascent from the best iterate of each row: a step that fails is halved, not taken.

    `best` has a row for every start, radius and sample; `length` is each row's next step, at first the whole radius,
    so that the first iterate is the paper's one-step answer; `heading` is the direction of the last step taken, which
    the next one keeps in part (heavy ball, Polyak 1964) and a failed one forgets.
    """

    def __init__(self, objective: Loss | SampleLoss, z: Tensor, attack: Attack, seed: int, start: Tensor | None):
        self.objective, self.z, self.attack = objective, z, attack
        starts, radii, (count, dimensions) = attack.restarts, len(attack.radii), z.shape
        self.radius = torch.tensor(attack.radii, dtype=z.dtype, device=z.device)[:, None].expand(radii, count)
        at_zero = self._evaluate(torch.zeros_like(z)[None, None])  # one gradient serves every radius
        self.original = at_zero.loss[0, 0]
        self.best = at_zero.expand(1, radii)
        if start is not None:
            begun = self._evaluate(self.feasible(start.expand(1, radii, count, dimensions)))
            self.best = self.best.where(self._value(begun) > self._value(self.best), begun)
        if starts > 1:
            # A stream for each start: those of a smaller number of starts are among those of a larger one.
            streams = [separate(seed, f"start {start}") for start in range(1, starts)]
            points = torch.stack([attack.initial(self.radius.flatten(), dimensions, stream) for stream in streams])
            self.best = self.best.beside(
                self._evaluate(self.feasible(points.view(starts - 1, radii, count, dimensions)))
            )
        self.length = attack.step_size(self.radius.flatten()).view(radii, count).expand(starts, radii, count)
        self.heading = torch.zeros_like(self.best.noise)

    def advance(self, *, gradient: bool) -> None:
        """Try one step in every row. The last step of a search needs no gradient where it lands."""
        uphill = self.best.slope - 2 * self.attack.price * self.best.noise
        direction = self.normalized(self.normalized(uphill) + MOMENTUM * self.heading)
        candidate = self._evaluate(
            self.feasible(self.best.noise + self.length[..., None] * direction), gradient=gradient
        )
        better = self._value(candidate) > self._value(self.best)
        taken = self.normalized(candidate.noise - self.best.noise)
        self.heading = torch.where(better[..., None], taken, torch.zeros_like(taken))
        self.length = torch.where(better, self.length, self.length / 2)
        self.best = self.best.where(better, candidate)
        # Warm start: rows that a smaller radius beats go on from its answer.
        source = self._value(self.best).cummax(dim=1).indices
        self.best = self.best.gather(1, source)
        self.heading = self.heading.gather(1, source[..., None].expand_as(self.heading))

    def sharpen(self, exact: Loss | SampleLoss) -> None:
        """Go on with another objective; its losses replace the old ones, and rows it finds worse than r = 0 restart.

        Steps shorter than a quarter of the radius grow to it: some were cut by differences that the coarse objective
        could not resolve.
        """
        self.objective = exact
        at_zero = self._evaluate(torch.zeros_like(self.z)[None, None])
        self.original = at_zero.loss[0, 0]
        judged = self._evaluate(self.best.noise)
        at_zero = at_zero.expand(*judged.loss.shape[:2])
        self.best = at_zero.where(self._value(judged) > self._value(at_zero), judged)
        self.length = torch.maximum(self.length, self.radius / 4)

    def answer(self) -> tuple[Tensor, Tensor, Tensor]:
        """The best start of each row: noise (K, N, d) and loss (K, N); and the original loss (N,)."""
        chosen = self.best.gather(0, self._value(self.best).argmax(dim=0, keepdim=True))
        return chosen.noise[0], chosen.loss[0], self.original

    def _value(self, points: _Points) -> Tensor:
        return points.loss - self.attack.price * _squares(points.noise)

    def normalized(self, slope: Tensor) -> Tensor:
        return self.attack.normalize(slope.flatten(0, -2)).view_as(slope)

    def feasible(self, noise: Tensor) -> Tensor:
        rows = noise.flatten(0, 2)
        z = self.z.repeat(len(rows) // len(self.z), 1)
        radius = self.radius.expand(noise.shape[:3]).flatten()
        return self.attack.project(z, rows, radius).view_as(noise)

    def _evaluate(self, noise: Tensor, *, gradient: bool = True) -> _Points:
        moved = self.z + noise
        if not gradient:
            return _Points(noise, losses(self.objective, moved), torch.zeros_like(noise))
        found, slopes = [], []
        for objective, chunk in _chunks(self.objective, moved):
            chunk = chunk.detach().requires_grad_()
            with torch.enable_grad():
                loss = objective(chunk)
                (slope,) = torch.autograd.grad(loss.sum(), chunk)
            found.append(loss.detach())
            slopes.append(slope)
        return _Points(noise, torch.cat(found).view(noise.shape[:3]), torch.cat(slopes).view_as(noise))


def _one_step(objective: Loss | SampleLoss, z: Tensor, attack: Attack) -> tuple[Tensor, Tensor, Tensor]:
    """r = ε·∇ℓ(z)/‖∇ℓ(z)‖ for every radius: Alg. 1 l. 4 as the paper's official code solves it.

    Noise (K, N, d), its loss (K, N), the original loss (N,).
    """
    ascent = _Ascent(objective, z, dataclasses.replace(attack, restarts=1), 0, None)
    noise = ascent.feasible(ascent.radius[None, ..., None] * ascent.normalized(ascent.best.slope[:, :1]))[0]
    return noise, losses(objective, z + noise), ascent.original


def _squares(noise: Tensor) -> Tensor:
    return noise.square().sum(dim=-1)
