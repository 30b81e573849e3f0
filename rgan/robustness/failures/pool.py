"""Bad images among thousands: a search over a pool of noise, who is worst, and how common bad images are.

Rows of a pool depend on the seed and their number alone. They are searched in blocks that are always whole, because
rounding depends on the shape of a batch, and a search of many steps can end elsewhere for it: row i of a small pool is
row i of a large one, to the bit, and one failure can be found again by searching its block.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rgan.attack.objectives import CRITIC, check_method, pixel_change
from rgan.attack.perturbation import to_move
from rgan.attack.search import Attack, surveyed
from rgan.common import answers
from rgan.common.errors import SettingsError, number_between, one_of
from rgan.common.formatting import per_cent
from rgan.common.geometry import block_seed
from rgan.common.progress import Mapper
from rgan.metrics.judges import BAD
from rgan.robustness.attributes import AttributeChanges, attribute_changes, changed
from rgan.robustness.checks import MOST_SAMPLES, Strength, measure_strength, strength, too_weak
from rgan.robustness.curves import MOVED
from rgan.robustness.measured import JudgedGan, Measures, by_side, joined
from rgan.stats.intervals import Share, ShareDifference, share, share_difference

BLOCK = 64  # rows a search: per row as fast as more of them, and a lone failure costs no more than one block
VERSION = 1  # of the way all this is measured
MOST = 20_000  # rows of a pool
SEARCHED = 0.9  # of the work; the rest checks the search
LIMITS: dict[str, tuple[float, float]] = {  # of a plan, and so of a link to one of its rows
    "seed": (0, 2**62), "radius": (0.0, 1000.0), "price": (0.0, 1e6), "gradients": (1, 100_000)
}  # fmt: skip
NOISES = ("original", *MOVED)
# rise: what moving adds to badness; attributes: how many a judge reads that moving changes
BY = ("badness", "rise", "loss", "change", "attributes")
OF_MOVES = ("rise", "change", "attributes")  # of BY, what original noise does not have
BASE_RATE = f"Of held-out real images, {per_cent(1 - BAD, 0)} are bad in this sense, by definition."


@dataclass(frozen=True)
class PoolPlan:
    """What to search: `samples` rows of the noise of `seed`, at the one radius of `attack`.

    objective: what the search raises, one of `objectives.OBJECTIVES`.

    Raises:
        SettingsError: several radii, impossible numbers, or a method that cannot raise that.
    """

    attack: Attack
    samples: int = 2000
    seed: int = 0
    objective: str = CRITIC

    def __post_init__(self) -> None:
        if len(self.attack.radii) != 1:
            raise SettingsError(f"expected one radius ε, got {self.attack.radii}; choose one of them")
        number_between("samples", self.samples, 2, MOST)
        attack = self.attack
        asked = {"seed": self.seed, "radius": self.radius, "price": attack.price}
        for name, value in (asked | {"gradients": attack.gradients}).items():
            number_between(name, value, *LIMITS[name])
        check_method(self.objective, self.attack.method)

    @property
    def radius(self) -> float:
        """ε."""
        return self.attack.radii[0]

    def starts(self) -> range:
        """The first row of each block."""
        return range(0, self.samples, BLOCK)


@dataclass(frozen=True)
class Rows:
    """One model's rows so far: r (N, d) by MOVED, a measure by NOISES, and `objectives.pixel_change` (N,) by MOVED."""

    noise: dict[str, Tensor]
    measures: dict[str, Measures]
    change: dict[str, Tensor]

    def __len__(self) -> int:
        return len(self.measures["original"].loss)

    @property
    def has_loss(self) -> bool:
        """Whether the model has a critic."""
        return not bool(self.measures["original"].loss.isnan().all())

    @property
    def readable(self) -> bool:
        """Whether the judge reads attributes."""
        return bool(self.measures["original"].opinion.attributes)

    def changed(self, kind: str) -> dict[str, Tensor]:
        """By attribute, in which images (N,) one of MOVED changes it."""
        return changed(*(self.measures[one].opinion.attributes for one in ("original", kind)))

    @property
    def attributes(self) -> AttributeChanges | None:
        """What worst and random noise change in the images, as far as the judge reads it."""
        return attribute_changes(*(self.measures[kind].opinion.attributes for kind in ("original", "worst", "random")))

    def first(self, count: int) -> Rows:
        """The first rows."""
        rows = slice(count)
        return Rows(
            {kind: noise[rows] for kind, noise in self.noise.items()},
            {kind: measure.rows(rows) for kind, measure in self.measures.items()},
            {kind: change[rows] for kind, change in self.change.items()},
        )


@dataclass(frozen=True)
class Pool:
    """What is known so far of the models "A" and, where there are two, "B".

    z: noise (N, d) of the rows so far, the same for both. share: of the work done. strength: how much of the worst
    noise the search finds, measured on the first rows at the end; empty before, and at ε 0.
    """

    plan: PoolPlan
    z: Tensor
    rows: dict[str, Rows]
    share: float
    strength: dict[str, Strength] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Whether all rows are there."""
        return len(self.z) == self.plan.samples

    def noise(self, side: str, kind: str, index: Sequence[int] | np.ndarray) -> Tensor:
        """Noise (n, d) of one of NOISES of some rows."""
        rows = torch.as_tensor(np.asarray(index), dtype=torch.long)
        return self.z[rows] if kind == "original" else self.z[rows] + self.rows[side].noise[kind][rows]


def question(judged_gans: Sequence[JudgedGan], plan: PoolPlan) -> dict[str, Any]:
    """What `pool` answers, as `rgan.common.answers` has it."""
    models = [judged.digests for judged in judged_gans]
    made = surveyed(plan.attack.price, judged_gans[0].gan.recipe.latent)
    return answers.question("pool", VERSION, models, plan=plan, **made)


def pool(judged_gans: Sequence[JudgedGan], plan: PoolPlan, *, run: Mapper = map) -> Iterator[Pool]:
    """Search and judge a pool, yielding after every block; stop by not asking for the next.

    Args:
        judged_gans: A, or A and B, which are given the same noise and the same random directions.
        run: like `map`; one that works side by side makes the models' blocks at the same time.

    Raises:
        SettingsError: no model or more than two, or they draw from different numbers of noise dimensions.
        CheckpointError: the critic's loss is to be raised and there is no critic.
    """
    named = by_side(judged_gans)
    whole = len(plan.starts()) * BLOCK
    z = judged_gans[0].gan.noise(whole, plan.seed)
    parts: dict[str, list[Rows]] = {side: [] for side in named}
    for start in plan.starts():
        work = functools.partial(_block, plan=plan, z=z[start : start + BLOCK], start=start)
        for side, rows in zip(named, run(work, named.values()), strict=True):
            parts[side].append(rows)
        count = min(start + BLOCK, plan.samples)
        together = {side: _together(each).first(count) for side, each in parts.items()}
        state = Pool(plan, z[:count], together, SEARCHED * count / plan.samples)
        yield state
    yield dataclasses.replace(state, share=1.0, strength=_strength(named, state, run) if plan.radius else {})


def _strength(named: dict[str, JudgedGan], found: Pool, run: Mapper) -> dict[str, Strength]:
    plan, rows = found.plan, slice(MOST_SAMPLES)

    def measured(item: tuple[str, JudgedGan]) -> Strength:
        side, judged = item
        z, r = found.z[rows], found.rows[side].noise["worst"][rows]
        objective = judged.of_samples(range(len(z))).objective(plan.objective, z, precision="auto")
        return measure_strength(objective, z, r, plan.attack, block_seed(plan.seed, 0))

    return dict(zip(named, run(measured, named.items()), strict=True))


def _block(judged: JudgedGan, plan: PoolPlan, z: Tensor, start: int) -> Rows:
    judged = judged.of_samples(range(start, start + len(z)))
    (found,) = judged.perturb(z, plan.attack, plan.objective, seed=block_seed(plan.seed, start))
    noise = {"worst": found.r, "random": found.random}
    images, measure = judged.look(torch.cat([z, *(z + noise[kind] for kind in MOVED)]))
    original, *moved = images.split(BLOCK)
    return Rows(
        noise,
        {kind: measure.rows(slice(k * BLOCK, (k + 1) * BLOCK)) for k, kind in enumerate(NOISES)},
        {kind: pixel_change(after, original) for kind, after in zip(MOVED, moved, strict=True)},
    )


def _together(parts: Sequence[Rows]) -> Rows:
    return Rows(
        {kind: torch.cat([part.noise[kind] for part in parts]) for kind in MOVED},
        {kind: joined([part.measures[kind] for part in parts]) for kind in NOISES},
        {kind: torch.cat([part.change[kind] for part in parts]) for kind in MOVED},
    )


def ranking(pool: Pool, side: str, by: str = "badness", kind: str = "worst") -> np.ndarray:
    """Rows of a model from worst to best, (N,), by one of BY under one of NOISES.

    Badness is a percentile and ends at 100 %: there the judge's distance goes on, which also decides all other ties.

    Raises:
        SettingsError: another word; the loss without a critic; attributes that the judge does not read; one of OF_MOVES
            of what did not move.
    """
    one_of("what to rank by", by, BY)
    one_of("the kind of noise", kind, NOISES)
    rows = pool.rows[side]
    measure = rows.measures[kind]
    if by == "loss" and not rows.has_loss:
        raise SettingsError("expected a critic, by whose loss to rank, got a generator alone; rank by badness")
    if by == "attributes" and not rows.readable:
        raise SettingsError("expected a judge that reads attributes to rank by them, got one that reads none")
    if by in OF_MOVES and kind == "original":
        raise SettingsError(f"expected worst or random noise to rank by the {by}, got original noise; choose another")
    key = {
        "badness": measure.badness,
        "rise": measure.badness - rows.measures["original"].badness,
        "loss": measure.loss,
        "change": rows.change.get(kind, measure.loss),
        "attributes": sum(rows.changed(kind).values(), torch.zeros(len(rows))) if by == "attributes" else measure.loss,
    }[by]
    return np.lexsort((-measure.opinion.distance.numpy(), -key.numpy()))


@dataclass(frozen=True)
class Spread:
    """Rows from the top, the middle and the end of a ranking, each from worse to better; no row twice."""

    worst: np.ndarray
    median: np.ndarray
    best: np.ndarray


def spread(order: np.ndarray, count: int) -> Spread:
    """`count` rows of each part of a ranking (N,), fewer where there are not three times as many."""
    count = min(count, len(order) // 3)
    middle = (len(order) - count) // 2
    return Spread(order[:count], order[middle : middle + count], order[len(order) - count :])


def prevalence(pool: Pool, side: str) -> dict[str, Share]:
    """How common bad images are under each of NOISES, over all rows so far."""
    return {kind: share(int(measure.bad.sum()), len(measure.bad)) for kind, measure in pool.rows[side].measures.items()}


def beyond(pool: Pool, side: str, kind: str, other: str) -> ShareDifference:
    """One model's share of bad images under one of NOISES beyond that under another."""
    measures = pool.rows[side].measures
    return share_difference(measures[kind].bad, measures[other].bad)


def between(pool: Pool, kind: str) -> ShareDifference:
    """A's share of bad images beyond B's, under one of NOISES, over the noise that both were given."""
    return share_difference(pool.rows["A"].measures[kind].bad, pool.rows["B"].measures[kind].bad)


def findings(pool: Pool) -> tuple[str, ...]:
    """The findings in sentences; a difference is claimed only where its 95 % interval leaves out 0, and nothing where
    the search finds too little."""
    if weak := too_weak(pool.strength):
        return (*(f"No verdict: {why}" for why in weak), BASE_RATE)
    sentences = [_said_of(pool, side) for side in pool.rows]
    if len(pool.rows) == 2:
        for kind, words in (("original", "With ordinary noise"), ("worst", "Under worst noise")):
            found = between(pool, kind)
            if found.excludes_zero:
                more, less = ("A", "B") if found.mean > 0 else ("B", "A")
                outcome = f"{more} makes more bad images than {less}"
            else:
                outcome = "which of A and B makes more bad images cannot be said"
            sentences.append(f"{words}, {outcome}: A minus B is {found.in_points()}.")
    if pool.strength:
        sentences.append(strength({side: one.words for side, one in pool.strength.items()}))
    return (*sentences, BASE_RATE)


def _said_of(pool: Pool, side: str) -> str:
    found = prevalence(pool, side)
    shares = (
        f"{side}: of {len(pool.z):,} images, {found['original'].in_per_cent()} are bad; under worst noise "
        f"{found['worst'].in_per_cent()}, under random noise of the same length {found['random'].in_per_cent()}."
    )
    if not pool.rows[side].noise["worst"].any():
        return f"{shares} Nothing moved: {to_move(pool.plan.attack)}."
    turned = beyond(pool, side, "worst", "original")
    more = beyond(pool, side, "worst", "random")
    outcome = "more" if more.mean > 0 else "fewer"
    shown = f"makes {outcome} bad images than" if more.excludes_zero else "is not shown to make more bad images than"
    return (
        f"{shares} It turns {turned.first:,} good images bad and {turned.second:,} bad ones good, and {shown} random "
        f"noise: {more.in_points()}."
    )
