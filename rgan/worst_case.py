"""The search for worst noise: the paper's inner problem (eq. 8), solved per sample.

    maximise over r:   ℓ(z + r) − λ‖r‖²   subject to ‖r‖ ≤ ε

ℓ is the generator's loss of one sample, λ the price of moving it, ε the radius. A rising list of radii is searched
in one batch. What is returned is each sample's best iterate, and a larger radius takes over the smaller one's answer
whenever that is better, so the worst value never falls as ε, the steps or the restarts grow.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from rgan.balls import project_ball, project_cap, random_directions, random_in_ball, turn, unit
from rgan.errors import SettingsError, number_between, one_of

Objective = Callable[[Tensor], Tensor]

METHODS = ("ascent", "one-step")
CHUNK = 256  # rows a call: large enough to fill the processor, small enough to stay in its cache


@dataclass(frozen=True)
class Settings:
    """What to search.

    radii: rising ε, in units of noise. price: λ, loss per squared unit of noise. steps: gradient steps a sample.
    method: "ascent" (projected gradient ascent, best iterate) or "one-step" (the paper's r = ε·∇ℓ/‖∇ℓ‖, taken as it
    is, also where it lowers the loss). restarts: starting points, the first at r = 0, the others uniform in the ball.
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


@dataclass(frozen=True)
class WorstNoise:
    """The state of a search over K radii and N samples, after `step` of its steps.

    noise: r, (K, N, d). loss: ℓ(z + r), (K, N). original: ℓ(z), (N,). gradient_calls: gradients a sample and radius
    has been given. done: the search has ended and the losses are the exact objective's.
    """

    settings: Settings
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
        return self.loss - self.settings.price * _squares(self.noise)


def search(
    objective: Objective,
    z: Tensor,
    settings: Settings,
    *,
    seed: int = 0,
    exact: Objective | None = None,
    start: Tensor | None = None,
) -> Iterator[WorstNoise]:
    """Search, yielding after every step; the last state is final (`done`). Stop by not asking for the next.

    Args:
        objective: noise (B, d) → loss of each row (B,), differentiable, rows independent of each other. It may be
            fast and coarse (bfloat16).
        z: original noise (N, d).
        seed: for the random starting points.
        exact: the objective in full precision, which makes the final comparison; `objective` itself by default.
        start: r (N, d) from which the first start begins where it beats r = 0; it is cut to each radius.
    """
    started = time.perf_counter()
    z = z.detach()
    exact = exact or objective
    if settings.method == "one-step":
        noise = _one_step(objective, z, settings)
        yield _settle(exact, z, settings, noise, step=1, calls=1, started=started)
        return
    ascent = _Ascent(objective, z, settings, seed, start)
    for step in range(1, settings.steps + 1):
        ascent.advance(gradient=step < settings.steps)
        noise, loss = ascent.answer()
        calls = min(step + 1, settings.steps) * settings.restarts + (start is not None)
        seconds = time.perf_counter() - started
        yield WorstNoise(settings, z, noise, loss, ascent.original, step, calls, seconds, done=False)
    yield _settle(exact, z, settings, noise, step, calls, started)


def run(
    objective: Objective,
    z: Tensor,
    settings: Settings,
    *,
    seed: int = 0,
    exact: Objective | None = None,
    start: Tensor | None = None,
) -> WorstNoise:
    """`search` to its end."""
    *_, final = search(objective, z, settings, seed=seed, exact=exact, start=start)
    return final


def merge(first: WorstNoise, second: WorstNoise) -> WorstNoise:
    """Two searches of the same noise at any radii as one: each radius keeps the best answer of all radii up to it.

    The one-step method has one answer a radius, so there the second search's answers stand.
    """
    radii = torch.tensor(first.settings.radii + second.settings.radii)
    order = radii.argsort(stable=True)
    noise = torch.cat([first.noise, second.noise])[order]
    loss = torch.cat([first.loss, second.loss])[order]
    if first.settings.method == "ascent":
        best = (loss - first.settings.price * _squares(noise)).cummax(dim=0).indices
        noise, loss = noise.gather(0, best[..., None].expand_as(noise)), loss.gather(0, best)
    rising = radii[order]
    last = torch.cat([rising[1:] != rising[:-1], torch.ones(1, dtype=torch.bool)])
    settings = dataclasses.replace(
        second.settings, radii=tuple(sorted({*first.settings.radii, *second.settings.radii}))
    )
    return dataclasses.replace(second, settings=settings, noise=noise[last], loss=loss[last])


def look_up(objective: Objective, found: WorstNoise, radius: float) -> WorstNoise:
    """Worst noise at a radius between searched ones, from their answers alone: two loss evaluations, no gradient.

    Each sample takes the better of the smaller radius's answer and the larger one's shortened to `radius`; r = 0
    stands in below the first. The result has one radius.
    """
    settings = dataclasses.replace(found.settings, radii=(radius,))
    below = max((k for k, known in enumerate(found.settings.radii) if known <= radius), default=None)
    above = min((k for k, known in enumerate(found.settings.radii) if known >= radius), default=None)
    candidates = [torch.zeros_like(found.z) if below is None else found.noise[below]]
    if above is not None and above != below:
        shortened = _project(found.z, found.noise[above], torch.full_like(found.original, radius), settings)
        candidates = [shortened] if settings.method == "one-step" else [*candidates, shortened]
    noise = torch.stack(candidates)
    loss = losses(objective, (found.z + noise).flatten(0, 1)).view(noise.shape[:2])
    best = (loss - settings.price * _squares(noise)).argmax(dim=0)
    rows = torch.arange(len(best))
    return dataclasses.replace(found, settings=settings, noise=noise[best, rows][None], loss=loss[best, rows][None])


def random_noise(z: Tensor, distance: Tensor, seed: int, *, tries: int = 1, keep_shell: bool = False) -> Tensor:
    """The control: random directions of given lengths (N,), shape (tries, N, d); on the shell if asked."""
    generator = torch.Generator().manual_seed(seed)
    directions = random_directions((tries * len(z), z.shape[1]), generator).to(z)
    repeated, distance = z.repeat(tries, 1), distance.repeat(tries)
    moved = turn(repeated, directions, distance) if keep_shell else directions * distance[:, None]
    return moved.view(tries, *z.shape)


def losses(objective: Objective, z: Tensor) -> Tensor:
    """ℓ of every row (N,), without gradients."""
    with torch.no_grad():
        return torch.cat([objective(chunk) for chunk in z.split(CHUNK)])


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
    so that the first iterate is the paper's one-step answer.
    """

    def __init__(self, objective: Objective, z: Tensor, settings: Settings, seed: int, start: Tensor | None):
        self.objective, self.z, self.settings = objective, z, settings
        starts, radii, (count, dimensions) = settings.restarts, len(settings.radii), z.shape
        self.radius = torch.tensor(settings.radii, dtype=z.dtype, device=z.device)[:, None].expand(radii, count)
        at_zero = self._evaluate(torch.zeros_like(z)[None, None])  # one gradient serves every radius
        self.original = at_zero.loss[0, 0]
        self.best = at_zero.expand(1, radii)
        if start is not None:
            begun = self._evaluate(self.feasible(start.expand(1, radii, count, dimensions)))
            self.best = self.best.where(self._value(begun) > self._value(self.best), begun)
        if starts > 1:
            generator = torch.Generator().manual_seed(seed)
            points = random_in_ball(((starts - 1) * radii * count, dimensions), generator).to(z)
            points = points.view(starts - 1, radii, count, dimensions) * self.radius[..., None]
            self.best = self.best.beside(self._evaluate(self.feasible(points)))
        self.length = self.radius.expand(starts, radii, count)

    def advance(self, *, gradient: bool) -> None:
        """Try one step in every row. The last step of a search needs no gradient where it lands."""
        uphill = self.best.slope - 2 * self.settings.price * self.best.noise
        move = self.length[..., None] * unit(uphill.flatten(0, 2)).view_as(uphill)
        candidate = self._evaluate(self.feasible(self.best.noise + move), gradient=gradient)
        better = self._value(candidate) > self._value(self.best)
        self.length = torch.where(better, self.length, self.length / 2)
        self.best = self.best.where(better, candidate)
        # Warm start: rows that a smaller radius beats go on from its answer.
        self.best = self.best.gather(1, self._value(self.best).cummax(dim=1).indices)

    def answer(self) -> tuple[Tensor, Tensor]:
        """The best start of each row: noise (K, N, d) and loss (K, N)."""
        chosen = self.best.gather(0, self._value(self.best).argmax(dim=0, keepdim=True))
        return chosen.noise[0], chosen.loss[0]

    def _value(self, points: _Points) -> Tensor:
        return points.loss - self.settings.price * _squares(points.noise)

    def feasible(self, noise: Tensor) -> Tensor:
        rows = noise.flatten(0, 2)
        z = self.z.repeat(len(rows) // len(self.z), 1)
        radius = self.radius.expand(noise.shape[:3]).flatten()
        return _project(z, rows, radius, self.settings).view_as(noise)

    def _evaluate(self, noise: Tensor, *, gradient: bool = True) -> _Points:
        rows = (self.z + noise).flatten(0, 2)
        if not gradient:
            return _Points(noise, losses(self.objective, rows).view(noise.shape[:3]), torch.zeros_like(noise))
        found, slopes = [], []
        for chunk in rows.split(CHUNK):
            chunk = chunk.detach().requires_grad_()
            with torch.enable_grad():
                loss = self.objective(chunk)
                (slope,) = torch.autograd.grad(loss.sum(), chunk)
            found.append(loss.detach())
            slopes.append(slope)
        return _Points(noise, torch.cat(found).view(noise.shape[:3]), torch.cat(slopes).view_as(noise))


def _one_step(objective: Objective, z: Tensor, settings: Settings) -> Tensor:
    """r = ε·∇ℓ(z)/‖∇ℓ(z)‖ for every radius, (K, N, d): Alg. 1 l. 4 as the paper's official code solves it."""
    ascent = _Ascent(objective, z, dataclasses.replace(settings, restarts=1), 0, None)
    return ascent.feasible(ascent.radius[None, ..., None] * unit(ascent.best.slope[0, 0]))[0]


def _settle(
    exact: Objective, z: Tensor, settings: Settings, noise: Tensor, step: int, calls: int, started: float
) -> WorstNoise:
    """Final losses by the exact objective; ascent keeps each sample's best answer among 0 and smaller radii."""
    original = losses(exact, z)
    loss = losses(exact, (z + noise).flatten(0, 1)).view(noise.shape[:2])
    if settings.method == "ascent":
        value = torch.cat([original[None], loss - settings.price * _squares(noise)])
        best = value.cummax(dim=0).indices[1:]
        loss = torch.cat([original[None], loss]).gather(0, best)
        noise = torch.cat([torch.zeros_like(noise[:1]), noise]).gather(0, best[..., None].expand_as(noise))
    return WorstNoise(settings, z, noise, loss, original, step, calls, time.perf_counter() - started, done=True)


def _project(z: Tensor, r: Tensor, radius: Tensor, settings: Settings) -> Tensor:
    return project_cap(z, r, radius) if settings.keep_shell else project_ball(r, radius)


def _squares(noise: Tensor) -> Tensor:
    return noise.square().sum(dim=-1)
