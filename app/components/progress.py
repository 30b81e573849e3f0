"""How far a piece of work is."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st


def bar(share: float, words: str = "") -> None:
    """A bar of which `share` is done."""
    st.progress(min(share, 1.0), words or None)


def bar_with_stop(share: float, words: str, stop: Callable[[], None], hint: str) -> None:
    """A bar, and a button beside it that ends the work; `hint` says what is kept."""
    place, button = st.columns([5, 1], vertical_alignment="center")
    with place:
        bar(share, words)
    button.button("Stop", on_click=stop, icon=":material/stop:", width="stretch", help=hint)
