"""Choosing a model by what it draws.

A select box, out of sight, keeps the choice in the session and in the address, as every control of the table does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st
from components.model_tiles import model_tiles
from controls.draw import choose
from session import chosen
from session.control import Control
from session.portraits import drawn
from session.waiting import redrawn

LOOK = 1.0  # seconds between looks for pictures that are being drawn


def choose_model(control: Control[str], names: Sequence[str], *, on_change: Callable[[], None] | None = None) -> str:
    """Draw the choice of one of the models at hand, as `choose` does."""

    def picked(name: str) -> None:
        chosen.put(control, name)
        if on_change is not None:
            on_change()

    with st.container(key=f"chooser_{control.key}", gap=None):
        place = st.container()
        name = choose(control, names, on_change=on_change)
        with place:
            model_tiles(control.label, name, names, control.key, picked, hint=control.help or "")
            if not drawn(names):  # apart, for what runs in a fragment moves nothing outside of it
                redrawn(lambda: None, waiting=True, over=lambda: drawn(names), every=LOOK)
    return name
