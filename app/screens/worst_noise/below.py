"""Below the stage: one sample on its way, and the numbers along ε."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st
from components.pieces import chart, download, said
from controls.draw import draw
from session.table import SHOW
from theme.html import part

from rgan.attack.path import GAIN
from rgan.common.files import as_csv
from rgan.common.formatting import per_cent
from rgan.common.images import amplified, grid, png
from rgan.report import evidence, rows
from rgan.report.parts import Picture
from rgan.robustness.frames import Frames, changes_at, notices_at

STEPS = 9  # pictures of a strip


def strip(found: Mapping[str, Frames], picked: int) -> None:
    """The picked sample of each model under ever farther worst noise, its badness under each picture."""
    changes = draw(SHOW) == "change"
    for (side, one), column in zip(found.items(), st.columns(2, gap="medium"), strict=False):
        at = np.linspace(0, len(one.radii) - 1, STEPS).round().astype(int)
        images = one.worst.images[at, picked]
        if changes:
            images = amplified(images, one.original[[picked]], GAIN)
        badness = None if one.worst.badness is None else one.worst.badness[at, picked]
        under = [
            (f"ε {one.radii[frame]:.2f}", "" if badness is None else per_cent(float(badness[k]), 0))
            for k, frame in enumerate(at)
        ]
        picture = Picture(png(grid(images, len(images), scale=2)), f"{side}: sample {picked + 1} under worst noise")
        column.html(part("board.html", "strip", side, picture, under))


def along(found: Mapping[str, Frames], radius: float) -> None:
    """What judge and critic say along ε, under worst and under random noise; and what the settings do to that."""
    for side, one in found.items():
        for notice in notices_at(one, radius):
            st.info(f"{side}: {notice}", icon=":material/info:")
    changed = {side: changes_at(one, radius) for side, one in found.items()}
    if read := tuple(f"{side}, at ε {radius:.2f}: {one.sentence}" for side, one in changed.items() if one is not None):
        said(read)
    for drawn, column in zip(evidence.path(found, radius), st.columns(2, gap="large"), strict=False):
        chart(drawn, column)
    download("every sample at every ε", as_csv(rows.path(found)), "worst-noise.csv")
