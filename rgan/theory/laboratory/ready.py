"""Lessons that stand ready: trainings as they stood at a lesson's step, so that it opens there at once.

A state is found by what it is a state of, a plan with all its settings. It is taken only if the first steps of that
training, made anew, still lead where they led when it was made. `python -m rgan.theory.laboratory.ready` makes those
that are missing or no longer taken.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rgan.common.answers import Answers
from rgan.theory.laboratory.experiment import Experiment, Row
from rgan.theory.laboratory.lessons import LESSONS, Lesson
from rgan.theory.laboratory.measures import Sample
from rgan.theory.laboratory.settings import SIDES
from rgan.theory.laboratory.twins import Plan, Twins, as_points, begin

SHIPPED = Path(__file__).with_name("shipped")
VERSION = 1  # of the way they are kept
FIRST, SEEN = 3, 32  # steps that are made anew, and noise that is looked at after them
CLOSE = 2e-4  # processors round differently; another algorithm is further off


@dataclass(frozen=True)
class Ready:
    """A training at the end of its plan.

    standing: of `Twins.standing`. rows: what was measured on the way. first: what `_first` saw.
    """

    standing: dict[str, Tensor]
    rows: list[Row]
    first: Tensor


def ready(plan: Plan, folder: Path = SHIPPED) -> Experiment | None:
    """A training that stands at the end of `plan`, if one is kept that this version would still train."""
    found = Answers([folder], 0).result(Ready, _question(plan))
    if found is None:
        return None
    first = _first(plan)
    if first.shape != found.first.shape or not torch.allclose(first, found.first, rtol=0, atol=CLOSE):
        return None
    twins = Twins(plan.settings)
    twins.stand(found.standing, plan.steps)
    return Experiment(twins, plan, list(found.rows))


def keep(experiment: Experiment, folder: Path = SHIPPED) -> None:
    """Keep a training where it stands."""
    made = Ready(experiment.twins.standing(), experiment.rows, _first(experiment.at))
    Answers([folder], 2**40).keep(_question(experiment.at), made)


def lesson_before(plan: Plan) -> Lesson | None:
    """The lesson that a training of this plan comes through."""
    return next((lesson for lesson in LESSONS if plan.follows(lesson.plan)), None)


def _question(plan: Plan) -> dict[str, Any]:
    return {"what": "lesson", "version": VERSION, "plan": dataclasses.asdict(plan)}


def _first(plan: Plan) -> Tensor:
    """What both twins draw, and what their critics say of it, after the first steps of the plan: (2, SEEN, 3)."""
    twins, _ = begin(plan)
    for _ in range(min(FIRST, plan.steps)):
        twins.step()
    z = Sample.of(twins.settings).z[:SEEN]
    seen = []
    for side in SIDES:
        probe = twins.gan(side).probe()
        with torch.no_grad():
            images = probe.images(z)
            seen.append(torch.cat([as_points(images), probe.score(images)[:, None]], dim=1))
    return torch.stack(seen)


def main() -> None:
    """Make what is missing."""
    for lesson in LESSONS:
        if ready(lesson.plan) is None:
            experiment = Experiment.of(lesson.plan)
            experiment.to(lesson.plan, lesson.radius, lesson.price, stride=10**6, seconds=1e9, field=False)
            keep(experiment)
            print(f"{lesson.key}: made", flush=True)


if __name__ == "__main__":
    main()
