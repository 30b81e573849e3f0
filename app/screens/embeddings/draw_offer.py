"""The button that starts a drawing of many seconds, with how long it takes here."""

from __future__ import annotations

from concurrent.futures import Future

import streamlit as st
from components.time_needed import duration
from screens.embeddings.maps import Map

from rgan.embedding.projections import METHODS, seconds

ASKED = "maps_asked"  # session key: charts whose drawing was asked for
POLL = 0.5  # seconds between looks at the measurement


def offer(shown: list[Map], pace: Future[float], asked: set[str]) -> None:
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

    def draw() -> None:
        left, right = st.columns([1, 3], vertical_alignment="center")
        if left.button(f"Draw with {method}", type="primary", width="stretch"):
            asked.update(one.key for one in shown)
            st.rerun()
        right.caption(f"{words()} Until then the pictures are PCA's.")
        if pace.done() and waiting:
            st.rerun()

    waiting = not pace.done()
    st.fragment(draw, run_every=POLL if waiting else None)()
