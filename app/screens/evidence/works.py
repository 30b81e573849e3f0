"""What the Evidence screen needs to have computed, view by view."""

from __future__ import annotations

import functools
import json
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st
from session.answered import Answered
from session.state import ROOT, background, models, tasks
from session.table import VIEW
from session.tasks import Task, Work
from theme.language import plain

from rgan.attack.search import Attack
from rgan.embedding.projections import Report
from rgan.metrics.judges import Judge, first
from rgan.models.gan import Gan
from rgan.report.robustness_page import robustness_page
from rgan.robustness import summary
from rgan.robustness.at_radius import AtRadius
from rgan.robustness.curves import Curves
from rgan.robustness.first import Measured, Minimal
from rgan.robustness.measured import JudgedGan
from rgan.robustness.one_radius import Transfer

CONTROL, CURVES, MINIMAL_RADIUS, SHELL, TRANSFER, CHECKS, REPORT = VIEW.options


@dataclass(frozen=True)
class Asked:
    """Two models, their judge, and the settings of the search."""

    names: tuple[str, str]
    gans: tuple[Gan, Gan]
    judge: Judge
    attack: Attack
    samples: int
    seed: int

    @property
    def judged_gans(self) -> tuple[JudgedGan, JudgedGan]:
        """The models with their judge."""
        a, b = (JudgedGan(gan, self.judge) for gan in self.gans)
        return a, b

    @functools.cached_property
    def measured(self) -> Measured:
        """What can be measured of them."""
        return Measured(self.judged_gans, self.attack, self.samples, self.seed)

    @property
    def words(self) -> str:
        """The settings in short, as a picture's stamp."""
        found = self.attack
        more = ", length kept" if found.keep_shell else ""
        spent = f"{found.gradients:,} gradients of the critic’s loss"
        return f"ε {found.radii[0]:g}, λ {found.price:g}, {spent}{more}, {self.samples} samples"

    @property
    def at_radius_key(self) -> Hashable:
        """Of both models at ε with their controls and checks."""
        return _key(self.measured.at_radius_question)

    @property
    def curves_key(self) -> Hashable:
        """Of the curves."""
        return _key(self.measured.curves_question)

    @property
    def minimal_key(self) -> Hashable:
        """Of the minimal radii."""
        return _key(self.measured.minimal_question)

    @property
    def transfer_key(self) -> Hashable:
        """Of noise tried on the other model."""
        return _key(self.measured.transfer_question)

    @property
    def examined(self) -> summary.Asked:
        """What the report measures."""
        attack = self.attack
        return summary.Asked(attack.radii[0], attack.price, attack.gradients, self.samples, seed=self.seed)

    @property
    def report_key(self) -> Hashable:
        """Of the report."""
        return "report", self.names, self.at_radius_key

    def works(self, view: str) -> dict[Hashable, Work[Any]]:
        """What one of the views shows, in the order it is made."""
        measured, run = self.measured, background().map
        at_radius: dict[Hashable, Work[Any]] = {
            self.at_radius_key: Answered(
                AtRadius, measured.at_radius_question, functools.partial(measured.at_radius, run=run)
            )
        }
        curves: dict[Hashable, Work[Any]] = {
            self.curves_key: Answered(Curves, measured.curves_question, functools.partial(measured.curves, run=run))
        }
        minimal = Answered(
            Minimal,
            measured.minimal_question,
            lambda report: measured.minimal(tasks().value(self.curves_key), report),
        )
        transfer = Answered(
            Transfer,
            measured.transfer_question,
            lambda report: measured.transfer(tasks().value(self.at_radius_key)),
        )
        by_view: dict[str, dict[Hashable, Work[Any]]] = {
            CONTROL: at_radius,
            SHELL: at_radius,
            CURVES: curves,
            MINIMAL_RADIUS: curves | {self.minimal_key: minimal},
            TRANSFER: at_radius | {self.transfer_key: transfer},
            CHECKS: at_radius,
            REPORT: {self.report_key: self._report()},
        }
        return by_view[view]

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


def _key(question: Mapping[str, Any]) -> str:
    return json.dumps(question, sort_keys=True)


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
                plain(f"{side} was trained on {own}, and is judged by how near its images are to real {judge.data}."),
                icon=":material/info:",
            )
    return judge
