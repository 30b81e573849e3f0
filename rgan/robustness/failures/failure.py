"""One failure, found again from its model, seed, number and settings: the way there, and the real images nearest to it.

Three ways lead away from the original noise: the straight line to the worst noise, the search's own steps, and a
straight line as long in a random direction.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rgan.attack.objectives import pixel_change
from rgan.attack.perturbation import straight_path, with_controls
from rgan.attack.search import WorstNoise
from rgan.common.errors import number_between
from rgan.common.formatting import per_cent
from rgan.common.geometry import block_seed
from rgan.common.images import to_uint8
from rgan.metrics.judges import BAD, distances
from rgan.robustness.curves import MOVED
from rgan.robustness.failures.pool import BLOCK, MOST, Pool, PoolPlan
from rgan.robustness.measured import JudgedGan
from rgan.robustness.minimal_radius import bisect

WAYS = {"straight": "straight to the worst noise", "search": "the search, find by find", "random": "random direction"}
FRAMES = 33  # of a straight way
TURN = 1e-3  # of the straight way: how exactly the turning point is known


@dataclass(frozen=True)
class Way:
    """Points of a way from the original noise, T of them.

    at: 0 to 1 along a straight way, gradients spent by the search (T,). noise: (T, d). images: uint8 (T, H, W, C).
    loss: by the critic, NaN without one; distance, badness: by the judge; change: of the image, (T,) each.
    """

    at: np.ndarray
    noise: np.ndarray
    images: np.ndarray
    loss: np.ndarray
    distance: np.ndarray
    badness: np.ndarray
    change: np.ndarray

    @property
    def bad(self) -> np.ndarray:
        """Whether each image is bad, (T,)."""
        return self.badness >= BAD


@dataclass(frozen=True)
class Nearest:
    """Real images of the model's file that the judge finds most like an image: uint8 (k, H, W, C), nearest first.

    index: their numbers among `Gan.reference`, (k,). distance: in the judge's features, (k,).
    """

    index: np.ndarray
    images: np.ndarray
    distance: np.ndarray


@dataclass(frozen=True)
class Failure:
    """Row `index` of a plan's noise in one model.

    z, noise, random: original noise, worst r and random direction of its length, (d,). ways: by WAYS, without "search"
    where it was not searched anew; the first point of each is the original, the last of "straight" the worst. turns:
    where the straight way turns bad, from 0 to 1, None where it begins bad or never is. nearest: to the original and
    the worst image; None if the file has no real images.
    """

    plan: PoolPlan
    index: int
    z: np.ndarray
    noise: np.ndarray
    random: np.ndarray
    ways: dict[str, Way]
    turns: float | None
    nearest: dict[str, Nearest] | None

    @property
    def loss(self) -> float:
        """Of the worst image."""
        return float(self.ways["straight"].loss[-1])

    @property
    def badness(self) -> float:
        """Of the worst image."""
        return float(self.ways["straight"].badness[-1])

    @property
    def sentence(self) -> str:
        """Where it turns bad."""
        way = self.ways["straight"]
        if self.turns is not None:
            length = float(np.linalg.norm(self.noise))
            return f"It turns bad {per_cent(self.turns)} of the way, {self.turns * length:.2f} from the original noise."
        if way.bad[0]:
            return "Its image is bad from the start."
        return "Its image is not bad on the straight way to the worst noise."


def failure(judged: JudgedGan, plan: PoolPlan, index: int, *, frames: int = FRAMES, near: int = 6) -> Failure:
    """Find row `index` again by searching its block, which gives it to the bit as `failures.pool` does.

    `index` may lie beyond the plan's samples, of which rows do not depend.

    Raises:
        SettingsError: impossible numbers.
        CheckpointError: the critic's loss is to be raised and there is no critic.
    """
    number_between("index", index, 0, MOST - 1)
    number_between("frames", frames, 2, 1000)
    number_between("near", near, 1, 1000)
    start, row = index // BLOCK * BLOCK, index % BLOCK
    block = judged.gan.noise(start + BLOCK, plan.seed)[start:]
    whole, seed = judged.of_samples(range(start, start + BLOCK)), block_seed(plan.seed, start)
    objective = whole.objective(plan.objective, block)
    states = list(objective.search(block, plan.attack, seed=seed))
    spent, steps = _progress(states, row)
    found = with_controls(objective.loss, states[-1], seed=seed, best_random=False)
    z, noise, random = block[row], found.r[row], found.random[row]
    seen = _seen(judged, plan, index, (z, noise, random), frames, near)
    search = _way(judged.of_samples([index]), spent, z + steps)
    return dataclasses.replace(seen, ways={name: seen.ways.get(name, search) for name in WAYS})


def of_pool(judged: JudgedGan, found: Pool, side: str, index: int, *, frames: int = FRAMES, near: int = 6) -> Failure:
    """Row `index` of a pool in its model `side`, which is `judged`, without another search: the two straight ways."""
    noise = (found.rows[side].noise[kind][index] for kind in MOVED)
    return _seen(judged, found.plan, index, (found.z[index], *noise), frames, near)


def _seen(judged: JudgedGan, plan: PoolPlan, index: int, noise: tuple[Tensor, ...], frames: int, near: int) -> Failure:
    """noise: z, worst r and random r, (d,) each."""
    z, worst, random = noise
    judged = judged.of_samples([index])
    share = torch.linspace(0, 1, frames)
    ways = {
        name: _way(judged, share, straight_path(z, move, frames))
        for name, move in (("straight", worst), ("random", random))
    }
    turns = turning_point(judged, z, worst, ways["straight"])
    nearest = _nearest(judged, ways["straight"], near)
    return Failure(plan, index, z.numpy(), worst.numpy(), random.numpy(), ways, turns, nearest)


def _progress(states: list[WorstNoise], row: int) -> tuple[Tensor, Tensor]:
    """Where a search's best r of one row changed: gradients spent until then (T,), and r (T, d), from r = 0 on."""
    spent, noise = [0], [torch.zeros_like(states[0].noise[0, row])]
    for state in states:
        if not torch.equal(state.noise[0, row], noise[-1]):
            spent.append(state.gradients)
            noise.append(state.noise[0, row])
    return torch.tensor(spent), torch.stack(noise)


def turning_point(judged: JudgedGan, z: Tensor, noise: Tensor, way: Way) -> float | None:
    """The t in (0, 1] where the image of z + t·r, both (d,), turns bad, to TURN; None if it never does or starts so.

    Searched for between the last good and the first bad point of the straight `way`: what is bad between two of its
    points alone goes unseen.
    """
    bad = way.bad
    if bad[0] or not bad.any():
        return None
    first = int(bad.argmax())
    low, high = torch.tensor(way.at[[first - 1, first]], dtype=torch.float64)[:, None]

    def turned(at: Tensor) -> Tensor:
        return judged.measure(z + at.to(z)[:, None] * noise).bad

    return float(bisect(turned, low, high, TURN))


def _way(judged: JudgedGan, at: Tensor, noise: Tensor) -> Way:
    images, measure = judged.look(noise)
    return Way(
        at.numpy(),
        noise.numpy(),
        to_uint8(images),
        measure.loss.numpy(),
        measure.opinion.distance.numpy(),
        measure.badness.numpy(),
        pixel_change(images, images[:1]).numpy(),
    )


def _nearest(judged: JudgedGan, way: Way, count: int) -> dict[str, Nearest] | None:
    real = judged.gan.reference
    if real is None or judged.real is None:
        return None
    seen = judged.measure(torch.from_numpy(way.noise[[0, -1]])).features
    apart = distances(seen, judged.real)
    found = apart.topk(min(count, len(real)), dim=1, largest=False, sorted=True)
    shown = real.permute(0, 2, 3, 1).numpy()
    return {
        kind: Nearest(index.numpy(), shown[index.numpy()], distance.numpy())
        for kind, index, distance in zip(("original", "worst"), found.indices, found.values, strict=True)
    }
