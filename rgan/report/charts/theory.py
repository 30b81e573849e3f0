"""Charts of the theory: the worst loss along ρ, the players of the robust game, and what the bounds ask for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from rgan.report.charts.basic import COLOURS, NEUTRAL, lay_out, plain
from rgan.theory.game import Game, Solved
from rgan.theory.sample_bounds import Measured
from rgan.theory.worst_distribution import Vector

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_ALL = 0.95  # of the draws


def robust_loss(
    radii: Vector, values: Vector, radius: float, value: float, price: float, programme: float, *, height: int = 300
) -> Figure:
    """The worst loss within ρ, concave, with the line of slope γ that touches it at ρ; ○ the linear programme."""
    from plotly.graph_objects import Scatter

    figure = _figure(height, "ρ", "worst loss")
    figure.add_trace(_line(radii, values, COLOURS["A"], "solid", "inner maximum"))
    tangent = value + price * (radii - radius)
    inside = (tangent >= values.min() - 0.05) & (tangent <= values.max() + 0.1)
    figure.add_trace(_line(radii[inside], tangent[inside], NEUTRAL, "dash", f"slope γ = {price:.3g}"))
    figure.add_trace(
        Scatter(
            x=[radius], y=[programme], mode="markers", name="linear programme", hovertemplate="%{y:.4g}",
            marker={"symbol": "circle-open", "size": 14, "color": COLOURS["B"], "line": {"width": 3}},
        )
    )  # fmt: skip
    return figure


def densities(game: Game, solved: Solved, *, height: int = 280) -> Figure:
    """p_r in blue and p_g in orange, and dashed their worst distributions for the critic of the solved game."""
    figure = _figure(height, "x", "density")
    width = float(game.places[1] - game.places[0])
    for name, colour, own, worst in (
        ("p_r", COLOURS["A"], game.real, solved.worst_real), ("p_g", COLOURS["B"], game.fake, solved.worst_fake)
    ):  # fmt: skip
        figure.add_trace(_line(game.places, own / width, colour, "solid", name))
        figure.add_trace(_line(game.places, worst / width, colour, "dash", f"{name}′"))
    return figure


def critics(game: Game, found: Mapping[str, tuple[Vector, str, str]], points: Vector, *, height: int = 280) -> Figure:
    """Critics over x by their names, each (n,) with colour and dash; `points` of the solved one found by a solver."""
    from plotly.graph_objects import Scatter

    figure = _figure(height, "x", "D(x)")
    for name, (critic, colour, dash) in found.items():
        figure.add_trace(_line(game.places, critic, colour, dash, name))
    figure.add_trace(
        Scatter(
            x=plain(game.places[::4]), y=plain(points[::4]), mode="markers", name="optimised at each x",
            marker={"symbol": "circle-open", "size": 7, "color": NEUTRAL}, hovertemplate="%{y:.3f}",
        )
    )  # fmt: skip
    figure.update_yaxes(range=[-0.03, 1.03])
    return figure


def passes(values: Sequence[float], saddle: float, gap: float, *, height: int = 280) -> Figure:
    """V of the lemma's critic, taken again and again, when the worst distributions answer it; the band: the game's."""
    from plotly.graph_objects import Scatter

    figure = _figure(height, "times the formula was taken", "V against its worst")
    figure.add_hrect(saddle - gap, saddle, fillcolor=COLOURS["A"], opacity=0.35, line_width=0)
    figure.add_hline(saddle, line={"color": COLOURS["A"], "width": 2})
    figure.add_trace(
        Scatter(
            x=list(range(len(values))), y=plain(np.array(values)), mode="lines+markers", hovertemplate="%{y:.3f}",
            line={"color": NEUTRAL, "dash": "dot"}, marker={"size": 8, "color": NEUTRAL}, name="the lemma's critic",
        )
    )  # fmt: skip
    figure.update_xaxes(dtick=1)
    return figure


def asked(errors: Sequence[float], samples: Mapping[str, Sequence[float]], had: int, *, height: int = 300) -> Figure:
    """How many samples each lemma asks for, against ε, both logarithmic; the line across: how many there were."""
    figure = _figure(height, "ε", "samples")
    for (name, values), colour in zip(samples.items(), COLOURS.values(), strict=True):
        figure.add_trace(_line(np.array(errors), np.array(values), colour, "solid", name))
    figure.add_hline(had, line={"color": NEUTRAL, "dash": "dash", "width": 2})
    figure.update_xaxes(type="log", tickvals=list(errors))
    figure.update_yaxes(type="log", exponentformat="power")
    return figure


def gaps(found: Measured, bound: Mapping[int, float], *, height: int = 300) -> Figure:
    """|V_m − V| against m: every draw a point, ▲ what 95 % of them stay below, dashed what (25) bounds it by."""
    from plotly.graph_objects import Scatter

    figure = _figure(height, "m", "|V_m − V|")
    for size, each in found.gaps.items():
        figure.add_trace(
            Scatter(
                x=[size] * len(each), y=plain(np.array(each)), mode="markers", hoverinfo="skip",
                marker={"color": NEUTRAL, "size": 5, "opacity": 0.25},
            )
        )  # fmt: skip
    sizes = list(found.gaps)
    figure.add_trace(
        Scatter(
            x=sizes, y=plain(np.array([quantile(each) for each in found.gaps.values()])), mode="lines+markers",
            line={"color": COLOURS["A"], "width": 2.5}, marker={"symbol": "triangle-up", "size": 10},
            name="95 % stay below", hovertemplate="%{y:.3g}",
        )
    )  # fmt: skip
    figure.add_trace(_line(np.array(sizes), np.array([bound[size] for size in sizes]), COLOURS["B"], "dash", "bound"))
    figure.update_xaxes(type="log", tickvals=sizes)
    figure.update_yaxes(type="log", exponentformat="power")
    return figure


def quantile(draws: Sequence[float]) -> float:
    """What 95 % of the draws stay below."""
    return sorted(draws)[math.ceil(_ALL * len(draws)) - 1]


def _figure(height: int, x: str, y: str) -> Figure:
    from plotly.graph_objects import Figure

    figure = Figure()
    lay_out(figure, height, x=x, y=y)
    figure.update_layout(hovermode="x unified")
    return figure


def _line(x: Vector, y: Vector, colour: str, dash: str, name: str) -> Figure:
    from plotly.graph_objects import Scatter

    return Scatter(
        x=plain(x), y=plain(y), mode="lines", name=name, line={"color": colour, "dash": dash, "width": 2.5},
        hovertemplate="%{y:.3g}",
    )  # fmt: skip
