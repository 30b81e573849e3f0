"""A study as tables of plain rows, one for each figure and table of the paper, and as CSV files."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rgan.common.files import as_csv, write_atomically
from rgan.paper import published
from rgan.paper.ablation import Ablation, Cell
from rgan.paper.claims import CLAIMED, Claim, gains
from rgan.paper.evaluation import MEASURES
from rgan.paper.frontier import frontiers
from rgan.paper.study import Study
from rgan.stats.intervals import TTest, t_test

Rows = list[dict[str, Any]]


def table1(study: Study) -> Rows:
    """Every line of the paper's Table 1 as printed, and beside it a row a column of the study and measure, ours.

    A line whose system is not among the evaluated models has one row, without ours.
    """
    rows: Rows = []
    for line in published.TABLE_1:
        printed = {
            f"paper_{kind}_{data}": value.words if (value := getattr(line, f"{kind}_{data}")) else None
            for kind in ("score", "fid") for data in ("cifar10", "stl10")
        }  # fmt: skip
        about = {"line": line.name, "system": line.system, "players": line.row, **printed, "taken_from": line.taken}
        ours = [
            {
                "family": column.family, "robust_part": column.robust, "measure": measure, **_cell(cell),
                "comparison": comparison(column), **_basis(column, measure),
            }
            for column, measure, cell in beside(study, line)
        ]  # fmt: skip
        rows += [{**about, **one} for one in ours] or [{**about, **dict.fromkeys(_OURS)}]
    return rows


_OURS = (
    "family", "robust_part", "measure", "seeds", "mean", "sd_seeds", "sd_repeats", "seed_numbers", "comparison",
    "protocol", "floor",
)  # fmt: skip


def beside(study: Study, line: published.Line) -> list[tuple[Ablation, str, Cell]]:
    """What this study has of a line of Table 1: column, measure and number, of columns that were evaluated."""
    return [
        (column, measure, cell)
        for column in study.columns if column.system == line.system
        for measure in CLAIMED if (cell := column.cell(line.row, measure)) is not None
    ]  # fmt: skip


def table2(study: Study) -> Rows:
    """A row for each column of the study, players and measure of the paper; beside it what the paper prints.

    gain and its interval: how much better than without robust part, paired by seed, turned so that more is better.
    """
    return [
        {
            "family": column.family, "robust_part": column.robust, "players": row, "measure": measure,
            **_cell(cell), **_gain(gains(column, row, "none", measure) if row != "none" else []),
            **_printed(column, row, measure), "comparison": comparison(column), **_basis(column, measure),
        }
        for column in study.columns for row in column.models for measure in CLAIMED
        if (cell := column.cell(row, measure)) is not None
    ]  # fmt: skip


def figure1(study: Study) -> Rows:
    """A row for each model and measure: mean and standard deviation over the repeats on original noise.

    search_finds: the share of the worst noise that the search finds at each ε (`checks.Strength`), one objective after
    the other.
    """
    return [
        {
            "family": column.family, "robust_part": column.robust, "players": row, "model": model.name,
            "seed": model.training.seed, "measure": measure, "mean": model.evaluation.mean(measure),
            "sd_repeats": model.evaluation.spread(measure), **_basis(column, measure), "sha256": model.digest,
            "search_finds": " ".join(
                f"{share:.3f}" for shares in model.evaluation.strength.values() for share in shares
            ),
        }
        for column in study.columns for row, models in column.models.items() for model in models
        if model.evaluation is not None for measure in MEASURES
    ]  # fmt: skip


def figure2(study: Study) -> Rows:
    """A row for each model and iteration at which its training history has scores; protocol: their protocol's key."""
    return [
        {
            "family": column.family, "robust_part": column.robust, "players": row, "model": model.name,
            "seed": model.training.seed, "protocol": model.training.protocol, "iteration": int(line["iteration"]),
            **{measure: line.get(measure) for measure in CLAIMED},
        }
        for column in study.columns for row, models in column.models.items() for model in models
        for line in model.training.history if any(measure in line for measure in CLAIMED)
    ]  # fmt: skip


def figure3(study: Study) -> Rows:
    """A row for each column, players, kind of noise, objective raised ("" of the original noise), ε and measure; length
    is the mean ‖r‖ over models."""
    rows: Rows = []
    for column in study.columns:
        for players in column.models:
            for objective, noise, radius in study.settings.all_kinds:
                for measure in MEASURES:
                    cell = column.cell(players, measure, noise, radius, objective)
                    length = column.cell(players, "length", noise, radius, objective)
                    if cell is not None and length is not None:
                        rows.append(
                            {
                                "family": column.family, "robust_part": column.robust, "players": players,
                                "noise": noise, "radius": radius, "length": length.mean, "measure": measure,
                                **_cell(cell), **_basis(column, measure), "objective": objective,
                            }
                        )  # fmt: skip
    return rows


def frontier_rows(study: Study) -> Rows:
    """A row for each evaluated model, objective and ε: FID on ordinary, worst and random noise, whether no other model
    of its family is better in the first two, and its training time against the family's baselines."""
    return [
        {
            "family": found.family, "robust_part": mark.robust, "players": mark.model.row, "model": mark.model.name,
            "seed": mark.model.training.seed, "objective": objective, "radius": radius, "ordinary": mark.ordinary,
            "worst": mark.worst, "random": mark.random, "efficient": mark.efficient,
            "seconds": mark.model.training.seconds, "cost": mark.cost, "sha256": mark.model.digest,
        }
        for objective in study.settings.objectives for radius in study.settings.attack.radii
        for found in frontiers(study, radius, objective) for mark in found.marks
    ]  # fmt: skip


def claim_rows(study: Study) -> Rows:
    """A row a claim."""
    empty: dict[str, Any] = dict.fromkeys(field.name for field in dataclasses.fields(TTest))
    return [
        {
            "column": claim.column, "where": claim.where, "claim": claim.paper, "measure": claim.measure,
            "radius": claim.radius, "outcome": claim.outcome,
            **(empty if claim.test is None else dataclasses.asdict(claim.test)), "holm_p": claim.holm,
            "holm_claims": claim.family or None, "because": claim.because,
            "objective": claim.objective if claim.radius else "",
        }
        for claim in study.claims
    ]  # fmt: skip


TABLES: dict[str, Callable[[Study], Rows]] = {
    "table1.csv": table1, "table2.csv": table2, "figure1.csv": figure1, "figure2.csv": figure2, "figure3.csv": figure3,
    "claims.csv": claim_rows, "frontier.csv": frontier_rows,
}  # fmt: skip


def file(study: Study, name: str) -> bytes:
    """The table of that file name as CSV."""
    return as_csv(TABLES[name](study))


def files(study: Study) -> dict[str, bytes]:
    """Every table as a CSV file, by its name."""
    return {name: file(study, name) for name in TABLES}


def write(contents: dict[str, bytes], folder: Path) -> None:
    """Write files into `folder`.

    Raises:
        FileError: it cannot be written.
    """
    for name, data in contents.items():
        write_atomically(folder / name, data)


def comparison(column: Ablation) -> str:
    """Whether a column's scores can be held against the paper's, in words."""
    known = column.evaluations
    return published.comparison(column.data, bool(known) and all(one.as_published for one in known))


def sign(claims: Iterable[Claim], column: Ablation, row: str) -> str:
    """Whether the robust row's score moves from the baseline as the paper's does, in words; only the sign counts, and
    only where the claim that it rises is decided."""
    theirs, base = published.table_2(column.system, row), published.table_2(column.system, "none")
    asked = column.title, (row, "none"), "score", 0.0
    claim = next((one for one in claims if (one.column, one.rows, one.measure, one.radius) == asked), None)
    if claim is None or theirs is None or base is None:
        return ""
    if claim.outcome in ("no claim", "undecided"):
        return "undecided" if claim.test else "too few seeds to say"
    return "the same" if (claim.outcome == "supported") == (theirs.mean > base.mean) else "the opposite"


def _basis(column: Ablation, measure: str) -> dict[str, Any]:
    """What a column's numbers rest on; floor: the FID of real against real images."""
    first = column.evaluations[0]
    return {"protocol": first.protocol, "floor": first.floor if measure == "fid" else None}


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "seeds": len(cell.values), "mean": cell.mean, "sd_seeds": cell.spread, "sd_repeats": cell.repeats,
        "seed_numbers": " ".join(map(str, cell.seeds)),
    }  # fmt: skip


def _gain(differences: list[float]) -> dict[str, Any]:
    mean = statistics.fmean(differences) if differences else None
    test = t_test(differences) if len(differences) > 1 else None
    low, high = (test.low, test.high) if test else (None, None)
    return {"gain": mean, "gain_low": low, "gain_high": high, "gain_seeds": len(differences) or None}


def _printed(column: Ablation, row: str, measure: str) -> dict[str, Any]:
    """The paper's value: of Table 2 for the score, of Table 1 for FID, both on CIFAR-10."""
    if measure == "score":
        value, where = published.table_2(column.system, row), "Table 2"
    else:
        value, where = published.table_1(column.system, row, "cifar10", measure), "Table 1"
    if value is None:
        return dict.fromkeys(("paper", "paper_sd", "paper_table"))
    return {"paper": value.mean, "paper_sd": value.spread, "paper_table": where}
