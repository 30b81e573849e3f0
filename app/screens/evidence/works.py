"""What the Evidence screen needs to have computed, view by view."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import streamlit as st
from session.state import ROOT, background, models, tasks
from session.table import VIEW
from session.tasks import Task, Work

from rgan.attack.search import Attack
from rgan.embedding.projections import Report
from rgan.metrics.judges import Judge, first
from rgan.models.gan import Gan
from rgan.report.robustness_page import robustness_page
from rgan.robustness import summary
from rgan.robustness.at_radius import AtRadius, at_radius
from rgan.robustness.curves import MOVED, Curves, CurvesPlan, curves_of
from rgan.robustness.measured import JudgedGan
from rgan.robustness.minimal_radius import MinimalRadii, minimal_radii
from rgan.robustness.one_radius import Transfer, transfer

CONTROL, CURVES, MINIMAL_RADIUS, SHELL, TRANSFER, CHECKS, REPORT = VIEW.options
SHARES = (1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 1)  # of the largest ε: the curves' radii
REPEATS = 3


@dataclass(frozen=True)
class Asked:
    """Two models, their judge, and the settings of the search."""

    names: tuple[str, str]
    gans: tuple[Gan, Gan]
    judge: Judge
    attack: Attack
    samples: int
    seed: int
    reach: float

    @property
    def judged_gans(self) -> tuple[JudgedGan, JudgedGan]:
        """The models with their judge."""
        a, b = (JudgedGan(gan, self.judge) for gan in self.gans)
        return a, b

    @property
    def words(self) -> str:
        """The settings in short, as a picture's stamp."""
        found = self.attack
        more = ", length kept" if found.keep_shell else ""
        return f"ε {found.radii[0]:g}, λ {found.price:g}, {found.gradients:,} gradients{more}, {self.samples} samples"

    @property
    def plan(self) -> CurvesPlan:
        """Of the curves; their radii are the slider's own positions."""
        radii = sorted({max(0.01, round(share * self.reach, 2)) for share in SHARES})
        return CurvesPlan(tuple(radii), self.samples, REPEATS, self.seed, self.attack.price, self.attack.gradients)

    def _of(self, side: int) -> Hashable:
        return self.gans[side].digest, self.judge.digest, self.attack, self.samples, self.seed

    @property
    def at_radius_key(self) -> Hashable:
        """Of both models at ε with their controls and checks."""
        return "at radius", self._of(0), self._of(1)

    @property
    def _swept(self) -> Hashable:
        return tuple(gan.digest for gan in self.gans), self.judge.digest, self.plan

    @property
    def sweep_key(self) -> Hashable:
        """Of the curves."""
        return "sweep", self._swept

    def minimal_radii_key(self) -> Hashable:
        """Of the minimal radii."""
        return "minimal radii", self._swept

    def transfer_key(self) -> Hashable:
        """Of noise tried on the other model."""
        return "transfer", self._of(0), self._of(1)

    @property
    def examined(self) -> summary.Asked:
        """What the report measures."""
        attack = self.attack
        return summary.Asked(attack.radii[0], attack.price, attack.gradients, self.samples, seed=self.seed)

    def report_key(self) -> Hashable:
        """Of the report."""
        return "report", self.names, self._of(0), self._of(1)

    def works(self, view: str) -> dict[Hashable, Work[Any]]:
        """What one of the views shows, in the order it is made."""
        at_radius: dict[Hashable, Work[Any]] = {self.at_radius_key: self._at_radius}
        curves: dict[Hashable, Work[Any]] = {self.sweep_key: self._sweep}
        by_view: dict[str, dict[Hashable, Work[Any]]] = {
            CONTROL: at_radius,
            SHELL: at_radius,
            CURVES: curves,
            MINIMAL_RADIUS: curves | {self.minimal_radii_key(): self._minimal_radii},
            TRANSFER: at_radius | {self.transfer_key(): self._transfer},
            CHECKS: at_radius,
            REPORT: {self.report_key(): self._report()},
        }
        return by_view[view]

    def _at_radius(self, report: Callable[[float, AtRadius | None], None]) -> AtRadius:
        return at_radius(
            self.judged_gans, self.attack, samples=self.samples, seed=self.seed, run=background().map, report=report
        )

    def _sweep(self, report: Callable[[float, Curves], None]) -> Curves:
        for state in curves_of(self.judged_gans, self.plan, run=background().map):
            report(state.share, state)
        return state

    def _minimal_radii(self, report: Report) -> dict[tuple[str, str], MinimalRadii]:
        state = tasks().value(self.sweep_key)
        found = {}
        for index, (side, kind) in enumerate((side, kind) for side in "AB" for kind in MOVED):
            found[side, kind] = minimal_radii(self.judged_gans["AB".index(side)], state, side, kind)
            report((index + 1) / 4)
        return found

    def _transfer(self, report: Report) -> Transfer:
        found: AtRadius = tasks().value(self.at_radius_key)
        return transfer(self.judged_gans, (found.found["A"], found.found["B"]))

    def _report(self) -> Work[Page]:
        at_hand = [models()[name] for name in self.names]
        files = [str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path) for path in at_hand]
        asked = self.examined

        def work(report: Report) -> Page:
            for progress in summary.examine(self.judged_gans, self.names, asked, run=background().map):
                report(progress.share)
            found = progress.found
            assert found is not None
            return Page(found.headline, robustness_page(found, asked.command(files)).encode())

        return work


@dataclass(frozen=True)
class Page:
    """A report as a file, and what it says first."""

    headline: summary.Headline
    html: bytes


Found = dict[Hashable, Task[Any]]


def judge_of(gans: tuple[Gan, Gan]) -> Judge:
    """The judge of the data that A was trained on, or else B; says so where a model's data are others.

    Raises:
        CheckpointError: no judge has seen images like A's or B's.
    """
    judge = first([gan.trained_on for gan in gans])
    for side, gan in zip("AB", gans, strict=True):
        if not judge.facts.knows(gan.trained_on):
            own = gan.data or "unknown data"
            st.info(
                f"{side} was trained on {own}, and is judged by how near its images are to real {judge.data}.",
                icon=":material/info:",
            )
    return judge
