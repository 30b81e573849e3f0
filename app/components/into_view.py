"""A part of the page that comes into view when something elsewhere on it asks for that."""

from __future__ import annotations

import streamlit as st
from session.chosen import Slot
from theme.html import beside

_mount = st.components.v2.component("into_view", html="<span></span>", js=beside(__file__, "js"), isolate_styles=False)


def ask(part: str) -> None:
    """In a callback: bring the container of this key into view after the next run."""
    turn = Slot(f"{part}-view", 0)
    turn.set(turn.get() + 1)


def into_view(part: str) -> None:
    """Once a run: the container of this key is there."""
    _mount(data={"part": part, "turn": Slot(f"{part}-view", 0).get()}, key=f"view-{part}", height=1)
