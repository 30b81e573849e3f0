"""The morph from an original image to its worst, under a thumb in the browser: no frame waits for the server."""

from __future__ import annotations

import math

import numpy as np
import streamlit as st
from theme.html import beside

from rgan.common.formatting import per_cent
from rgan.common.images import grid, png
from rgan.metrics.judges import BAD
from rgan.report.charts.basic import COLOURS
from rgan.report.parts import data_uri
from rgan.robustness.failures.failure import WAYS, Failure

_mount = st.components.v2.component(
    "morph",
    html=beside(__file__, "html"),
    css=beside(__file__, "css"),
    js=beside(__file__, "js"),
    isolate_styles=False,
)


def morph(found: Failure, way: str, side: str, key: str) -> None:
    """One of WAYS of a failure with badness and loss along it; straight ways have the random direction as control."""
    points = found.ways[way]
    control = found.ways["random"] if way == "straight" else None
    height, width = points.images.shape[1:3]
    turn = found.turns if way == "straight" else None
    turned = "" if turn is None else f"; it turns bad {per_cent(turn)} of the way"
    series = [_series("badness", points.badness, control.badness if control else None, BAD, (0.0, 1.0), turned)]
    if math.isfinite(float(points.loss[0])):
        series.append(_series("loss", points.loss, control.loss if control else None, None, _range(found)))
    _mount(
        data={
            "key": key,
            "sheet": data_uri(png(grid(points.images, len(points.images), gap=0))),
            "frames": len(points.images),
            "aspect": f"{width} / {height}",
            "label": f"Place on the way: {WAYS[way]}",
            "places": _places(found, way),
            "turn": turn,
            "colour": COLOURS[side],
            "series": series,
        },
        key=f"morph:{key}",
    )


def _range(found: Failure) -> tuple[float, float]:
    """Lowest and highest loss of all ways, so that their curves can be compared."""
    losses = np.concatenate([way.loss for way in found.ways.values()])
    return float(losses.min()), float(losses.max())


def _series(
    name: str,
    values: np.ndarray,
    control: np.ndarray | None,
    limit: float | None,
    within: tuple[float, ...],
    turned: str = "",
) -> dict[str, object]:
    say = per_cent if name == "badness" else "{:.2f}".format
    words = [say(float(value)) for value in values]
    if control is not None:
        words = [f"{one}, random {say(float(value))}" for one, value in zip(words, control, strict=True)]
    return {
        "name": name,
        "values": values.tolist(),
        "control": None if control is None else control.tolist(),
        "label": f"{name} along the way: from {words[0]} to {words[-1]}{turned}",
        "limit": limit,
        "range": list(within),
        "ends": [say(float(values[0])), say(float(values[-1]))],
        "words": words,
    }


def _places(found: Failure, way: str) -> list[str]:
    points = found.ways[way]
    lengths = np.linalg.norm(points.noise - points.noise[0], axis=1)
    return [
        (f"after {at:.0f} gradients" if way == "search" else f"{per_cent(at, 0)} of the way")
        + f", {length:.2f} from the original noise"
        for at, length in zip(points.at, lengths, strict=True)
    ]
