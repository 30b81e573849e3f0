"""Charts from plain results, as plotly figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from rgan.embedding.figure4 import LinearView
    from rgan.embedding.projections import Embedding

# Blue and orange stay apart in every common form of colour blindness; grey is what both are held against.
COLOURS = {"A": "#2B7CC9", "B": "#D9680B"}
NEUTRAL = "#8A94A6"
SMOOTHING = 0.05  # width of the moving mean as a share of a curve's points


@dataclass(frozen=True)
class Line:
    """A series over iterations: x and y of equal length, its words, colour ("#rrggbb") and dash ("solid", "dot")."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    colour: str
    dash: str = "solid"


def moving_mean(values: Sequence[float], width: int) -> np.ndarray:
    """Mean over the `width` (odd) points around each one, over fewer at the ends; float64 of the same length."""
    padded = np.cumsum(np.concatenate([[0.0], np.asarray(values, float)]))
    index = np.arange(len(values))
    half = width // 2
    low, high = np.maximum(index - half, 0), np.minimum(index + half + 1, len(values))
    return np.asarray((padded[high] - padded[low]) / (high - low))


def curves(lines: Sequence[Line], *, height: int = 230) -> Figure:
    """Each curve's points faintly and its moving mean over them, against the training iteration.

    Without title and legend: the page around it wraps words, a figure cuts them.
    """
    from plotly.graph_objects import Figure, Scatter

    figure = Figure()
    for line in lines:
        width = 2 * int(SMOOTHING * len(line.y) / 2) + 1
        style = {"color": line.colour, "dash": line.dash}
        figure.add_trace(
            Scatter(
                x=list(line.x), y=list(line.y), mode="lines", line=style | {"width": 1}, opacity=0.3,
                hoverinfo="skip", showlegend=False,
            )
        )  # fmt: skip
        figure.add_trace(
            Scatter(
                x=list(line.x), y=moving_mean(line.y, width).tolist(), name=line.label, mode="lines",
                line=style | {"width": 2.5}, hovertemplate="%{y:.3g}",
            )
        )  # fmt: skip
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        showlegend=False,
        hovermode="x unified",
        xaxis={"title": {"text": "iteration", "font": {"size": 13}}, "rangemode": "tozero"},
        uirevision="same",
    )
    return figure


@dataclass(frozen=True)
class Group:
    """How one sample of a figure looks: its words, colour ("#rrggbb") and marker ("circle", "triangle-up", …)."""

    label: str
    colour: str
    symbol: str = "circle"


def scatter(
    drawn: Embedding,
    groups: tuple[Group, Group],
    *,
    names: tuple[Sequence[str], Sequence[str]] | None = None,
    height: int = 460,
) -> Figure:
    """Two embedded samples, with arrows from where points started if that is known.

    Only PCA has axes; where the method has none they are left out, and both are drawn to one scale. Every point carries
    customdata [name, number], the second sample's numbers following the first's.
    """
    from plotly.graph_objects import Figure

    figure = Figure()
    flat = drawn.layout.dimensions == 2
    parts = drawn.first, drawn.second
    size = 6 if flat else 3
    for start, sample, group in zip(drawn.starts, parts, groups, strict=True):
        if start is not None:
            figure.add_trace(_line(_segments(start, sample), group.colour, flat))
    offset = 0
    for k, (sample, group) in enumerate(zip(parts, groups, strict=True)):
        data = None
        if names is not None:
            data = [[name, offset + index] for index, name in enumerate(names[k])]
            offset += len(sample)
        figure.add_trace(_scatter(sample, group, data, size, flat))
    axis = {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": "", "title": {"text": ""}}
    titles = [{"title": {"text": words, "font": {"size": 13}}} for words in drawn.axes] or [{}] * 3
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        showlegend=False,
        hovermode="closest",
        dragmode="select" if flat else "orbit",
        uirevision="same",
    )
    if flat:
        figure.update_xaxes(**axis | titles[0])
        figure.update_yaxes(**axis | titles[1], scaleanchor="x")
    else:
        scene = {f"{name}axis": axis | {"showbackground": False} | titles[k] for k, name in enumerate("xyz")}
        figure.update_layout(scene=scene | {"aspectmode": "data"})
    return figure


def shell(view: LinearView, groups: tuple[Group, Group], *, arrows: bool, height: int = 360) -> Figure:
    """Length of every noise vector against its place along the mean push, and the prior's band of lengths."""
    from plotly.graph_objects import Figure

    figure = Figure()
    figure.add_vrect(*view.band, fillcolor=NEUTRAL, opacity=0.18, line_width=0, layer="below")
    if arrows:
        figure.add_trace(_line(_segments(view.starts, view.second), groups[1].colour, flat=True))
    for sample, group in zip((view.first, view.second), groups, strict=True):
        figure.add_trace(_scatter(sample, group, None, 6, flat=True))
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        showlegend=False,
        uirevision="same",
        xaxis={"title": {"text": "length of the noise, ‖z‖", "font": {"size": 13}}, "range": list(view.across)},
        yaxis={"title": {"text": "along the mean push", "font": {"size": 13}}, "range": list(view.along)},
    )
    return figure


def _scatter(sample: np.ndarray, group: Group, data: list[list[object]] | None, size: int, flat: bool) -> object:
    from plotly.graph_objects import Scatter, Scatter3d

    symbol = group.symbol if flat else {"triangle-up": "square"}.get(group.symbol, group.symbol)
    kind = Scatter if flat else Scatter3d
    return kind(
        **_coordinates(sample), mode="markers", name=group.label, customdata=data,
        hoverinfo="none" if data else "skip",
        marker={"color": group.colour, "symbol": symbol, "size": size, "opacity": 0.75, "line": {"width": 0}},
    )  # fmt: skip


def _line(points: np.ndarray, colour: str, flat: bool) -> object:
    from plotly.graph_objects import Scatter, Scatter3d

    kind = Scatter if flat else Scatter3d
    return kind(
        **_coordinates(points), mode="lines", opacity=0.45, hoverinfo="skip", line={"color": colour, "width": 1}
    )


def _segments(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(3n, k): start, end and a gap for each point."""
    return np.stack([start, end, np.full_like(start, np.nan)], axis=1).reshape(-1, start.shape[1])


def _coordinates(points: np.ndarray) -> dict[str, list[float | None]]:
    """x, y (and z) of (n, k), four digits: a figure crosses the network as text. Gaps are None."""
    columns = {}
    for name, values in zip("xyz", points.T, strict=False):
        columns[name] = [None if np.isnan(value) else float(f"{value:.4g}") for value in values]
    return columns


def lay_out(figure: Figure, height: int, *, x: str = "", y: str = "") -> None:
    """Size, and words along the axes; title and legend stand on the page."""
    figure.update_layout(
        height=height, margin={"l": 8, "r": 8, "t": 8, "b": 8}, showlegend=False, uirevision="same",
    )  # fmt: skip
    figure.update_xaxes(title={"text": x, "font": {"size": 13}})
    figure.update_yaxes(title={"text": y, "font": {"size": 13}})


def plain(values: np.ndarray) -> list[float | None]:
    """Four digits: a figure crosses the network as text. Gaps are None."""
    return [None if np.isnan(value) else float(f"{value:.4g}") for value in values]
