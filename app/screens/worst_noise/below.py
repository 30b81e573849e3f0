"""Below the stage: one sample on its way, and the numbers along ε; made once for all who look at the same frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st
from components.pieces import chart, download, said
from controls.draw import draw
from session.paths import Encoded
from session.table import SHOW
from theme.html import part

from rgan.attack.path import GAIN
from rgan.common.files import as_csv
from rgan.common.formatting import per_cent
from rgan.common.images import amplified, grid, png
from rgan.report import evidence, rows
from rgan.report.parts import Chart, Picture
from rgan.robustness.encoding import decoded
from rgan.robustness.frames import changes_at, notices_at

STEPS = 9  # pictures of a strip
KEPT = 64  # strips and numbers, for all sessions together


@dataclass(frozen=True)
class Numbers:
    """What is said and drawn along ε, and all of it as CSV."""

    notices: tuple[str, ...]
    sentences: tuple[str, ...]
    charts: tuple[Chart, ...]
    csv: bytes


def strip(found: Mapping[str, Encoded], picked: int) -> None:
    """The picked sample of each model under ever farther worst noise, its badness under each picture."""
    changes = draw(SHOW) == "change"
    for (side, one), column in zip(found.items(), st.columns(2, gap="medium"), strict=False):
        at = np.linspace(0, len(one["radii"]) - 1, STEPS).round().astype(int)
        badness = one["worst"]["badness"]
        under = [
            (f"ε {one['radii'][frame]:.2f}", "" if badness is None else per_cent(badness[frame][picked], 0))
            for frame in at
        ]
        picture = Picture(_strip(one["id"], picked, changes, one), f"{side}: sample {picked + 1} under worst noise")
        column.html(part("board.html", "strip", side, picture, under))


@st.cache_data(max_entries=KEPT, show_spinner=False)
def _strip(identity: str, picked: int, changes: bool, _encoded: Encoded) -> bytes:
    one = decoded(_encoded)
    at = np.linspace(0, len(one.radii) - 1, STEPS).round().astype(int)
    images = one.worst.images[at, picked]
    if changes:
        images = amplified(images, one.original[[picked]], GAIN)
    return png(grid(images, len(images), scale=2))


def along(found: Mapping[str, Encoded], radius: float) -> None:
    """What judge and critic say along ε, under worst and under random noise; and what the settings do to that."""
    numbers = _numbers(tuple(one["id"] for one in found.values()), radius, found)
    for notice in numbers.notices:
        st.info(notice, icon=":material/info:")
    if numbers.sentences:
        said(numbers.sentences)
    for drawn, column in zip(numbers.charts, st.columns(2, gap="large"), strict=False):
        chart(drawn, column)
    download("every sample at every ε", numbers.csv, "worst-noise.csv")


@st.cache_resource(max_entries=KEPT, show_spinner=False)
def _numbers(identities: tuple[str, ...], radius: float, _found: Mapping[str, Encoded]) -> Numbers:
    frames = {side: decoded(one) for side, one in _found.items()}
    changed = {side: changes_at(one, radius) for side, one in frames.items()}
    return Numbers(
        tuple(f"{side}: {notice}" for side, one in frames.items() for notice in notices_at(one, radius)),
        tuple(f"{side}, at ε {radius:.2f}: {one.sentence}" for side, one in changed.items() if one is not None),
        evidence.path(frames, radius),
        as_csv(rows.path(frames)),
    )
