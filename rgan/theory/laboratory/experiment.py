"""A training of the twins as a screen plays it: on and on from where it stands, with pictures on the way."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from rgan.theory.laboratory.frames import Arrays, picture, quick_field
from rgan.theory.laboratory.measures import Measures, Sample, measures
from rgan.theory.laboratory.settings import SIDES
from rgan.theory.laboratory.twins import Plan, Twins, advance, begin

MEASURED = 50  # steps from one row of measures to the next
FRAMES = 8  # pictures that are sent together


@dataclass(frozen=True)
class Row:
    """Measures of both twins at a step, worst moves within `radius` at `price`."""

    steps: int
    radius: float
    price: float
    of: Mapping[str, Measures]


@dataclass(frozen=True)
class Stretch:
    """Pictures of both twins at some `steps`, one array for all of a kind, and the worst moves at the last of them."""

    steps: tuple[int, ...]
    arrays: Arrays


@dataclass
class Experiment:
    """Twins, where they stand in their plan, and what was measured on the way; whoever holds it advances it alone."""

    twins: Twins
    at: Plan
    rows: list[Row] = field(default_factory=list)

    @classmethod
    def of(cls, plan: Plan) -> Experiment:
        """Where `plan` begins."""
        return cls(*begin(plan))

    def copy(self) -> Experiment:
        """One that goes on as this would."""
        return Experiment(self.twins.copy(), self.at, list(self.rows))

    def to(
        self, plan: Plan, radius: float, price: float, *, stride: int = 1, seconds: float = 0.3, field: bool = True
    ) -> Stretch:
        """Train towards the end of `plan`, which follows `at`, until FRAMES pictures are there, one every `stride`
        steps, or the processor's time is over; where it stops has no influence on what comes later. Without
        `field` worst moves are sought where the plan ends alone.

        Raises:
            DivergedError: a weight is no number any more.
        """
        torch.set_num_threads(1)
        until = time.thread_time() + seconds
        pictures: list[dict[str, Arrays]] = []
        steps: list[int] = []
        shown: Plan | None = None

        def show() -> None:
            nonlocal shown
            shown = self.at
            steps.append(self.at.steps)
            pictures.append(self._pictures())

        for at in advance(self.twins, self.at, plan):
            self.at = at
            if self.at.steps % MEASURED == 0 and self.at.steps > self._measured:
                self.measure(radius, price)
            if self.at.steps % stride == 0:
                show()
            if len(pictures) == FRAMES or time.thread_time() > until:
                break
        if shown != self.at:
            show()
        fields: dict[str, Arrays] = {}
        if field or self.at == plan:
            fields = {side: quick_field(self.twins.gan(side), self.at.settings, radius, price) for side in SIDES}
        return Stretch(tuple(steps), _stacked(pictures, fields))

    def measure(self, radius: float, price: float) -> Row:
        """Measure where it stands."""
        settings = self.at.settings
        sample = Sample.of(settings)
        of = {side: measures(self.twins.gan(side), settings, sample, radius, price) for side in SIDES}
        row = Row(self.at.steps, radius, price, of)
        self.rows = [one for one in self.rows if one.steps < row.steps] + [row]
        return row

    @property
    def _measured(self) -> int:
        return self.rows[-1].steps if self.rows else -1

    def _pictures(self) -> dict[str, Arrays]:
        settings = self.at.settings
        z = Sample.of(settings).z
        return {side: picture(self.twins.gan(side), settings, z) for side in SIDES}


def _stacked(pictures: list[dict[str, Arrays]], fields: dict[str, Arrays]) -> Arrays:
    arrays: Arrays = {}
    for side in SIDES:
        arrays |= {f"{side}.{name}": np.stack([one[side][name] for one in pictures]) for name in pictures[0][side]}
        arrays |= {f"{side}.{name}": one for name, one in fields.get(side, {}).items()}
    return arrays


def thinned(rows: list[Row], most: int = 100) -> list[dict[str, Any]]:
    """At most so many rows as plain numbers, evenly chosen, with the last."""
    every = max(1, -(-len(rows) // most))
    return [
        {"steps": row.steps, "radius": row.radius, "price": row.price}
        | {side: {name: _rounded(value) for name, value in row.of[side].numbers().items()} for side in SIDES}
        for row in rows[::-1][::every][::-1]
    ]


def _rounded(value: float) -> float:
    return float(f"{value:.5g}")
