"""The button that starts a drawing of many seconds, with how long it takes here."""

from __future__ import annotations

from concurrent.futures import Future

import streamlit as st
from screens.embeddings.maps import Map
from session.chosen import Slot
from session.waiting import redrawn

from rgan.common.formatting import duration
from rgan.embedding.projections import METHODS, seconds

ASKED = Slot[frozenset[str]]("maps_asked", frozenset())  # charts whose drawing was asked for


def offer(shown: list[Map], pace: Future[float]) -> None:
    """A button that starts the drawing, with how long it takes here; PCA stands there until then."""
    method = METHODS[shown[0].layout.method]
    fits = sum(len(one.drawings(draw=True)) + 0.3 * one.arrows for one in shown)

    def words() -> str:
        if not pace.done():
            compiling = ", compiling UMAP once per start of the app" if shown[0].layout.method == "umap" else ""
            return f"How long? Measuring{compiling} …"
        if pace.exception() is not None:
            return ""
        return f"About {duration(fits * seconds(pace.result(), 2 * shown[0].choice.points))} on this machine."

    left, right = st.columns([1, 3], vertical_alignment="center")
    left.button(f"Draw with {method}", on_click=_ask, args=(shown,), type="primary", width="stretch")
    with right:
        redrawn(
            lambda: st.caption(f"{words()} Until then the pictures are PCA's."), waiting=not pace.done(), over=pace.done
        )


def _ask(shown: list[Map]) -> None:
    ASKED.set(ASKED.get() | {one.key for one in shown})
