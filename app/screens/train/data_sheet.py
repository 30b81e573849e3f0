"""Some images of the data that a training is to learn, beside the choice of it."""

from __future__ import annotations

from concurrent.futures import Future

import streamlit as st
from session.state import DATA, background
from session.waiting import redrawn
from theme.html import part

from rgan.common.images import grid, webp
from rgan.data import datasets
from rgan.report.parts import Picture

COLUMNS, ROWS = 8, 3


def sheet(name: str, size: int) -> None:
    """Draw images of the data set, evenly spread over it, at `size` pixels; who trains it is told what is missing."""
    making = _made(name, size)

    def show() -> None:
        if not making.done():
            st.html(part("train.html", "data_sheet", None, "Reading the images …"))
        elif making.exception() is None:
            count, picture = making.result()
            drawn = Picture(picture, f"{COLUMNS * ROWS} images of {name}", kind="webp")
            st.html(part("train.html", "data_sheet", drawn, f"{count:,} images of {size}×{size} pixels"))
        else:
            _made.clear(name, size)  # tried again at the next change: what was missing may be there

    redrawn(show, waiting=not making.done(), over=making.done)


@st.cache_resource(max_entries=16, show_spinner=False)
def _made(name: str, size: int) -> Future[tuple[int, bytes]]:
    return background().submit(_make, name, size)


def _make(name: str, size: int) -> tuple[int, bytes]:
    count, images = datasets.glimpse(name, COLUMNS * ROWS, size=size, root=DATA)
    return count, webp(grid(images, COLUMNS))
