"""A study as one HTML page that works without a network, and the tables that the app shows as well."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

from markupsafe import Markup

from rgan import __version__
from rgan.common.formatting import per_cent, signed
from rgan.metrics.judges import BAD
from rgan.paper import published
from rgan.paper.ablation import MIN_SEEDS, Ablation, LeftOut, members, seeds
from rgan.paper.claims import CLAIMED, Claim, gains
from rgan.paper.evaluation import MEASURES, RAISED, EvaluationSettings
from rgan.paper.frontier import Frontier, frontiers, transfer
from rgan.paper.published import ROWS
from rgan.paper.study import Study
from rgan.paper.tables import beside, comparison, sign
from rgan.report.charts.study import bars, frontier, learning, noises, side_by_side
from rgan.report.page import page
from rgan.report.parts import Cell, Chart, Figure, Row, Table
from rgan.report.render import templates
from rgan.stats.intervals import LEVEL, t_test

_TABLE_1 = {
    "judge": "Scores by a judge's features have another protocol, other images and other networks: not comparable with "
    "the paper's, whose lines differ in protocol among each other as well.",
    "inception": "Ours are Inception's alone; each says whether its protocol is that of papers, whose lines differ "
    "among each other as well.",
}
_OURS = {"judge": "by our judge, which no paper has", "inception": "by Inception"}
_SCORES = {
    "judge": "A classifier score rests on a small classifier of the same data set and is no Inception score; it can be "
    "held against models scored the same way and nothing else. Of the paper only the sign of a difference is compared.",
    "inception": "Inception's scores depend on the number of images, FID most: they can be held against scores of the "
    "same protocol and nothing else. Of the paper only the sign of a difference is compared.",
}
SHOWN = ("score", "fid", "bad")  # measures that the page draws Figure 3 of; the CSV has all
PARTS = "study_parts.html"


def study_page(study: Study, command: str = "") -> str:
    """The page: Table 2, Figures 1 to 3, the claims, and what they rest on; `command` made it."""
    figures3 = [figure3(study, measure) for measure in SHOWN]
    return page(
        "study.html",
        "The paper's tables and figures, from these models",
        settings=settings_words(study.settings),
        command=command,
        second=_table2(study),
        printed=published.NOTES,
        figures1=[figure1(study, measure) for measure in CLAIMED] if study.models else [],
        first=_table1(study),
        figure2=figure2(study),
        unscored=unscored(study),
        figures3=figures3,
        columns3=list(zip(*(figure.charts for figure in figures3), strict=True)),
        frontier=frontier_figure(study),
        transfer=transfer_words(study),
        tested=claims_words(study.claims),
        columns=[(column.title, _claims(study, column)) for column in study.columns],
        least=MIN_SEEDS,
        limits=limits(study),
        evaluated=_models(study),
        left=study.left,
    )


def settings_words(settings: EvaluationSettings) -> str:
    """What was evaluated, in a sentence or two."""
    radii = ", ".join(f"{radius:g}" for radius in settings.attack.radii)
    whose = "Inception" if settings.features == "inception" else "the judge"
    times = "once" if settings.repeats == 1 else f"{settings.repeats} times over with other noise"
    return (
        f"Each model drew {settings.samples:,} images from original noise, from worst noise within ε {radii} "
        f"({settings.gradients:,} gradients a sample) and from random noise of the same length, {times}; "
        f"scores rest on {whose}'s features. The weights are those at the end of the training."
    )


def seeds_html(columns: Sequence[Ablation]) -> Markup:
    """How many training seeds there are, a line a family and a cell for each choice of players."""
    rows = tuple(
        Row((Cell(column.title), *(Cell(f"{len(column.models.get(row, ())) or '–'}") for row in ROWS)))
        for column in columns
    )
    return templates().part(PARTS, "seeds", Table(("Training seeds", *ROWS.values()), rows), MIN_SEEDS)


def table2_html(study: Study) -> Markup:
    """Table 2: a block a column, a line a row, ours and beside it what the paper prints."""
    return templates().part(PARTS, "table2", **_table2(study))


@dataclass(frozen=True)
class Block:
    """A column of the study as rows of Table 2, under what its scores rest on."""

    title: str
    comparison: str
    basis: str
    rows: tuple[tuple[Cell, ...], ...]


def _table2(study: Study) -> dict[str, object]:
    score, fid = (study.settings.title(measure) for measure in CLAIMED)
    head = (
        Cell("Trained robustly"),
        Cell(score, "higher is better"),
        Cell(fid, "lower is better"),
        Cell("Paper: Inception score", "CIFAR-10"),
        Cell("Our sign", "against the paper's"),
    )
    blocks = [
        Block(
            column.title,
            comparison(column),
            basis(column),
            tuple(_line(column, row, study.claims) for row in ROWS if column.cell(row, "score") is not None),
        )
        for column in study.columns
        if column.evaluations
    ]
    return {"head": head, "blocks": blocks, "least": MIN_SEEDS, "protocol": published.PROTOCOL}


def basis(column: Ablation) -> str:
    """What the scores of an evaluated column rest on: their protocol, and the FID that real images get."""
    first = column.evaluations[0]
    beside = "" if first.floor is None else f"; FID of real against real {MEASURES['fid'].number(first.floor)}"
    return f"{first.protocol}{beside}"


def _line(column: Ablation, row: str, claims: Sequence[Claim]) -> tuple[Cell, ...]:
    found = {measure: column.cell(row, measure) for measure in CLAIMED}
    ours = [
        Cell(cell.words, "" if row == "none" else _gain(gains(column, row, "none", measure), measure))
        for measure, cell in found.items() if cell is not None
    ]  # fmt: skip
    theirs, base = published.table_2(column.system, row), published.table_2(column.system, "none")
    gain = signed(theirs.mean - base.mean) if theirs and base and row != "none" else ""
    count = next(len(cell.values) for cell in found.values() if cell is not None)
    return (
        Cell(ROWS[row], seeds(count)),
        *ours,
        Cell(theirs.words if theirs else "–", gain),
        Cell(sign(claims, column, row)),
    )


def _gain(differences: list[float], measure: str) -> str:
    number = MEASURES[measure].number
    if not differences:
        return "–"
    if len(differences) < MIN_SEEDS:
        return number(statistics.fmean(differences), "+")
    found = t_test(differences)
    return f"{number(found.mean, '+')} ({number(found.low, '+')} to {number(found.high, '+')})"


def figure1(study: Study, measure: str) -> Figure:
    """Scores of images from original noise, of columns whose scores have one protocol side by side."""
    return Figure(
        f"{study.settings.title(measure)} of images from original noise",
        f"{_better(measure)}. Bars: mean over training seeds; whiskers: one standard deviation (of one seed: over "
        "repeats); dots: one seed each.",
        tuple(
            Chart(
                f"figure1-{measure}-{index}",
                bars(part, study.settings, measure),
                "Figure 1: scores of every model and row; Table 2 has the numbers",
                about=basis(part[0]),
            )
            for index, part in enumerate(side_by_side(study.columns))
        ),
    )


def figure2(study: Study) -> Figure:
    """Scores while training, of the columns that have some."""
    return Figure(
        "Classifier score while training",
        "by the shipped judge on the same noise. Lines: mean over training seeds; bands: one standard deviation.",
        tuple(
            Chart(
                f"figure2-{index}",
                figure,
                f"Figure 2: {column.title}, score against iteration",
                column.title,
                f"While training: {column.scored[0].training.protocol or 'protocol unknown'}",
            )
            for index, column in enumerate(study.columns)
            if (figure := learning(column)) is not None
        ),
    )


def figure3(study: Study, measure: str) -> Figure:
    """Scores of images from original, worst and random noise, of every evaluated column."""
    return Figure(
        f"{study.settings.title(measure)} of images from original, worst and random noise",
        f"{_better(measure)}. ε 0 is the original noise, and the dotted line its value; random noise is as long as the "
        "worst beside it. The axis need not begin at 0. Whiskers: one standard deviation over training seeds (of one "
        "seed: over repeats).",
        tuple(
            Chart(
                f"figure3-{index}-{measure}-{objective}",
                noises(column, study.settings, measure, objective),
                f"Figure 3: {column.title}, scores on original, worst and random noise{_raising(study, objective)}",
                f"{column.title}{_raising(study, objective)}",
                basis(column),
            )
            for index, column in enumerate(study.columns)
            if column.evaluations
            for objective in study.settings.objectives
        ),
    )


def frontier_figure(study: Study) -> Figure:
    """What robust training costs on ordinary noise and brings on worst noise, of every family with two models."""
    radius = frontier_radius(study.settings)
    return Figure(
        "What robustness costs and brings",
        "lower is better in both. One mark a model; joined are those that no other of their family surpasses.",
        tuple(
            Chart(
                f"frontier-{index}-{objective}",
                frontier(found, study.settings),
                f"{found.family}: FID on worst noise against FID on ordinary noise{_raising(study, objective)}",
                f"{found.family}{_raising(study, objective)}",
                frontier_words(found),
            )
            for objective in study.settings.objectives
            for index, found in enumerate(frontiers(study, radius, objective))
        ),
    )


def frontier_radius(settings: EvaluationSettings) -> float:
    """The ε that the frontier is drawn at: the largest up to 1, else the smallest."""
    return max((radius for radius in settings.attack.radii if radius <= 1), default=settings.attack.radii[0])


def frontier_words(found: Frontier) -> str:
    """Who is efficient, and what it costs to train, in a sentence."""
    best, robust = len(found.efficient), sum(bool(mark.robust) for mark in found.efficient)
    words = f"No other surpasses {best} of the {len(found.marks)} models, of which {robust} robust"
    costs = [mark.cost for mark in found.marks if mark.robust and mark.cost is not None]
    return words + (f"; robust training took {statistics.fmean(costs):.1f} times as long." if costs else ".")


def transfer_words(study: Study) -> list[str]:
    """Whether who loses less to one attack loses less to the other, a sentence a column."""
    radius, found = frontier_radius(study.settings), []
    for column in study.columns:
        rank = transfer(study, column, radius)
        if rank is not None:
            found.append(
                f"{column.title}: losses to the attacks by critic and by judge (ε {radius:g}, FID beyond random noise) "
                f"have the rank correlation {signed(rank.mean)} over models (95 % interval {signed(rank.low)} to "
                f"{signed(rank.high)})."
            )
    return found


def _raising(study: Study, objective: str) -> str:
    """Whose opinion the search raised, where there are several."""
    return f"; worst for {RAISED[objective]}" if len(study.settings.objectives) > 1 else ""


def _better(measure: str) -> str:
    return f"{'higher' if MEASURES[measure].higher else 'lower'} is better"


def table1_html(study: Study) -> Markup:
    """The paper's Table 1 as printed, where each line is from, and ours beside it."""
    return templates().part(PARTS, "table1", **_table1(study))


def _table1(study: Study) -> dict[str, object]:
    printed = [(measure, data) for measure in ("Inception score", "FID") for data in ("CIFAR-10", "STL-10")]
    head = (
        Cell("Table 1"), *(Cell(f"Paper: {measure}", data) for measure, data in printed),
        Cell("Ours", _OURS[study.settings.features]), Cell("Paper: from"),
    )  # fmt: skip
    rows = [
        (
            (Cell(line.name),), *((Cell(value.words if value else "–"),) for value in line.values),
            _ours(study, line), (Cell(line.taken),),
        )
        for line in published.TABLE_1
    ]  # fmt: skip
    return {"head": head, "rows": rows, "about": (_TABLE_1[study.settings.features], *published.SOURCES)}


def _ours(study: Study, line: published.Line) -> tuple[Cell, ...]:
    """A cell a column of the study that has this line's system and players; of real data, the FID between halves."""
    if not line.system:
        floors = {
            f"FID {MEASURES['fid'].number(first.floor)}": column.data
            for column in study.columns if column.evaluations and (first := column.evaluations[0]).floor is not None
        }  # fmt: skip
        return tuple(Cell(words, f"{data}, real against real") for words, data in floors.items()) or (Cell("–"),)
    found: dict[str, tuple[Ablation, list[str]]] = {}
    for column, measure, cell in beside(study, line):
        found.setdefault(column.title, (column, []))[1].append(f"{study.settings.title(measure)} {cell.words}")
    return tuple(
        Cell("; ".join(words), f"{title}: {comparison(column)}") for title, (column, words) in found.items()
    ) or (Cell("–"),)


def finding(study: Study) -> tuple[str, str]:
    """What the models say of the paper, in a sentence, and what it rests on, in small type."""
    tested = [claim for claim in study.claims if claim.test is not None]
    counts = Counter(claim.outcome for claim in tested)
    rows = Counter(model.row for model in study.models)
    kinds = ", ".join(f"{rows[row]} {words}" for row, words in ROWS.items() if rows[row])
    settings = study.settings
    if not tested:
        head = f"Too few training seeds to test the paper's claims: each row needs {MIN_SEEDS}."
    else:
        parts = [f"{counts[outcome]} {outcome}" for outcome in ("supported", "not supported", "undecided")]
        head = f"Of the paper's claims, tested {len(tested)} times on these models: {', '.join(parts)}."
    radii = ", ".join(f"{radius:g}" for radius in settings.attack.radii)
    return head, (
        f"{len(study.models)} models: {kinds} · ε {radii} · {settings.gradients:,} gradients a sample · "
        f"{settings.repeats} × {settings.samples:,} images of each noise"
    )


def claims_words(claims: tuple[Claim, ...]) -> str:
    """How many claims were tested and what that means."""
    tested = sum(claim.test is not None for claim in claims)
    return (
        f"{tested} of {len(claims)} claims have the {MIN_SEEDS} training seeds that a claim needs. Differences are "
        "paired by training seed and turned so that above 0 they favour the claim; on worst noise they are what goes "
        "beyond random noise of the same length. A claim is supported, or not, if the 95 % t interval of the mean "
        f"difference lies on one side of 0 and p after Holm's correction is at most {LEVEL:g}, else undecided. "
        "Corrected together are the claims that answer one question of one column by one measure: who gains on "
        "original noise, or, at every ε, whether worst noise harms the baseline, or the robust model less; their "
        "number stands below p. Paired t intervals assume roughly normal differences, which a few seeds cannot show."
    )


def claims_html(study: Study, column: Ablation) -> Markup:
    """The claims of one column as a table, those on the score first; a sentence where there are too few seeds."""
    return templates().part(PARTS, "claims", _claims(study, column), MIN_SEEDS)


def _claims(study: Study, column: Ablation) -> list[dict[str, object]]:
    """Rows of the claims of one column; none where none of them has enough seeds."""
    mine = [claim for claim in study.claims if claim.column == column.title]
    if all(claim.test is None for claim in mine):
        return []
    return [
        {
            "outcome": claim.outcome,
            "paper": claim.paper,
            "where": claim.where,
            "measure": study.settings.words(claim.measure),
            "because": claim.because,
            "p": _p(claim),
        }
        for claim in mine
    ]


def _p(claim: Claim) -> Cell:
    if claim.holm is None:
        return Cell("")
    return Cell("< 0.001" if claim.holm < 0.001 else f"{claim.holm:.3f}", f"of {claim.family}")


def limits(study: Study) -> tuple[str, ...]:
    """What the numbers do not say, and the protocols of the scores."""
    protocols = sorted({model.evaluation.protocol for model in study.models if model.evaluation})
    return (
        *(f"Scores: {protocol}." for protocol in protocols),
        _SCORES[study.settings.features],
        f"An image is bad if the judge finds it worse than {per_cent(BAD, 0)} of held-out real images.",
        f"Worst noise is the worst for {' or '.join(RAISED[one] for one in study.settings.objectives)}, found by a "
        "search that may have missed worse; z + r may be longer than ordinary noise, as in the paper. Random noise of "
        "the same length is the control for that. No judge that was raised measures.",
        "± and whiskers are standard deviations over training seeds, of one seed over repeats as in the paper's "
        "Figure 3. The intervals are over training seeds and treat each seed's numbers as exact; paired t intervals "
        "assume roughly normal differences, which a few seeds cannot show.",
        f"Made with RGAN Lab {__version__}, torch {version('torch')}, torch-fidelity {version('torch-fidelity')}, "
        f"scipy {version('scipy')}.",
    )


def left_html(left: tuple[LeftOut, ...]) -> Markup:
    """The models that are in no table, each with the reason."""
    return templates().part(PARTS, "left_out", left)


def about_html(study: Study) -> Markup:
    """What a study evaluated, what its numbers do not say, and what it left out."""
    return templates().part(PARTS, "about", settings_words(study.settings), limits(study), study.left)


def unscored(study: Study) -> str:
    """The models that Figure 2 cannot show, in words; "" if there are none."""
    shown = {model.digest for column in study.columns for model in column.scored}
    names = [model.name for model in members(study.columns) if model.digest not in shown]
    return f"No scores (or by another judge) were kept while these trained: {', '.join(names)}." if names else ""


def _models(study: Study) -> list[dict[str, object]]:
    return [
        {
            "name": model.name,
            "seed": model.training.seed,
            "row": ROWS[model.row],
            "found": "; ".join(
                ", ".join(per_cent(share, 0) for share in shares) for shares in model.evaluation.strength.values()
            ),
            "took": f"{model.evaluation.seconds:.0f} s",
            "digest": model.digest,
        }
        for model in study.models
        if model.evaluation
    ]
