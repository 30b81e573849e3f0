"""The style of every screen; the page comes into view once it and the sidebar are there, so that nothing jumps."""

from __future__ import annotations

import streamlit as st
from theme.html import beside
from theme.language import style

_mount = st.components.v2.component("appear", css=style(), js=beside(__file__, "js"), isolate_styles=False)


def appear() -> None:
    """Once a run, before anything is drawn."""
    _mount(key="appear")
