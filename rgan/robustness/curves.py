"""How models degrade as ε grows: badness, loss and FID of worst and of random noise, over several draws of noise.

A sweep goes through its samples in blocks, small ones first, so that curves can be drawn while it runs. Every radius of
a block is searched in one batch.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rgan.attack.search import BUDGETS, Attack, surveyed
from rgan.common import answers
from rgan.common.errors import number_between
from rgan.common.geometry import block_seed
from rgan.common.progress import Mapper
from rgan.metrics.diversity import vendi
from rgan.metrics.judges import Judge
from rgan.metrics.scores import by_judge, floor, frechet, least
from rgan.robustness.measured import JudgedGan, Measures, by_side, joined
from rgan.stats.intervals import Interval, mean_interval

FIRST, BLOCK = 8, 64  # samples of a repeat's first block, for a picture at once, and of the others
METRICS = {
    "badness": "badness", "bad": "share of bad images", "loss": "generator loss", "fid": "FID",
    "different": "images as different as",
}  # fmt: skip
MOVED = ("worst", "random")
VERSION = 1  # of the way all this is measured


@dataclass(frozen=True)
class CurvesPlan:
    """What to sweep: samples of each of `repeats` draws of noise (seed, seed + 1, …), rising radii ε, λ, budget."""

    radii: tuple[float, ...]
    samples: int = 256
    repeats: int = 3
    seed: int = 0
    price: float = 0.0
    gradients: int = BUDGETS["standard"]

    def __post_init__(self) -> None:
        number_between("samples", self.samples, 2, 100_000)
        number_between("repeats", self.repeats, 1, 1000)
        number_between("seed", self.seed, 0, 2**62)
        self.attack  # noqa: B018 - refuses impossible radii, price and budget now

    @property
    def attack(self) -> Attack:
        """Of the search."""
        return Attack(self.radii, self.price, self.gradients)

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
    """What is known of the models "A" and, where there are two, "B" so far.

    share: of the work done. fid, different: by side and one of MOVED, the FID and the Vendi score at ε = 0 and at each
    radius (K + 1) of every repeat that is finished. real_fid: expected of as many real images as a repeat has samples.
    FIDs are there only where these are enough for one (`scorable`).
    """

    plan: CurvesPlan
    blocks: dict[str, tuple[Block, ...]]
    share: float
    fid: dict[str, dict[str, tuple[np.ndarray, ...]]]
    different: dict[str, dict[str, tuple[np.ndarray, ...]]]
    real_fid: float | None

    @property
    def scorable(self) -> bool:
        """Whether a repeat has enough samples for an FID."""
        return self.real_fid is not None

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


def question(judged_gans: Sequence[JudgedGan], plan: CurvesPlan) -> dict[str, Any]:
    """What `curves_of` answers, as `rgan.common.answers` has it."""
    models = [judged.digests for judged in judged_gans]
    made = surveyed(plan.price, judged_gans[0].gan.recipe.latent)
    return answers.question("curves", VERSION, models, plan=plan, **made)


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
    standard = by_judge(judged_gans[0].judge)
    real = floor(standard, plan.samples) if plan.samples >= least(standard.reference.shape[1]) else None
    nothing: dict[str, dict[str, tuple[np.ndarray, ...]]] = {side: dict.fromkeys(MOVED, ()) for side in named}
    state = Curves(plan, dict.fromkeys(named, ()), 0.0, nothing, nothing, real)
    for index, (repeat, rows) in enumerate(todo):
        made = run(functools.partial(_block, plan=plan, repeat=repeat, rows=rows), named.values())
        blocks = {side: (*state.blocks[side], block) for side, block in zip(named, made, strict=True)}
        done = sum(block.stop - block.start for _, block in todo[: index + 1])
        state = dataclasses.replace(state, blocks=blocks, share=done / (plan.samples * plan.repeats))
        if rows.stop == plan.samples:
            state = dataclasses.replace(
                state,
                fid=_with(state, "fid", repeat, lambda seen, judge: frechet(seen, judge.reference), named)
                if state.scorable
                else nothing,
                different=_with(state, "different", repeat, lambda seen, judge: vendi(seen, judge.scale), named),
            )
        yield state


def _with(
    state: Curves, name: str, repeat: int, of: Callable[[Tensor, Judge], float], named: Mapping[str, JudgedGan]
) -> dict[str, dict[str, tuple[np.ndarray, ...]]]:
    """A number of features (N, F) along ε, of every repeat so far and of one that has just been finished."""
    found = {}
    for side, judged in named.items():
        blocks = [block for block in state.blocks[side] if block.repeat == repeat]
        found[side] = {
            kind: (*known, np.array([of(one.features, judged.judge) for one in _along(state, blocks, kind)]))
            for kind, known in getattr(state, name)[side].items()
        }
    return found


def _along(state: Curves, blocks: Sequence[Block], kind: str) -> list[Measures]:
    """The measures of a repeat's samples at ε = 0 and at each radius, K + 1."""
    steps = [[block.original for block in blocks]]
    steps += [[block.measures[kind][k] for block in blocks] for k in range(len(state.plan.radii))]
    return [joined(measures) for measures in steps]


def _block(judged: JudgedGan, plan: CurvesPlan, repeat: int, rows: slice) -> Block:
    seed = plan.seed + repeat
    judged, z = judged.of_samples(range(rows.start, rows.stop)), judged.gan.noise(rows.stop, seed)[rows]
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

    None where there is none yet: FID and diversity are of whole repeats only, FID of more samples than features.
    """
    if metric in ("fid", "different"):
        values = list(getattr(state, metric)[side][kind])
        if not values:
            return None
    else:
        values = [
            np.array([float(getattr(one, metric).double().mean()) for one in _along(state, blocks, kind)])
            for blocks in state.repeats(side)
        ]
    table = np.array(values)
    radii = np.array([0.0, *state.plan.radii])
    return RobustnessCurve(radii, table.mean(axis=0), table.min(axis=0), table.max(axis=0))


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
