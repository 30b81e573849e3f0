"""The frontier: who is efficient, what training costs, and whether robustness to one attack is one to another."""

import csv
import dataclasses
import io

import pytest
from scipy import stats

from rgan.attack.objectives import CRITIC, JUDGE
from rgan.paper import tables
from rgan.paper.ablation import ablations
from rgan.paper.evaluation import EvaluationSettings
from rgan.paper.frontier import frontiers, transfer, undominated
from rgan.paper.study import Study
from rgan.report import study_page
from rgan.report.charts.study import frontier
from tests.paper.test_study import OWN, model

SETTINGS = EvaluationSettings(radii=(0.5, 1.5), repeats=2, samples=100, gradients=2, objectives=(CRITIC, JUDGE))


def both(one, by_judge):
    """The model with a search by a judge as well, whose worst noise costs it `by_judge` times ε of FID."""
    rows = [*one.evaluation.rows]
    for row in one.evaluation.rows:
        if row.noise != "original":
            fid = 20 - (one.evaluation.mean("score")) + (by_judge * row.radius if row.noise == "worst" else 0)
            rows.append(dataclasses.replace(row, objective=JUDGE, fid=fid))
    order = {("", "original", 0.0): 0}
    for kind in SETTINGS.all_kinds:
        order.setdefault(kind, len(order))
    rows.sort(key=lambda row: (row.repeat, order[row.objective, row.noise, row.radius]))
    strength = {CRITIC: (0.97, 0.97), JUDGE: (0.96, 0.95)}
    return dataclasses.replace(one, evaluation=dataclasses.replace(one.evaluation, rows=tuple(rows), strength=strength))


@pytest.fixture(scope="module")
def study():
    """Two baselines and three robust models: scores, harm by the critic's attack and by the judge's, and seconds."""
    told = [
        ("n0", 0, None, 7.0, 2.0, 1.0, 10.0), ("n1", 1, None, 6.0, 1.0, 2.0, 30.0),
        ("b0", 0, OWN, 6.5, 0.5, 0.5, 40.0), ("b1", 1, OWN, 5.0, 0.1, 0.7, 60.0), ("b2", 2, OWN, 4.0, 3.0, 3.0, 50.0),
    ]  # fmt: skip
    models = []
    for name, seed, robust, score, harm, by_judge, seconds in told:
        one = both(model(name, seed, robust, score, harm), by_judge)
        models.append(dataclasses.replace(one, training=dataclasses.replace(one.training, seconds=seconds)))
    return Study(SETTINGS, ablations(models)[0], (), (), ())


def test_efficient_is_whom_nobody_surpasses():
    assert undominated([(1, 5), (2, 4), (2, 5), (3, 3), (3, 4), (4, 3)]) == [True, True, False, True, False, False]
    assert undominated([(1, 1), (1, 1)]) == [True, True], "equals do not surpass each other"


def test_marks_are_the_evaluations_numbers_and_costs_are_against_the_baselines(study):
    (found,) = frontiers(study, 1.5, CRITIC)
    # FID is 20 − score + harm · ε, less 0.05 for the mean of two repeats.
    expected = {"n0": (13, 16), "n1": (14, 15.5), "b0": (13.5, 14.25), "b1": (15, 15.15), "b2": (16, 20.5)}
    assert {mark.model.name: (mark.ordinary + 0.05, mark.worst + 0.05) for mark in found.marks} == {
        name: pytest.approx(values) for name, values in expected.items()
    }
    assert [mark.model.name for mark in found.efficient] == ["n0", "b0"]
    assert {mark.model.name: mark.cost for mark in found.marks} == {
        "n0": 0.5, "n1": 1.5, "b0": 2.0, "b1": 3.0, "b2": 2.5,
    }  # fmt: skip
    (other,) = frontiers(study, 1.5, JUDGE)
    assert {mark.model.name: mark.ordinary for mark in other.marks} == {
        mark.model.name: mark.ordinary for mark in found.marks
    }
    assert next(mark.worst for mark in other.marks if mark.model.name == "n0") == pytest.approx(13 + 1.5 - 0.05)


def test_transfer_is_the_rank_correlation_of_what_two_attacks_cost(study):
    (column,) = study.columns
    found = transfer(study, column, 0.5)
    expected = stats.spearmanr([2.0, 1.0, 0.5, 0.1, 3.0], [1.0, 2.0, 0.5, 0.7, 3.0]).statistic
    assert found.mean == pytest.approx(expected) and found.low < expected < found.high
    alone = dataclasses.replace(study, settings=dataclasses.replace(SETTINGS, objectives=(CRITIC,)))
    assert transfer(alone, column, 0.5) is None


def test_chart_page_and_file_show_the_same_marks(study):
    (found,) = frontiers(study, 0.5, CRITIC)
    assert study_page.frontier_radius(SETTINGS) == 0.5, "the largest up to 1"
    drawn = frontier(found, SETTINGS)
    marks = {
        name: (x, y)
        for trace in drawn.data if trace.mode == "markers"
        for name, x, y in zip(trace.customdata, trace.x, trace.y, strict=True)
    }  # fmt: skip
    assert marks == {mark.model.name: (mark.ordinary, mark.worst) for mark in found.marks}
    joined = next(trace for trace in drawn.data if trace.name == "efficient")
    assert list(joined.x) == [mark.ordinary for mark in found.efficient]
    rows = list(csv.DictReader(io.StringIO(tables.file(study, "frontier.csv").decode())))
    mine = {row["model"]: row for row in rows if (row["objective"], row["radius"]) == (CRITIC, "0.5")}
    assert {name: (float(row["ordinary"]), float(row["worst"])) for name, row in mine.items()} == marks
    assert {name for name, row in mine.items() if row["efficient"] == "True"} == {
        mark.model.name for mark in found.efficient
    }
    page = study_page.study_page(study)
    assert "No other surpasses 2 of the 5 models, of which 1 robust; robust training took 2.5 times as long." in page
    assert "rank correlation" in page
