"""Charts from plain results, as plotly figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

SMOOTHING = 0.05  # width of the moving mean as a share of a curve's points


@dataclass(frozen=True)
class Curve:
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


def curves(lines: Sequence[Curve], *, height: int = 230) -> Figure:
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
