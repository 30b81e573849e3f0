"""What is shown of two models before anybody asks for something else: the settings, and how each result is made.

The app's controls start with these settings, and `rgan answers` computes the results beforehand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rgan.attack.objectives import CRITIC, choices
from rgan.attack.path import reach
from rgan.attack.search import Attack
from rgan.common.progress import Mapper
from rgan.robustness import at_radius, curves, minimal_radius, one_radius
from rgan.robustness.at_radius import AtRadius
from rgan.robustness.curves import MOVED, Curves, CurvesPlan
from rgan.robustness.failures import pool as failures
from rgan.robustness.failures.pool import Pool, PoolPlan
from rgan.robustness.measured import JudgedGan
from rgan.robustness.minimal_radius import MinimalRadii
from rgan.robustness.one_radius import Transfer

RADIUS, SEED = 1.0, 0
SAMPLES = 128  # enough for an FID
POOL = 256  # noise vectors that are looked at for failures
SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 1)  # of the largest ε: the radii of curves
REPEATS = 2  # draws of noise for curves

Report = Callable[[float, Any], None]  # told which share is done, and what is known so far where that is news


@dataclass(frozen=True)
class Minimal:
    """The minimal radii of two models, by side and one of MOVED."""

    found: dict[tuple[str, str], MinimalRadii]


@dataclass(frozen=True)
class Measured:
    """Two models with their judge, and the settings of the search for worst noise: what can be measured of them.

    Each result has a question, as `rgan.common.answers` has it, and what makes it; `run` is like `map`.
    """

    judged_gans: tuple[JudgedGan, JudgedGan]
    attack: Attack = field(default_factory=lambda: Attack((RADIUS,)))
    samples: int = SAMPLES
    seed: int = SEED

    @property
    def plan(self) -> CurvesPlan:
        """Of the curves: up to the largest ε, in hundredths, as sliders have them."""
        largest = min(reach(one.gan) for one in self.judged_gans)
        radii = sorted({max(0.01, round(share * largest, 2)) for share in SHARES})
        return CurvesPlan(tuple(radii), self.samples, REPEATS, self.seed, self.attack.price, self.attack.gradients)

    @property
    def at_radius_question(self) -> dict[str, Any]:
        return at_radius.question(self.judged_gans, self.attack, samples=self.samples, seed=self.seed)

    def at_radius(self, report: Report, run: Mapper = map) -> AtRadius:
        """Worst noise at ε beside its controls, with checks."""
        return at_radius.at_radius(
            self.judged_gans, self.attack, samples=self.samples, seed=self.seed, run=run, report=report
        )

    @property
    def transfer_question(self) -> dict[str, Any]:
        return self.at_radius_question | {"what": "transfer"}

    def transfer(self, found: AtRadius) -> Transfer:
        """Each model's worst noise tried on the other."""
        return one_radius.transfer(self.judged_gans, (found.found["A"], found.found["B"]))

    @property
    def curves_question(self) -> dict[str, Any]:
        return curves.question(self.judged_gans, self.plan)

    def curves(self, report: Report, run: Mapper = map) -> Curves:
        """Measures along ε."""
        for state in curves.curves_of(self.judged_gans, self.plan, run=run):
            report(state.share, state)
        return state

    @property
    def minimal_question(self) -> dict[str, Any]:
        return self.curves_question | {"what": "minimal radii"}

    def minimal(self, found: Curves, report: Report) -> Minimal:
        """Where images break along the curves' ways."""
        known: dict[tuple[str, str], MinimalRadii] = {}
        for side, judged in zip("AB", self.judged_gans, strict=True):
            for kind in MOVED:
                known[side, kind] = minimal_radius.minimal_radii(judged, found, side, kind)
                report(len(known) / 4, None)
        return Minimal(known)


@dataclass(frozen=True)
class Hunt:
    """Two models with their judge, and the pool of noise that is searched for their failures."""

    judged_gans: tuple[JudgedGan, JudgedGan]
    plan: PoolPlan

    @classmethod
    def first(cls, judged_gans: tuple[JudgedGan, JudgedGan]) -> Hunt:
        """With what is usual for these models: the critic's loss is raised, as in equation 8, where they have one."""
        offered = choices([one.gan for one in judged_gans], judged_gans[0].raised)
        usual = CRITIC if CRITIC in offered else offered[0]
        return cls(judged_gans, PoolPlan(Attack((RADIUS,)), POOL, SEED, usual))

    @property
    def question(self) -> dict[str, Any]:
        return failures.question(self.judged_gans, self.plan)

    def pool(self, report: Report, run: Mapper = map, stopped: Callable[[], bool] = lambda: False) -> Pool:
        """The pool, or as much of it as there was when it was `stopped`."""
        for state in failures.pool(self.judged_gans, self.plan, run=run):
            report(state.share, state)
            if stopped():
                break
        return state
