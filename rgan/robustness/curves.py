"""How models degrade as ε grows: badness, loss and FID of worst and of random noise, over several draws of noise.

A sweep goes through its samples in blocks, small ones first, so that curves can be drawn while it runs. Every radius of
a block is searched in one batch.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rgan.attack.search import Attack
from rgan.common.errors import number_between
from rgan.common.geometry import block_seed
from rgan.metrics.scores import by_judge, floor, frechet, least
from rgan.robustness.measured import JudgedGan, Measures, by_side, joined
from rgan.stats.intervals import Interval, mean_interval

Mapper = Callable[[Callable[[JudgedGan], "Block"], Iterable[JudgedGan]], Iterable["Block"]]

FIRST, BLOCK = 8, 64  # samples of a repeat's first block, for a picture at once, and of the others
METRICS = {"badness": "badness", "bad": "share of bad images", "loss": "generator loss", "fid": "FID"}
MOVED = ("worst", "random")


@dataclass(frozen=True)
class CurvesPlan:
    """What to sweep: samples of each of `repeats` draws of noise (seed, seed + 1, …), rising radii ε, λ, steps."""

    radii: tuple[float, ...]
    samples: int = 256
    repeats: int = 3
    seed: int = 0
    price: float = 0.0
    steps: int = 10

    def __post_init__(self) -> None:
        number_between("samples", self.samples, 2, 100_000)
        number_between("repeats", self.repeats, 1, 1000)
        number_between("seed", self.seed, 0, 2**62)
        self.attack  # noqa: B018 - refuses impossible radii, price and steps now

    @property
    def attack(self) -> Attack:
        """Of the search."""
        return Attack(self.radii, self.price, self.steps)

    def blocks(self) -> list[tuple[int, slice]]:
        """Repeats and the samples of each block, in the order they are made."""
        edges = [0, *range(min(FIRST, self.samples), self.samples, BLOCK), self.samples]
        rows = [slice(start, end) for start, end in itertools.pairwise(edges)]
        return [(repeat, block) for repeat in range(self.repeats) for block in rows]


@dataclass(frozen=True)
class Block:
    """Some samples of one repeat in one model: z (N, d); r (K, N, d) and a measure at each of K radii, by MOVED."""

    repeat: int
    z: Tensor
    original: Measures
    noise: dict[str, Tensor]
    measures: dict[str, tuple[Measures, ...]]


@dataclass(frozen=True)
class Curves:
    """What is known of the models "A" and, where there are two, "B" so far; share: of the work done."""

    plan: CurvesPlan
    judged_gans: dict[str, JudgedGan]
    blocks: dict[str, tuple[Block, ...]]
    share: float

    def repeats(self, side: str) -> list[list[Block]]:
        """The blocks of each repeat that is finished; of the first one while none is."""
        found = [[block for block in self.blocks[side] if block.repeat == one] for one in range(self.plan.repeats)]
        return [blocks for blocks in found if self._whole(blocks)] or [blocks for blocks in found if blocks]

    @property
    def finished(self) -> int:
        """Repeats that are finished."""
        return sum(self._whole(blocks) for blocks in self.repeats("A"))

    def _whole(self, blocks: list[Block]) -> bool:
        return sum(len(block.z) for block in blocks) == self.plan.samples


@dataclass(frozen=True)
class RobustnessCurve:
    """A number at ε = 0 and at each radius (K + 1): its mean over repeats, the lowest and the highest repeat."""

    radii: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


def curves_of(judged_gans: Sequence[JudgedGan], plan: CurvesPlan, *, run: Mapper = map) -> Iterator[Curves]:
    """Try worst and random noise at every radius, yielding after each block; stop by not asking for the next.

    Args:
        judged_gans: A, or A and B, which are given the same noise and the same random directions.
        run: like `map`; one that works side by side makes the models' blocks at the same time.

    Raises:
        SettingsError: no model or more than two, or they draw from different numbers of noise dimensions.
    """
    named = by_side(judged_gans)
    todo = plan.blocks()
    state = Curves(plan, named, dict.fromkeys(named, ()), 0.0)
    for index, (repeat, rows) in enumerate(todo):
        made = run(functools.partial(_block, plan=plan, repeat=repeat, rows=rows), named.values())
        blocks = {side: (*state.blocks[side], block) for side, block in zip(named, made, strict=True)}
        done = sum(block.stop - block.start for _, block in todo[: index + 1])
        state = dataclasses.replace(state, blocks=blocks, share=done / (plan.samples * plan.repeats))
        yield state


def _block(judged: JudgedGan, plan: CurvesPlan, repeat: int, rows: slice) -> Block:
    seed = plan.seed + repeat
    z = judged.gan.noise(rows.stop, seed)[rows]
    found = judged.perturb(z, plan.attack, seed=seed, control_seed=block_seed(seed, rows.start))
    noise = {"worst": torch.stack([one.r for one in found]), "random": torch.stack([one.random for one in found])}
    count = len(z)
    tried = judged.measure(torch.cat([z, *((z + noise[kind]).flatten(0, 1) for kind in MOVED)]))
    measures = {
        kind: tuple(
            tried.rows(slice((1 + m * len(plan.radii) + k) * count, (2 + m * len(plan.radii) + k) * count))
            for k in range(len(plan.radii))
        )
        for m, kind in enumerate(MOVED)
    }
    return Block(repeat, z, tried.rows(slice(count)), noise, measures)


def curve(state: Curves, side: str, kind: str, metric: str) -> RobustnessCurve | None:
    """One of METRICS of worst or random noise against ε.

    None where there is none yet: FID is of whole repeats only, and of more samples than features.
    """
    if metric == "fid" and not (scorable(state) and state.finished):
        return None
    values = []
    for blocks in state.repeats(side):
        steps = [[block.original for block in blocks]]
        steps += [[block.measures[kind][k] for block in blocks] for k in range(len(state.plan.radii))]
        values.append([_value(state.judged_gans[side], joined(measures), metric) for measures in steps])
    table = np.array(values)
    radii = np.array([0.0, *state.plan.radii])
    return RobustnessCurve(radii, table.mean(axis=0), table.min(axis=0), table.max(axis=0))


def scorable(state: Curves) -> bool:
    """Whether a repeat has enough samples for an FID."""
    return state.plan.samples >= least(state.judged_gans["A"].judge.reference.shape[1])


def real_fid(state: Curves) -> float | None:
    """The FID expected of as many real images as a repeat has samples; None where these are too few for an FID."""
    return floor(by_judge(state.judged_gans["A"].judge), state.plan.samples) if scorable(state) else None


def difference(state: Curves, kind: str) -> list[Interval]:
    """What moving adds to B's badness beyond what it adds to A's, at ε = 0 and each radius: pairs of the same noise.

    The intervals are over all samples of all repeats, each for its own radius. Above 0: B suffers more.
    """
    a, b = (_rises(state, side, kind) for side in "AB")
    return [mean_interval(beyond) for beyond in b - a]


def _rises(state: Curves, side: str, kind: str) -> Tensor:
    """Badness beyond the original's, (K + 1, all samples)."""
    start = torch.cat([block.original.badness for block in state.blocks[side]])
    moved = [
        torch.cat([block.measures[kind][k].badness for block in state.blocks[side]])
        for k in range(len(state.plan.radii))
    ]
    return torch.stack([start, *moved]) - start


def _value(judged: JudgedGan, measure: Measures, metric: str) -> float:
    if metric == "fid":
        return frechet(measure.features, judged.judge.reference)
    per_sample = {"badness": measure.badness, "bad": measure.bad, "loss": measure.loss}[metric]
    return float(per_sample.double().mean())
