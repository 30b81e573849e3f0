"""All that is measured of the robustness of one model, or of two with the same noise, and whether it makes a headline.

A headline needs all of: worst noise that does more than random noise of the same length, in every model; an interval
that leaves out 0, also for what goes beyond random noise; no check that says not to trust a search; and nothing against
comparing the two. Otherwise it is refused, with every reason.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rgan.attack.search import BUDGETS, Attack
from rgan.common.errors import number_between
from rgan.common.formatting import per_cent
from rgan.common.images import to_uint8
from rgan.common.progress import Mapper, Progress
from rgan.models.comparability import Comparability, comparability
from rgan.robustness.at_radius import AtRadius, at_radius
from rgan.robustness.checks import Check
from rgan.robustness.checks import against as against_search
from rgan.robustness.curves import MOVED, Curves, CurvesPlan, curves_of
from rgan.robustness.failures import pool as failures
from rgan.robustness.failures.failure import Failure, failure
from rgan.robustness.failures.modes import Modes, modes
from rgan.robustness.failures.pool import NOISES, Pool, Spread, ranking, spread
from rgan.robustness.measured import JudgedGan, ModelFacts, by_side
from rgan.robustness.minimal_radius import MinimalRadii, minimal_radii
from rgan.robustness.one_radius import (
    OneRadius,
    against_best,
    against_random,
    differences,
    points,
)
from rgan.stats.intervals import mean_interval

SHARES = (1 / 8, 1 / 4, 1 / 2, 3 / 4, 1, 3 / 2, 2)  # of ε: the curves' radii
DRAWS = 3  # of noise, for the curves
WORST = 3  # failures of each model that are found again
SHOWN = 64  # images from the start of a pool
RANKED = 8  # images from the top, the middle and the end of the ranking, and of a mode
MODES = 4  # failure modes shown, the largest


@dataclass(frozen=True)
class Asked:
    """What to measure: worst noise within ε (`radius`) at price λ by a search of so many gradients a sample.

    samples: noise for the control, the checks and each draw of the curves. pool: noise to look for failures in.

    Raises:
        SettingsError: impossible numbers; at ε 0 there is nothing to measure.
    """

    radius: float = 1.0
    price: float = 0.0
    gradients: int = BUDGETS["standard"]
    samples: int = 128
    pool: int = 512
    seed: int = 0

    def __post_init__(self) -> None:
        number_between("radius ε", self.radius, 0.01, 1000, "at 0 nothing moves")
        number_between("samples", self.samples, 8, 10_000)
        self.curves, self.failures  # noqa: B018 - refuse impossible numbers now

    @property
    def attack(self) -> Attack:
        """Of the search at ε."""
        return Attack((self.radius,), self.price, self.gradients)

    @property
    def curves(self) -> CurvesPlan:
        """Of the curves and minimal radii."""
        radii = tuple(share * self.radius for share in SHARES)
        return CurvesPlan(radii, self.samples, DRAWS, self.seed, self.price, self.gradients)

    @property
    def failures(self) -> failures.PoolPlan:
        """Of the pool."""
        return failures.PoolPlan(self.attack, self.pool, self.seed)

    def command(self, models: Sequence[str], out: str = "report.html", more: Sequence[str] = ()) -> str:
        """The command that makes the report of these files again; `more` are further options."""
        asked = {"budget" if name == "gradients" else name: value for name, value in vars(self).items()}
        numbers = [word for name, value in asked.items() for word in (f"--{name}", str(value))]
        return f"python -m rgan {shlex.join(['report', *models, '-o', out, *numbers, *more])}"


@dataclass(frozen=True)
class Headline:
    """A claim and the numbers behind it, a sentence each, both empty where it is refused; against: every reason why."""

    claim: str
    numbers: str
    against: tuple[str, ...]

    @property
    def words(self) -> str:
        """The claim, or that there is none and why."""
        return f"{self.claim} {self.numbers}" if self.claim else f"No headline: {' '.join(self.against)}"


@dataclass(frozen=True)
class Pictures:
    """Images, uint8 (n, H, W, C), that stand for one model's pool.

    first: its first SHOWN rows, by NOISES. spread: rows from the top, the middle and the end of the ranking by badness.
    ranked: theirs, by part of `spread`, then "original" and "worst". modes: members of its largest failure modes.
    """

    first: dict[str, np.ndarray]
    spread: Spread
    ranked: dict[str, dict[str, np.ndarray]]
    modes: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Robustness:
    """Everything measured, by side "A" and, where there are two models, "B"; the noise is the same for both.

    names: for people. at_radius: worst noise within ε, its controls and checks. curves: worst and random noise along ε.
    minimal_radii: by side and one of MOVED. pool, pictures, modes: bad images among many. worst: the first WORST of the
    ranking by what worst noise adds to badness, found again. comparability: None for one.
    """

    asked: Asked
    names: dict[str, str]
    models: dict[str, ModelFacts]
    comparability: Comparability | None
    at_radius: AtRadius
    curves: Curves
    minimal_radii: dict[tuple[str, str], MinimalRadii]
    pool: Pool
    pictures: dict[str, Pictures]
    modes: dict[str, Modes]
    worst: dict[str, tuple[Failure, ...]]

    @property
    def headline(self) -> Headline:
        """What the numbers allow to say in one sentence."""
        return headline(self.names, self.at_radius.found, self.at_radius.checks, self.comparability)


def examine(
    judged_gans: Sequence[JudgedGan], names: Sequence[str], asked: Asked, *, run: Mapper = map
) -> Iterator[Progress[Robustness]]:
    """Measure everything, yielding on the way; stop by not asking for the next.

    Raises:
        SettingsError: no model or more than two, or they draw from different numbers of noise dimensions.
        CheckpointError: a model has no critic.
    """
    named = by_side(judged_gans)
    both, attack, samples, seed = named.values(), asked.attack, asked.samples, asked.seed
    yield Progress(0.0, "worst noise, its controls and checks")

    tried = at_radius(judged_gans, attack, samples=samples, seed=seed, run=run)
    for curves in curves_of(judged_gans, asked.curves, run=run):
        yield Progress(0.2 + 0.55 * curves.share, "curves along ε")
    minimal = {
        (side, kind): minimal_radii(judged, curves, side, kind) for side, judged in named.items() for kind in MOVED
    }
    yield Progress(0.8, "failures")
    for pool in failures.pool(judged_gans, asked.failures, run=run):
        yield Progress(0.8 + 0.15 * pool.share, "failures")
    worst = {
        side: tuple(failure(judged, asked.failures, int(index)) for index in ranking(pool, side, "rise")[:WORST])
        for side, judged in named.items()
    }
    grouped = {side: modes(pool, side, judged.judge) for side, judged in named.items()}
    found = Robustness(
        asked=asked, names=dict(zip(named, names, strict=True)),
        models={side: judged.facts for side, judged in named.items()},
        comparability=comparability(*(judged.gan for judged in both)) if len(named) == 2 else None,
        at_radius=tried, curves=curves, minimal_radii=minimal, pool=pool,
        pictures={side: _pictures(judged, pool, side, grouped[side]) for side, judged in named.items()},
        modes=grouped, worst=worst,
    )  # fmt: skip
    yield Progress(1.0, "done", found)


def _pictures(judged: JudgedGan, pool: Pool, side: str, found: Modes) -> Pictures:
    def images(kind: str, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        return to_uint8(judged.of_samples(rows).images(pool.noise(side, kind, rows)))

    parts = spread(ranking(pool, side), RANKED)
    return Pictures(
        {kind: images(kind, range(min(SHOWN, len(pool.z)))) for kind in NOISES},
        parts,
        {part: {kind: images(kind, rows) for kind in ("original", "worst")} for part, rows in vars(parts).items()},
        tuple(images("worst", mode.members[:RANKED]) for mode in found.modes[:MODES]),
    )


def headline(
    names: Mapping[str, str],
    at_radius: Mapping[str, OneRadius],
    checks: Mapping[str, tuple[Check, ...]],
    comparable: Comparability | None,
) -> Headline:
    """The claim on one model or two, or all that stands against it.

    A model in which worst noise is not shown to do more than random noise stands against every claim, also against
    one in its favour: its search may have missed what is worst for its images.
    """
    against = [f"They are not to be compared: {why}." for why in comparable.against] if comparable else []
    against += [against_random(side, one) for side, one in at_radius.items() if not one.beyond("random").positive]
    against += against_search(checks)
    if len(at_radius) == 2:
        against += _undecided(at_radius["A"], at_radius["B"])
    if against:
        return Headline("", "", tuple(against))
    return (
        _of_two(names, at_radius["A"], at_radius["B"]) if len(at_radius) == 2 else _of_one(names["A"], at_radius["A"])
    )


def _of_one(name: str, one: OneRadius) -> Headline:
    return Headline(
        f"Worst noise makes the images of {name} worse than random noise of the same length does.",
        f"Within ε {one.radius:g} it adds {one.beyond('random').in_points()} of badness beyond random noise; "
        f"{against_best(one)}.",
        (),
    )


def _undecided(a: OneRadius, b: OneRadius) -> list[str]:
    """What in the difference of two models stands against saying which loses less."""
    apart, beyond = differences(a, b)
    if not apart.excludes_zero:
        added = [points(float(one.rise("worst").mean())) for one in (a, b)]
        return [
            f"Which loses less cannot be said: worst noise adds {added[0]} to A's badness and {added[1]} to B's, a "
            f"difference of {apart.in_points()}."
        ]
    if not beyond.excludes_zero or (beyond.mean > 0) != (apart.mean > 0):
        return [
            "Random noise of the same length may explain the difference: what worst noise adds beyond it to A's "
            f"badness, minus the same of B, is {beyond.in_points()}."
        ]
    return []


def _of_two(names: Mapping[str, str], a: OneRadius, b: OneRadius) -> Headline:
    less, more = ("B", "A") if differences(a, b)[0].mean > 0 else ("A", "B")
    one, other = (a, b) if less == "A" else (b, a)
    start = mean_interval(one.measures["original"].badness - other.measures["original"].badness)
    but = ", but it has less to lose: its images are worse to begin with" if start.positive else ""
    from_to = [
        " to ".join(per_cent(float(each.measures[kind].badness.mean()), 0) for kind in ("original", "worst"))
        for each in (one, other)
    ]
    return Headline(
        f"{names[less]} ({less}) loses less to worst noise than {names[more]} ({more}){but}.",
        f"Within ε {a.radius:g} mean badness goes from {from_to[0]} in {less} and from {from_to[1]} in {more}, which "
        f"is {differences(other, one)[0].in_points()} more in {more}.",
        (),
    )
