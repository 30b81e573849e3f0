"""What robust training costs and brings: quality on ordinary noise against quality on worst noise, a mark a model.

A model is efficient if no other of its family is better in one and at least as good in the other (Pareto).
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from rgan.paper.ablation import Ablation, Model
from rgan.paper.evaluation import MEASURES
from rgan.paper.study import Study
from rgan.stats.intervals import Interval, rank_correlation

MEASURE = "fid"


@dataclass(frozen=True)
class Mark:
    """One model. ordinary, worst, random: the measure on original noise and on noise of one ε. robust: words for its
    robust part, "" of a baseline. cost: its training time over the mean of the family's baselines, None without one."""

    model: Model
    robust: str
    ordinary: float
    worst: float
    random: float
    cost: float | None
    efficient: bool


@dataclass(frozen=True)
class Frontier:
    """The evaluated models of a family at one ε, worst for one objective; better ordinary quality first."""

    family: str
    radius: float
    objective: str
    marks: tuple[Mark, ...]

    @property
    def efficient(self) -> tuple[Mark, ...]:
        """Those that no other model of the family surpasses."""
        return tuple(mark for mark in self.marks if mark.efficient)


def frontiers(study: Study, radius: float, objective: str, measure: str = MEASURE) -> tuple[Frontier, ...]:
    """One for each family of the study with at least two evaluated models."""
    families: dict[str, dict[str, tuple[Model, str]]] = {}
    for column in study.columns:
        for model in column.all_models:
            if model.evaluation is not None:
                robust = column.robust if model.recipe.robust else ""
                families.setdefault(column.family, {})[model.digest] = (model, robust)
    found = []
    for family, models in families.items():
        if len(models) > 1:
            marks = _marks(list(models.values()), radius, objective, measure)
            found.append(Frontier(family, radius, objective, marks))
    return tuple(found)


def _marks(models: Sequence[tuple[Model, str]], radius: float, objective: str, measure: str) -> tuple[Mark, ...]:
    baselines = [model.training.seconds for model, robust in models if not robust]
    usual = statistics.fmean(baselines) if baselines else 0.0
    drafts = []
    for model, robust in models:
        assert model.evaluation is not None
        original, worst, random = (
            model.evaluation.mean(measure, noise, at, objective)
            for noise, at in (("original", 0.0), ("worst", radius), ("random", radius))
        )
        values = original, worst, random
        drafts.append((model, robust, values, model.training.seconds / usual if usual else None))
    sign = -1.0 if MEASURES[measure].higher else 1.0
    points = [(sign * values[0], sign * values[1]) for _, _, values, _ in drafts]
    marks = [
        Mark(model, robust, *values, cost, efficient)
        for (model, robust, values, cost), efficient in zip(drafts, undominated(points), strict=True)
    ]
    return tuple(sorted(marks, key=lambda mark: sign * mark.ordinary))


def undominated(points: Sequence[tuple[float, float]]) -> list[bool]:
    """Which points no other one surpasses: is at most as large in both numbers and smaller in one."""
    return [
        not any(x <= a and y <= b and (x < a or y < b) for x, y in points)
        for a, b in points
    ]  # fmt: skip


def transfer(study: Study, column: Ablation, radius: float, measure: str = MEASURE) -> Interval | None:
    """Whether the models of a column that lose less to one attack lose less to the other: the rank correlation of what
    worst noise beyond random noise costs them by the two objectives; None without two objectives or four models."""
    if len(study.settings.objectives) < 2:
        return None
    known = [model.evaluation for model in column.all_models if model.evaluation is not None]
    if len(known) < 4:
        return None
    import torch

    lost = [
        [one.mean(measure, "worst", radius, name) - one.mean(measure, "random", radius, name) for one in known]
        for name in study.settings.objectives[:2]
    ]
    return rank_correlation(*map(torch.tensor, lost))
