"""Charts of the Evidence: strips, degradation curves, survival, the prior's shell, and intervals side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rgan.report.charts.basic import COLOURS, NEUTRAL, lay_out, plain
from rgan.robustness.curves import METRICS, RobustnessCurve
from rgan.robustness.one_radius import CONTROLS, OneRadius, Shell
from rgan.stats.intervals import Interval, mean_interval

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from rgan.robustness.minimal_radius import MinimalRadii

SYMBOLS = {
    "original": "circle",
    "worst": "triangle-up",
    "random": "diamond",
    "best": "diamond-open",
    "fresh": "circle-open",
}
MARKS = {"original": "●", "worst": "▲", "random": "◆", "best": "◇", "fresh": "○"}  # the same in text
SHORT = {"original": "original", "worst": "worst", "random": "random", "best": "best of<br>random", "fresh": "fresh"}
DASHES = {"worst": "solid", "random": "dot"}
EPSILONS = 6  # numbers along an axis of ε, at most
_WIDTH = 0.32  # of a strip's scatter around its place
_LINED = 128  # samples up to which pairs are joined by lines


def strips(one: OneRadius, side: str, *, height: int = 330) -> Figure:
    """Badness of every sample under each kind of noise, original and worst joined; means with 95 % intervals.

    A point carries its words, and the number of its image where those of all kinds, each N, stand one after another.
    """
    from plotly.graph_objects import Figure, Scatter

    figure = Figure()
    count = len(one.perturbation.z)
    place = _WIDTH * (np.random.default_rng(0).random(count) - 0.5)
    values = {kind: 100 * measure.badness.numpy() for kind, measure in one.measures.items()}
    if count <= _LINED:
        pairs = np.stack([values["original"], values["worst"], np.full(count, np.nan)], axis=1).ravel()
        across = np.stack([place, 1 + place, np.full(count, np.nan)], axis=1).ravel()
        figure.add_trace(
            Scatter(
                x=plain(across), y=plain(pairs), mode="lines", hoverinfo="skip", opacity=0.25,
                line={"color": NEUTRAL, "width": 1},
            )
        )  # fmt: skip
    for index, kind in enumerate(CONTROLS):
        colour = COLOURS[side] if kind == "worst" else NEUTRAL
        figure.add_trace(
            Scatter(
                x=plain(index + place), y=plain(values[kind]), mode="markers", name=CONTROLS[kind],
                marker={"color": colour, "symbol": SYMBOLS[kind], "size": 6, "opacity": 0.55},
                customdata=[
                    (f"sample {k}, {kind}: {value:.1f} %", index * count + k) for k, value in enumerate(values[kind])
                ],
                hovertemplate="%{customdata[0]}<extra></extra>",
            )
        )  # fmt: skip
        mean = mean_interval(one.measures[kind].badness)
        figure.add_trace(
            Scatter(
                x=[index + 0.3], y=[100 * mean.mean], mode="markers",
                marker={"color": colour, "size": 9, "symbol": "square"},
                error_y=_whiskers([mean], 100, colour), hovertemplate="mean %{y:.1f} %<extra></extra>",
            )
        )  # fmt: skip
    lay_out(figure, height, y="badness, %")
    figure.update_xaxes(
        tickvals=list(range(len(CONTROLS))), ticktext=[SHORT[kind] for kind in CONTROLS], tickangle=0, showgrid=False
    )
    figure.update_yaxes(range=[-3, 103])
    return figure


def degradation(
    curves: Mapping[tuple[str, str], RobustnessCurve],
    metric: str,
    radius: float,
    *,
    floor: float | None = None,
    height: int = 300,
) -> Figure:
    """Curves of {A, B} × {worst, random} against ε with the range of their repeats, and the ε in question."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure()
    share = 100 if metric in ("badness", "bad") else 1
    for (side, kind), one in curves.items():
        edge = np.concatenate([one.radii, one.radii[::-1]]), share * np.concatenate([one.high, one.low[::-1]])
        figure.add_trace(
            Scatter(
                x=plain(edge[0]), y=plain(edge[1]), fill="toself", mode="none", opacity=0.18, hoverinfo="skip",
                fillcolor=COLOURS[side],
            )
        )  # fmt: skip
        figure.add_trace(
            Scatter(
                x=plain(one.radii), y=plain(share * one.mean), mode="lines+markers", name=f"{side}, {kind}",
                line={"color": COLOURS[side], "dash": DASHES[kind], "width": 2.5},
                marker={"symbol": SYMBOLS[kind], "size": 7}, hovertemplate="%{y:.3g}",
            )
        )  # fmt: skip
    if floor is not None:
        figure.add_hline(floor, line={"color": NEUTRAL, "dash": "dash", "width": 1.5})
    _mark(figure, radius)
    lay_out(figure, height, x="ε", y=METRICS.get(metric, metric) + (", %" if share == 100 else ""))
    figure.update_xaxes(nticks=EPSILONS)
    if share == 100:
        figure.update_yaxes(rangemode="tozero")
    figure.update_layout(hovermode="x unified")
    return figure


def differences(
    radii: Sequence[float], found: Mapping[str, Sequence[Interval]], radius: float, *, height: int = 260
) -> Figure:
    """What moving adds to B's badness beyond A's, in points, with its interval; above 0: B suffers more."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure()
    for kind, intervals in found.items():
        colour = "#8E6FD0" if kind == "worst" else NEUTRAL
        figure.add_trace(
            Scatter(
                x=list(radii), y=[100 * one.mean for one in intervals], mode="lines+markers", name=kind,
                line={"color": colour, "dash": DASHES[kind], "width": 2}, marker={"symbol": SYMBOLS[kind], "size": 7},
                error_y=_whiskers(intervals, 100, colour), hovertemplate="%{y:+.1f}",
            )
        )  # fmt: skip
    figure.add_hline(0, line={"color": NEUTRAL, "width": 1})
    _mark(figure, radius)
    lay_out(figure, height, x="ε", y="B beyond A, points")
    figure.update_xaxes(nticks=EPSILONS)
    return figure


def survival(found: Mapping[tuple[str, str], MinimalRadii], radius: float, *, height: int = 380) -> Figure:
    """Share of samples whose image has not been bad up to ε, with 95 % bands for worst noise; marks: good at this ε."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure()
    for (side, kind), one in found.items():
        at = np.linspace(0, one.last, 200)
        share, low, high = (100 * values for values in one.survival(at))
        if kind == "worst":
            figure.add_trace(
                Scatter(
                    x=plain(np.concatenate([at, at[::-1]])), y=plain(np.concatenate([high, low[::-1]])),
                    fill="toself", mode="none", opacity=0.18, hoverinfo="skip", fillcolor=COLOURS[side],
                )
            )  # fmt: skip
        figure.add_trace(
            Scatter(
                x=plain(one.radii), y=plain(100 * one.good), mode="markers", hoverinfo="skip",
                marker={"color": COLOURS[side], "symbol": SYMBOLS[kind], "size": 8},
            )
        )  # fmt: skip
        figure.add_trace(
            Scatter(
                x=plain(at), y=plain(share), mode="lines", name=f"{side}, {kind}", hovertemplate="%{y:.0f} %",
                line={"color": COLOURS[side], "dash": DASHES[kind], "width": 2.5, "shape": "hv"},
            )
        )  # fmt: skip
    _mark(figure, radius)
    lay_out(figure, height, x="ε", y="never bad so far, %")
    figure.update_layout(hovermode="x unified")
    figure.update_yaxes(range=[0, 102])
    return figure


def shell_lengths(one: Shell, side: str, *, height: int = 300) -> Figure:
    """Density of the prior's lengths, and histograms of original, worst and random noise over it."""
    from plotly.graph_objects import Figure, Histogram, Scatter

    figure = Figure()
    everything = np.concatenate(list(one.lengths.values()))
    middle = one.dimensions**0.5
    low, high = min(everything.min(), middle - 3), max(everything.max(), middle + 3)
    at = np.linspace(max(0.0, low - 0.2), high + 0.2, 200)
    for kind in ("original", "random", "worst"):
        figure.add_trace(
            Histogram(
                x=plain(one.lengths[kind]), histnorm="probability density", opacity=0.5, name=kind,
                xbins={"start": float(at[0]), "end": float(at[-1]), "size": float(at[-1] - at[0]) / 30},
                marker={
                    "color": COLOURS[side] if kind == "worst" else NEUTRAL,
                    "pattern": {"shape": {"original": "", "worst": "", "random": "/"}[kind]},
                },
            )
        )  # fmt: skip
    figure.add_trace(
        Scatter(
            x=plain(at), y=plain(one.density(at)), mode="lines", hoverinfo="skip", name="prior",
            line={"color": NEUTRAL, "width": 2.5},
        )
    )  # fmt: skip
    figure.update_layout(barmode="overlay")
    lay_out(figure, height, x="length of the noise", y="density")
    return figure


def side_by_side(rows: Sequence[tuple[str, str, Interval]], words: str, *, scale: float = 1.0) -> Figure:
    """Intervals under one another: (label, model that is judged, interval); 0 is marked."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure()
    for label, side, one in rows:
        bounds = {"array": [scale * (one.high - one.mean)], "arrayminus": [scale * (one.mean - one.low)]}
        figure.add_trace(
            Scatter(
                x=[scale * one.mean], y=[label], mode="markers",
                marker={"color": COLOURS[side], "size": 10, "symbol": "square"},
                error_x={"type": "data", "symmetric": False, "color": COLOURS[side], "thickness": 2} | bounds,
                hovertemplate="%{x:.3g}<extra></extra>",
            )
        )  # fmt: skip
    figure.add_vline(0, line={"color": NEUTRAL, "width": 1})
    lay_out(figure, 60 + 44 * len(rows), x=words)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure


def _whiskers(found: Sequence[Interval], scale: float, colour: str) -> dict[str, Any]:
    return {
        "type": "data", "symmetric": False, "color": colour, "thickness": 2, "width": 5,
        "array": [scale * (one.high - one.mean) for one in found],
        "arrayminus": [scale * (one.mean - one.low) for one in found],
    }  # fmt: skip


def _mark(figure: Figure, radius: float) -> None:
    """The ε in question."""
    figure.add_vline(radius, line={"color": NEUTRAL, "width": 1.5, "dash": "dash"})
