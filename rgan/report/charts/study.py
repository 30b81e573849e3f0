"""The paper's Figures 1 to 3 of a study, as plotly figures.

Rows differ in pattern or dash and noises in symbol, not in colour alone.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rgan.attack.objectives import CRITIC
from rgan.paper.ablation import Ablation
from rgan.paper.evaluation import MEASURES, NOISES, EvaluationSettings
from rgan.paper.frontier import MEASURE, Frontier
from rgan.paper.published import ROWS
from rgan.report.charts.basic import COLOURS, NEUTRAL

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST = 6  # columns side by side in Figure 1
WRAP = 84  # characters under an axis, for all columns together
PATTERN = {"fillmode": "overlay", "fgcolor": "#fff", "size": 7}
SHAPES = ("triangle-up", "square", "diamond", "cross", "star", "hexagon", "pentagon", "bowtie", "hourglass")
SYMBOLS = {"original": "circle", "worst": "triangle-up", "random": "diamond"}


@dataclass(frozen=True)
class Look:
    """How a row is drawn: its colour ("#rrggbb"), the pattern of its bars and the dash of its lines."""

    colour: str
    pattern: str
    dash: str


LOOKS = {
    "none": Look(COLOURS["A"], "", "dash"),
    "generator": Look(COLOURS["B"], "/", "dashdot"),
    "critic": Look(COLOURS["B"], ".", "dot"),
    "both": Look(COLOURS["B"], "x", "solid"),
}


def side_by_side(columns: Sequence[Ablation]) -> list[Sequence[Ablation]]:
    """The evaluated columns in parts for one chart of `bars` each: of one protocol, and no more than its axis can name.

    Columns whose evaluations differ in anything but the model (`Evaluation.key`) never share a chart.
    """
    alike: dict[str, list[Ablation]] = {}
    for column in columns:
        if column.evaluations:
            alike.setdefault(column.evaluations[0].key, []).append(column)
    return [found[start : start + MOST] for found in alike.values() for start in range(0, len(found), MOST)]


def bars(columns: Sequence[Ablation], settings: EvaluationSettings, measure: str, *, height: int = 380) -> Figure:
    """Figure 1: a group a column, a bar a row with its standard deviation as whisker, and a point for each seed.

    Of one seed the whisker is the standard deviation over repeats.
    """
    from plotly.graph_objects import Bar, Figure, Scatter

    figure = Figure()
    rows = [row for row in ROWS if any(row in column.models for column in columns)]
    width = 0.8 / len(rows)
    dots: dict[str, list[Any]] = {"x": [], "y": [], "text": []}
    for place, row in enumerate(rows):
        x, y, whiskers = [], [], []
        for index, column in enumerate(columns):
            cell = column.cell(row, measure)
            if cell is None:
                continue
            middle = index + (place - (len(rows) - 1) / 2) * width
            x.append(middle)
            y.append(cell.mean)
            whiskers.append(cell.whisker)
            for k, (seed, value) in enumerate(zip(cell.seeds, cell.values, strict=True)):
                dots["x"].append(middle + (k - (len(cell.seeds) - 1) / 2) * 0.5 * width / len(cell.seeds))
                dots["y"].append(value)
                dots["text"].append(f"{ROWS[row]}, seed {seed}")
        look = LOOKS[row]
        figure.add_trace(
            Bar(
                x=x, y=y, width=width * 0.92, name=ROWS[row], error_y=_whiskers(whiskers),
                marker={"color": look.colour, "pattern": {"shape": look.pattern} | PATTERN},
                hovertemplate="%{y:.4g}",
            )
        )  # fmt: skip
    figure.add_trace(
        Scatter(
            **dots, mode="markers", name="one training seed", hovertemplate="%{text}: %{y:.4g}<extra></extra>",
            marker={"color": "#fff", "size": 6, "line": {"color": "#334155", "width": 1.2}},
        )
    )  # fmt: skip
    names = [_wrapped(column.title, len(columns)) for column in columns]
    places = list(range(len(columns)))
    figure.update_xaxes(tickvals=places, ticktext=names, tickangle=0, range=[-0.5, len(columns) - 0.5])
    _framed(figure, height)
    figure.update_yaxes(title=_title(settings.words(measure)), rangemode="tozero")
    return figure


def learning(column: Ablation, measure: str = "score", *, height: int = 320) -> Figure | None:
    """Figure 2 for one column: the mean of the seeds against the iteration, ± one standard deviation as a band.

    The measure is the one kept in the training history, by the shipped judge; None if no history has it.
    """
    from plotly.graph_objects import Figure, Scatter

    figure = Figure()
    for row in column.models:
        found = column.learning(row, measure)
        if found is None:
            continue
        look, x = LOOKS[row], list(found.iterations)
        if found.seeds > 1:
            above = [mean + spread for mean, spread in zip(found.mean, found.spread, strict=True)]
            below = [mean - spread for mean, spread in zip(found.mean, found.spread, strict=True)]
            figure.add_trace(
                Scatter(
                    x=x + x[::-1], y=above + below[::-1], fill="toself", fillcolor=_faint(look.colour),
                    line={"width": 0}, hoverinfo="skip", showlegend=False,
                )
            )  # fmt: skip
        figure.add_trace(
            Scatter(
                x=x, y=list(found.mean), mode="lines", name=f"{ROWS[row]}, {found.seeds} seed{'s' * (found.seeds > 1)}",
                line={"color": look.colour, "dash": look.dash, "width": 2.5}, hovertemplate="%{y:.4g}",
            )
        )  # fmt: skip
    if not figure.data:
        return None
    _framed(figure, height)
    figure.update_layout(hovermode="x unified")
    figure.update_xaxes(title=_title("iteration"), rangemode="tozero")
    figure.update_yaxes(title=_title(MEASURES[measure].words))
    return figure


def noises(
    column: Ablation, settings: EvaluationSettings, measure: str, objective: str = CRITIC, *, height: int = 340
) -> Figure:
    """Figure 3 for one column: a panel a row; original noise, and worst beside random noise at every ε, with standard
    deviations as whiskers (over seeds; of one seed over repeats).

    objective: what the search for worst noise raised.
    """
    from plotly.graph_objects import Scatter
    from plotly.subplots import make_subplots

    rows = [row for row in column.models if column.cell(row, measure) is not None]
    figure = make_subplots(
        1, max(1, len(rows)), shared_yaxes=True, subplot_titles=[ROWS[row] for row in rows], horizontal_spacing=0.03
    )
    radii = settings.attack.radii
    for panel, row in enumerate(rows, 1):
        original = column.cell(row, measure)
        assert original is not None
        for noise in NOISES:
            places = (
                [0.0] if noise == "original" else [k + (0.14 if noise == "random" else -0.14) for k in _from_one(radii)]
            )
            kinds = [kind for kind in settings.kinds if kind[0] == noise]
            cells = [cell for kind in kinds if (cell := column.cell(row, measure, *kind, objective)) is not None]
            figure.add_trace(
                Scatter(
                    x=places, y=[cell.mean for cell in cells], mode="markers", name=f"{noise} noise",
                    error_y=_whiskers([cell.whisker for cell in cells]), showlegend=panel == 1,
                    marker={
                        "symbol": SYMBOLS[noise], "size": 11,
                        "color": NEUTRAL if noise == "random" else LOOKS[row].colour,
                    },
                    hovertemplate="%{y:.4g}",
                ),
                row=1, col=panel,
            )  # fmt: skip
        figure.add_hline(original.mean, line={"color": NEUTRAL, "width": 1, "dash": "dot"}, row=1, col=panel)
    ticks = ["0", *(f"{radius:g}" for radius in radii)]
    figure.update_xaxes(
        tickvals=list(range(len(ticks))), ticktext=ticks, tickangle=0, range=[-0.5, len(ticks) - 0.5],
        title=_title("ε"),
    )  # fmt: skip
    _framed(figure, height)
    figure.update_layout(margin={"t": 72}, legend={"y": 1.14})  # above the panels' names
    figure.update_yaxes(title=_title(settings.words(measure)), col=1)
    return figure


def frontier(found: Frontier, settings: EvaluationSettings, *, height: int = 420) -> Figure:
    """Quality on worst noise against quality on ordinary noise: a mark a model, the efficient ones joined.

    On the dotted line worst noise costs nothing. `customdata` of a mark is its model's name.
    """
    from plotly.graph_objects import Figure, Scatter

    figure = Figure()
    values = [value for mark in found.marks for value in (mark.ordinary, mark.worst)]
    ends = [min(values), max(values)]
    figure.add_trace(
        Scatter(x=ends, y=ends, mode="lines", line={"color": NEUTRAL, "dash": "dot", "width": 1}, hoverinfo="skip",
                name="worst noise costs nothing")
    )  # fmt: skip
    efficient = found.efficient
    figure.add_trace(
        Scatter(
            x=[mark.ordinary for mark in efficient], y=[mark.worst for mark in efficient], mode="lines",
            line={"color": NEUTRAL, "width": 2}, hoverinfo="skip", name="efficient",
        )
    )  # fmt: skip
    parts = list(dict.fromkeys(mark.robust for mark in found.marks if mark.robust))
    for row in ROWS:
        for robust in parts if row != "none" else [""]:
            marks = [mark for mark in found.marks if mark.model.row == row and mark.robust == robust]
            if not marks:
                continue
            filled = {"none": "", "both": "", "generator": "-open", "critic": "-open-dot"}[row]
            shape = "circle" if row == "none" else SHAPES[parts.index(robust) % len(SHAPES)]
            figure.add_trace(
                Scatter(
                    x=[mark.ordinary for mark in marks], y=[mark.worst for mark in marks], mode="markers",
                    name=", ".join(words for words in (ROWS[row], robust) if words),
                    marker={"color": LOOKS[row].colour, "symbol": f"{shape}{filled}", "size": 11},
                    customdata=[mark.model.name for mark in marks],
                    text=["" if mark.cost is None else f", {mark.cost:.2f} × the baseline's time" for mark in marks],
                    hovertemplate="%{customdata}%{text}<br>%{x:.4g} ordinary, %{y:.4g} worst<extra></extra>",
                )
            )  # fmt: skip
    words = settings.words(MEASURE)
    _framed(figure, height)
    figure.update_layout(margin={"b": 40})
    figure.update_xaxes(title=_title(f"{words} on ordinary noise"))
    figure.update_yaxes(title=_title(f"{words} on worst noise, ε {found.radius:g}"))
    return figure


def _from_one(values: Sequence[float]) -> range:
    return range(1, len(values) + 1)


def _whiskers(values: Sequence[float | None]) -> dict[str, Any]:
    return {"type": "data", "array": list(values), "color": NEUTRAL, "thickness": 2, "width": 5}


def _title(words: str) -> dict[str, Any]:
    return {"text": words, "font": {"size": 13}}


def _wrapped(words: str, columns: int) -> str:
    return "<br>".join(textwrap.wrap(words, WRAP // columns))


def _faint(colour: str) -> str:
    return "rgba({}, {}, {}, 0.18)".format(*(int(colour[at : at + 2], 16) for at in (1, 3, 5)))


def _framed(figure: Figure, height: int) -> None:
    figure.update_layout(
        height=height, margin={"l": 8, "r": 8, "t": 48, "b": 8}, uirevision="same",
        legend={"orientation": "h", "x": 0, "y": 1.06, "yanchor": "bottom"},
    )  # fmt: skip
    figure.update_yaxes(automargin=True)
