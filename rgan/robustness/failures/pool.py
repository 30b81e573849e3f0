"""Bad images among thousands: a search over a pool of noise, who is worst, and how common bad images are.

Rows of a pool depend on the seed and their number alone. They are searched in blocks that are always whole, because
rounding depends on the shape of a batch, and a search of many steps can end elsewhere for it: row i of a small pool is
row i of a large one, to the bit, and one failure can be found again by searching its block.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rgan.attack.objectives import CRITIC, check_method, pixel_change
from rgan.attack.perturbation import Interval
from rgan.attack.search import Attack, WorstNoise, random_noise
from rgan.common.errors import SettingsError, number_between, one_of
from rgan.common.formatting import per_cent
from rgan.common.geometry import block_seed, lengths
from rgan.metrics.judges import BAD
from rgan.robustness.curves import MOVED
from rgan.robustness.measured import JudgedGan, Measures, by_side, joined
from rgan.robustness.one_radius import holds, interval_points
from rgan.stats.two_sample import wilson

BLOCK = 64  # rows a search: per row as fast as more of them, and a lone failure costs no more than one block
MOST = 20_000  # rows of a pool
LIMITS: dict[str, tuple[float, float]] = {  # of a plan, and so of a link to one of its rows
    "seed": (0, 2**62), "radius": (0.0, 1000.0), "price": (0.0, 1e6), "steps": (1, 1000), "restarts": (1, 100)
}  # fmt: skip
NOISES = ("original", *MOVED)
BY = ("badness", "rise", "loss", "change")  # rise: what moving adds to badness
OF_MOVES = ("rise", "change")  # of BY, what original noise does not have
BASE_RATE = f"Of held-out real images, {per_cent(1 - BAD, 0)} are bad in this sense, by definition."
_NORMAL = 1.959964  # quantile of the normal distribution for 95 % intervals

Mapper = Callable[[Callable[[JudgedGan], "Rows"], Iterable[JudgedGan]], Iterable["Rows"]]


@dataclass(frozen=True)
class PoolPlan:
    """What to search: `samples` rows of the noise of `seed`, at the one radius of `settings`.

    objective: what the search raises, one of `objectives.OBJECTIVES`.

    Raises:
        SettingsError: several radii, impossible numbers, or a method that cannot raise that.
    """

    settings: Attack
    samples: int = 2000
    seed: int = 0
    objective: str = CRITIC

    def __post_init__(self) -> None:
        if len(self.settings.radii) != 1:
            raise SettingsError(f"expected one radius ε, got {self.settings.radii}; choose one of them")
        number_between("samples", self.samples, 2, MOST)
        settings = self.settings
        asked = {"seed": self.seed, "radius": self.radius, "price": settings.price, "steps": settings.steps}
        for name, value in (asked | {"restarts": settings.restarts}).items():
            number_between(name, value, *LIMITS[name])
        check_method(self.objective, self.settings.method)

    @property
    def radius(self) -> float:
        """ε."""
        return self.settings.radii[0]

    def starts(self) -> range:
        """The first row of each block."""
        return range(0, self.samples, BLOCK)


@dataclass(frozen=True)
class Rows:
    """One model's rows so far: r (N, d) by MOVED, a measure by KINDS, and `objectives.pixel_change` (N,) by MOVED."""

    noise: dict[str, Tensor]
    measures: dict[str, Measures]
    change: dict[str, Tensor]

    def __len__(self) -> int:
        return len(self.measures["original"].loss)

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

    z: noise (N, d) of the rows so far, the same for both. share: of the work done.
    """

    plan: PoolPlan
    judged_gans: dict[str, JudgedGan]
    z: Tensor
    rows: dict[str, Rows]
    share: float

    @property
    def done(self) -> bool:
        """Whether all rows are there."""
        return len(self.z) == self.plan.samples

    def noise(self, side: str, kind: str, index: Sequence[int] | np.ndarray) -> Tensor:
        """Noise (n, d) of one of KINDS of some rows."""
        rows = torch.as_tensor(np.asarray(index), dtype=torch.long)
        return self.z[rows] if kind == "original" else self.z[rows] + self.rows[side].noise[kind][rows]

    def images(self, side: str, kind: str, index: Sequence[int] | np.ndarray) -> Tensor:
        """Images (n, C, H, W) in [−1, 1] of some rows, drawn anew: a pool keeps none."""
        return self.judged_gans[side].probe.images(self.noise(side, kind, index))


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
        yield Pool(plan, named, z[:count], together, count / plan.samples)


def block_search(judged: JudgedGan, plan: PoolPlan, z: Tensor, start: int) -> Iterator[WorstNoise]:
    """The search of the block of noise z (BLOCK, d) that begins with row `start`, step by step."""
    return judged.search(z, plan.settings, block_seed(plan.seed, start), plan.objective)


def block_control(plan: PoolPlan, z: Tensor, noise: Tensor, start: int) -> Tensor:
    """Random directions (BLOCK, d) as long as the block's worst noise."""
    seed = block_seed(plan.seed, start)
    return random_noise(z, lengths(noise), seed, keep_shell=plan.settings.keep_shell)[0]


def _block(judged: JudgedGan, plan: PoolPlan, z: Tensor, start: int) -> Rows:
    *_, found = block_search(judged, plan, z, start)
    noise = {"worst": found.noise[0], "random": block_control(plan, z, found.noise[0], start)}
    images, measure = judged.look(torch.cat([z, *(z + noise[kind] for kind in MOVED)]))
    original, *moved = images.split(BLOCK)
    return Rows(
        noise,
        {kind: measure.rows(slice(k * BLOCK, (k + 1) * BLOCK)) for k, kind in enumerate(NOISES)},
        {kind: pixel_change(changed, original) for kind, changed in zip(MOVED, moved, strict=True)},
    )


def _together(parts: Sequence[Rows]) -> Rows:
    return Rows(
        {kind: torch.cat([part.noise[kind] for part in parts]) for kind in MOVED},
        {kind: joined([part.measures[kind] for part in parts]) for kind in NOISES},
        {kind: torch.cat([part.change[kind] for part in parts]) for kind in MOVED},
    )


def ranking(pool: Pool, side: str, by: str = "badness", kind: str = "worst") -> np.ndarray:
    """Rows of a model from worst to best, (N,), by one of BY under one of KINDS.

    Badness is a percentile and ends at 100 %: there the judge's distance goes on, which also decides all other ties.

    Raises:
        SettingsError: another word; the loss without a critic; one of OF_MOVES of what did not move.
    """
    one_of("what to rank by", by, BY)
    one_of("the kind of noise", kind, NOISES)
    rows = pool.rows[side]
    measure = rows.measures[kind]
    if by == "loss" and not pool.judged_gans[side].gan.has_critic:
        raise SettingsError("expected a critic, by whose loss to rank, got a generator alone; rank by badness")
    if by in OF_MOVES and kind == "original":
        raise SettingsError(f"expected worst or random noise to rank by the {by}, got original noise; choose another")
    key = {
        "badness": measure.badness,
        "rise": measure.badness - rows.measures["original"].badness,
        "loss": measure.loss,
        "change": rows.change.get(kind, measure.loss),
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


@dataclass(frozen=True)
class Share:
    """`bad` of `total` images, with the 95 % interval of their share over all noise (Wilson 1927)."""

    bad: int
    total: int
    interval: Interval

    @property
    def words(self) -> str:
        """ "12.3 % (95 % interval 11.0 % to 13.8 %)"."""
        low, high = (per_cent(limit) for limit in (self.interval.low, self.interval.high))
        return f"{per_cent(self.interval.mean)} (95 % interval {low} to {high})"


def prevalence(pool: Pool, side: str) -> dict[str, Share]:
    """How common bad images are under each of KINDS, over all rows so far."""
    return {kind: share(measure.bad) for kind, measure in pool.rows[side].measures.items()}


def share(bad: Tensor) -> Share:
    """Of booleans (N,)."""
    hits, total = int(bad.sum()), len(bad)
    return Share(hits, total, Interval(hits / total, *wilson(hits, total, level=0.05)))


@dataclass(frozen=True)
class Paired:
    """Two shares over the same noise: rows bad in the first alone, in the second alone, and first − second."""

    first: int
    second: int
    total: int
    difference: Interval


def paired(first: Tensor, second: Tensor) -> Paired:
    """The difference of two shares of the same rows, booleans (N,) each, with its 95 % interval.

    Half a row is added to each of the four counts (Agresti & Min 2005), so that no difference among few rows is not
    taken for certainty; the t interval of `evidence.mean_interval` would have no width then.
    """
    total, more, fewer = len(first), int((first & ~second).sum()), int((second & ~first).sum())
    p, q = ((count + 0.5) / (total + 2) for count in (more, fewer))
    reach = _NORMAL * ((p + q - (p - q) ** 2) / (total + 2)) ** 0.5
    interval = Interval((more - fewer) / total, max(-1.0, p - q - reach), min(1.0, p - q + reach))
    return Paired(more, fewer, total, interval)


def beyond(pool: Pool, side: str, kind: str, other: str) -> Paired:
    """One model's share of bad images under one of KINDS beyond that under another."""
    measures = pool.rows[side].measures
    return paired(measures[kind].bad, measures[other].bad)


def between(pool: Pool, kind: str) -> Paired:
    """A's share of bad images beyond B's, under one of KINDS, over the noise that both were given."""
    return paired(pool.rows["A"].measures[kind].bad, pool.rows["B"].measures[kind].bad)


def findings(pool: Pool) -> tuple[str, ...]:
    """The findings in sentences; a difference is claimed only where its 95 % interval leaves out 0."""
    sentences = [_said_of(pool, side) for side in pool.rows]
    if len(pool.rows) == 2:
        for kind, words in (("original", "With ordinary noise"), ("worst", "Under worst noise")):
            found = between(pool, kind).difference
            if holds(found):
                more, less = ("A", "B") if found.mean > 0 else ("B", "A")
                outcome = f"{more} makes more bad images than {less}"
            else:
                outcome = "which of A and B makes more bad images cannot be said"
            sentences.append(f"{words}, {outcome}: A minus B is {interval_points(found)}.")
    return (*sentences, BASE_RATE)


def _said_of(pool: Pool, side: str) -> str:
    found = prevalence(pool, side)
    shares = (
        f"{side}: of {len(pool.z):,} images, {found['original'].words} are bad; under worst noise "
        f"{found['worst'].words}, under random noise of the same length {found['random'].words}."
    )
    if not pool.rows[side].noise["worst"].any():
        return f"{shares} Nothing moved: raise ε or lower λ."
    turned = beyond(pool, side, "worst", "original")
    more = beyond(pool, side, "worst", "random").difference
    outcome = "more" if more.mean > 0 else "fewer"
    shown = f"makes {outcome} bad images than" if holds(more) else "is not shown to make more bad images than"
    return (
        f"{shares} It turns {turned.first:,} good images bad and {turned.second:,} bad ones good, and {shown} random "
        f"noise: {interval_points(more)}."
    )
