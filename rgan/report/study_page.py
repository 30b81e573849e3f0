"""A study as one HTML page that works without a network, and the tables that the app shows as well."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from html import escape
from importlib.metadata import version

from rgan import __version__
from rgan.common.formatting import per_cent, signed
from rgan.metrics.judges import BAD
from rgan.paper import published
from rgan.paper.ablation import MIN_SEEDS, Ablation, LeftOut, members, seeds
from rgan.paper.claims import CLAIMED, Claim, gains
from rgan.paper.evaluation import MEASURES, EvaluationSettings
from rgan.paper.published import ROWS
from rgan.paper.study import Study
from rgan.paper.tables import comparison, sign
from rgan.report.charts.study import bars, learning, noises, side_by_side
from rgan.report.page import figure_html, notes_html, page, scrolled
from rgan.stats.intervals import LEVEL, t_test

_TABLE_1 = {
    "judge": "Scores by a judge's features have another protocol, other images and other networks: not comparable.",
    "inception": "Table 2 says at each column whether its scores have the protocol of papers.",
}
_SCORES = {
    "judge": "A classifier score rests on a small classifier of the same data set and is no Inception score; it can be "
    "held against models scored the same way and nothing else. Of the paper only the sign of a difference is compared.",
    "inception": "Inception's scores depend on the number of images, FID most: they can be held against scores of the "
    "same protocol and nothing else. Of the paper only the sign of a difference is compared.",
}
MARKS = {"supported": "✓", "not supported": "✗", "undecided": "?", "no claim": "–"}
SHOWN = ("score", "fid", "bad")  # measures that the page draws Figure 3 of; the CSV has all


def study_page(study: Study, command: str = "") -> str:
    """The page: Table 2, Figures 1 to 3, the claims, and what they rest on; `command` made it."""
    title = "The paper's tables and figures, from these models"
    made_by = f"<p class='note'>Made by <code>{escape(command)}</code></p>" if command else ""
    body = (
        f"<p>{escape(settings_words(study.settings))}</p>{made_by}"
        f"<h2>Table 2: who trains robustly</h2>{table2_html(study)}{notes_html(published.NOTES)}"
        f"<h2>Figure 1: baselines and robust models</h2>{_figures1(study)}{table1_html(study)}"
        f"<h2>Figure 2: score against training step</h2>{_figures2(study)}"
        f"<h2>Figure 3: original, worst and random noise</h2>{_figures3(study)}"
        f"<h2>The paper's claims</h2>{claims_words(study.claims)}"
        + "".join(f"<h3>{escape(column.title)}</h3>{claims_html(study, column)}" for column in study.columns)
        + f"<h2>What this rests on</h2>{notes_html(limits(study))}{_models_html(study)}{left_html(study.left)}"
    )
    return page(title, body)


def settings_words(settings: EvaluationSettings) -> str:
    """What was evaluated, in a sentence or two."""
    radii = ", ".join(f"{radius:g}" for radius in settings.attack.radii)
    return (
        f"Each model drew {settings.samples:,} images from original noise, from worst noise within ε {radii} "
        f"({settings.steps} gradient steps) and from random noise of the same length, {settings.repeats} times over "
        f"with other noise; scores rest on {'Inception' if settings.features == 'inception' else 'the judge'}'s "
        "features. The weights are those at the end of the training."
    )


def seeds_html(columns: Sequence[Ablation]) -> str:
    """How many training seeds there are, a line a family and a cell for each choice of players."""
    head = "<tr><th>Training seeds" + "".join(f"<th>{escape(words)}" for words in ROWS.values()) + "</tr>"
    lines = "".join(
        f"<tr><td>{escape(column.title)}"
        + "".join(f"<td>{len(column.models[row]) if row in column.models else '–'}" for row in ROWS)
        + "</tr>"
        for column in columns
    )
    return (
        scrolled(f'<table class="table2">{head}{lines}</table>')
        + f'<p class="note">A claim needs at least {MIN_SEEDS} seeds in each of its rows.</p>'
    )


def table2_html(study: Study) -> str:
    """Table 2: a block a column, a line a row, ours and beside it what the paper prints."""
    score, fid = (study.settings.title(measure) for measure in CLAIMED)
    blocks = "".join(_block(column, study.claims) for column in study.columns if column.evaluations)
    head = (
        "<tr><th>Trained robustly"
        f"<th>{escape(score)}<br><small>higher is better</small><th>{escape(fid)}<br><small>lower is better</small>"
        "<th>Paper: Inception score<br><small>CIFAR-10</small><th>Our sign<br><small>against the paper's</small></tr>"
    )
    return (
        scrolled(f'<table class="table2">{head}{blocks}</table>')
        + '<p class="note">Mean ± standard deviation over training seeds. Below: how much better '
        "than without robust part (a lower FID is better), paired by seed, in brackets the 95 % interval of the mean, "
        f"uncorrected. Fewer than {MIN_SEEDS} seeds: no claim. The last column says whether our score moves as the "
        "paper's does, where the claim that it rises is decided (Claims). "
        f"The paper's values: {escape(published.PROTOCOL)}.</p>"
    )


def basis(column: Ablation) -> str:
    """What the scores of an evaluated column rest on: their protocol, and the FID that real images get."""
    first = column.evaluations[0]
    beside = "" if first.floor is None else f"; FID of real against real {MEASURES['fid'].number(first.floor)}"
    return f"{first.protocol}{beside}"


def _block(column: Ablation, claims: Sequence[Claim]) -> str:
    head = (
        f'<tr><th colspan="5">{escape(column.title)} <small>(paper: {escape(comparison(column))})</small>'
        f"<br><small>{escape(basis(column))}</small></tr>"
    )
    return head + "".join(_line(column, row, claims) for row in ROWS if column.cell(row, "score") is not None)


def _line(column: Ablation, row: str, claims: Sequence[Claim]) -> str:
    found = {measure: column.cell(row, measure) for measure in CLAIMED}
    ours = [
        _two(cell.words, "" if row == "none" else _gain(gains(column, row, "none", measure), measure))
        for measure, cell in found.items() if cell is not None
    ]  # fmt: skip
    theirs, base = published.table_2(column.system, row), published.table_2(column.system, "none")
    gain = signed(theirs.mean - base.mean) if theirs and base and row != "none" else ""
    count = next(len(cell.values) for cell in found.values() if cell is not None)
    cells = [
        _two(ROWS[row], seeds(count)),
        *ours,
        _two(theirs.words if theirs else "–", gain),
        sign(claims, column, row),
    ]
    return "<tr>" + "".join(f"<td>{cell}" for cell in cells) + "</tr>"


def _two(words: str, below: str) -> str:
    return f"{escape(words)}<br><small>{escape(below)}</small>" if below else escape(words)


def figure1_words(settings: EvaluationSettings, measure: str) -> str:
    """What Figure 1 shows, as HTML."""
    return (
        f"<b>{escape(settings.title(measure))} of images from original noise</b>, {_better(measure)}. Bars: mean over "
        "training seeds; whiskers: one standard deviation (of one seed: over repeats); dots: one seed each."
    )


def figure2_words() -> str:
    """What Figure 2 shows, as HTML."""
    return (
        "<b>Classifier score while training</b>, by the shipped judge on the same noise. Lines: mean over training "
        "seeds; bands: one standard deviation."
    )


def figure3_words(settings: EvaluationSettings, measure: str) -> str:
    """What Figure 3 shows, as HTML."""
    return (
        f"<b>{escape(settings.title(measure))} of images from original, worst and random noise</b>, "
        f"{_better(measure)}. ε 0 is the original noise, and the dotted line its value; random noise is as long as the "
        "worst beside it. The axis need not begin at 0. Whiskers: one standard deviation over training seeds (of one "
        "seed: over repeats)."
    )


def learned_by(column: Ablation) -> str:
    """How a column's models were scored while they trained."""
    return f"While training: {column.scored[0].training.protocol or 'protocol unknown'}"


def _better(measure: str) -> str:
    return f"{'higher' if MEASURES[measure].higher else 'lower'} is better"


def table1_html(study: Study) -> str:
    """What the paper's Table 1 prints of the systems of this study; "" if nothing."""
    systems = {column.system for column in study.columns}
    lines = [line for line in published.TABLE_1 if line.system in systems]
    if not lines:
        return ""
    head = "<tr><th>The paper's Table 1<th>Inception score, CIFAR-10<th>STL-10<th>FID, CIFAR-10<th>STL-10</tr>"
    cells = "".join(
        f"<tr><td>{escape(line.name)}"
        + "".join(
            f"<td>{value.words if value else '–'}"
            for value in (line.score_cifar10, line.score_stl10, line.fid_cifar10, line.fid_stl10)
        )
        + "</tr>"
        for line in lines
    )
    return (
        scrolled(f'<table class="table2">{head}{cells}</table>') + '<p class="note">'
        f"{escape(_TABLE_1[study.settings.features])}</p>"
    )


def _gain(differences: list[float], measure: str) -> str:
    number = MEASURES[measure].number
    if not differences:
        return "–"
    if len(differences) < MIN_SEEDS:
        return number(statistics.fmean(differences), "+")
    found = t_test(differences)
    return f"{number(found.mean, '+')} ({number(found.low, '+')} to {number(found.high, '+')})"


def claims_words(claims: tuple[Claim, ...]) -> str:
    """How many claims were tested and what that means, as HTML."""
    tested = sum(claim.test is not None for claim in claims)
    words = (
        f"{tested} of {len(claims)} claims have the {MIN_SEEDS} training seeds that a claim needs. Differences are "
        "paired by training seed and turned so that above 0 they favour the claim; on worst noise they are what goes "
        "beyond random noise of the same length. A claim is supported, or not, if the 95 % t interval of the mean "
        f"difference lies on one side of 0 and p after Holm's correction is at most {LEVEL:g}, else undecided. "
        "Corrected together are the claims that answer one question of one column by one measure: who gains on "
        "original noise, or, at every ε, whether worst noise harms the baseline, or the robust model less; their "
        "number stands below p. Paired t intervals assume roughly normal differences, which a few seeds cannot show."
    )
    return f'<p class="note">{escape(words)}</p>'


def claims_html(study: Study, column: Ablation) -> str:
    """The claims of one column as a table, those on the score first; a sentence where there are too few seeds."""
    mine = [claim for claim in study.claims if claim.column == column.title]
    if all(claim.test is None for claim in mine):
        return f'<p class="note">No claim: too few training seeds, {MIN_SEEDS} a row are needed.</p>'
    lines = "".join(
        f'<tr><td><span class="outcome">{MARKS[claim.outcome]} {claim.outcome}</span>'
        f"<td>{escape(claim.paper)} <small>({claim.where})</small>"
        f"<td>{escape(study.settings.words(claim.measure))}<td>{escape(claim.because)}<td>{_p(claim)}</tr>"
        for claim in mine
    )  # fmt: skip
    head = "<tr><th>Outcome<th>The paper's claim<th>Measures by<th>These models<th>p, corrected</tr>"
    return scrolled(f'<table class="claims">{head}{lines}</table>')


def _p(claim: Claim) -> str:
    if claim.holm is None:
        return ""
    p = "&lt; 0.001" if claim.holm < 0.001 else f"{claim.holm:.3f}"
    return f"{p}<br><small>of {claim.family}</small>"


def limits(study: Study) -> tuple[str, ...]:
    """What the numbers do not say, and the protocols of the scores."""
    protocols = sorted({model.evaluation.protocol for model in study.models if model.evaluation})
    return (
        *(f"Scores: {protocol}." for protocol in protocols),
        _SCORES[study.settings.features],
        f"An image is bad if the judge finds it worse than {per_cent(BAD, 0)} of held-out real images.",
        "Worst noise is the worst for the model's own critic, found by a search that may have missed worse; z + r may "
        "be longer than ordinary noise, as in the paper. Random noise of the same length is the control for that.",
        "± and whiskers are standard deviations over training seeds, of one seed over repeats as in the paper's "
        "Figure 3. The intervals are over training seeds and treat each seed's numbers as exact; paired t intervals "
        "assume roughly normal differences, which a few seeds cannot show.",
        f"Made with RGAN Lab {__version__}, torch {version('torch')}, torch-fidelity {version('torch-fidelity')}, "
        f"scipy {version('scipy')}.",
    )


def left_html(left: tuple[LeftOut, ...]) -> str:
    """The models that are in no table, each with the reason."""
    if not left:
        return ""
    lines = "".join(
        f"<li><b>{escape(one.name)}</b> (<code>{escape(one.path)}</code>): {escape(one.reason)}" for one in left
    )
    return f'<p>Left out:</p><ul class="note">{lines}</ul>'


def unscored(study: Study) -> str:
    """The models that Figure 2 cannot show, in words; "" if there are none."""
    shown = {model.digest for column in study.columns for model in column.scored}
    names = [model.name for model in members(study.columns) if model.digest not in shown]
    return f"No scores (or by another judge) were kept while these trained: {', '.join(names)}." if names else ""


def _figures1(study: Study) -> str:
    if not study.models:
        return ""
    return "".join(
        f"<p>{figure1_words(study.settings, measure)}</p>"
        + "".join(
            f'<p class="note">{escape(basis(part[0]))}</p>'
            + figure_html(bars(part, study.settings, measure), f"figure1-{measure}-{index}")
            for index, part in enumerate(side_by_side(study.columns))
        )
        for measure in CLAIMED
    )


def _figures2(study: Study) -> str:
    drawn = [
        f'<h3>{escape(column.title)}</h3><p class="note">{escape(learned_by(column))}</p>'
        + figure_html(figure, f"figure2-{index}")
        for index, column in enumerate(study.columns)
        if (figure := learning(column)) is not None
    ]
    words = f"<p>{figure2_words()}</p>" if drawn else ""
    return words + "".join(drawn) + f'<p class="note">{escape(unscored(study))}</p>'


def _figures3(study: Study) -> str:
    parts = []
    for index, column in enumerate(study.columns):
        if not column.evaluations:
            continue
        drawn = "".join(
            f"<p>{figure3_words(study.settings, measure)}</p>"
            + figure_html(noises(column, study.settings, measure), f"figure3-{index}-{measure}")
            for measure in SHOWN
        )
        parts.append(f'<h3>{escape(column.title)}</h3><p class="note">{escape(basis(column))}</p>{drawn}')
    return "".join(parts)


def _models_html(study: Study) -> str:
    lines = "".join(
        f"<tr><td>{escape(model.name)}<td>{model.training.seed}<td>{escape(ROWS[model.row])}"
        f"<td>{model.evaluation.seconds:.0f} s<td><code>{model.digest}</code></tr>"
        for model in study.models if model.evaluation
    )  # fmt: skip
    head = "<tr><th>Model<th>Seed<th>Trained robustly<th>Evaluation<th>SHA-256 of its file</tr>"
    return scrolled(f"<table>{head}{lines}</table>")
