"""The page comes into view once its style and its sidebar are there, so that nothing jumps."""

from __future__ import annotations

import streamlit as st
from theme.html import beside

_mount = st.components.v2.component("appear", js=beside(__file__, "js"), isolate_styles=False)


def appear() -> None:
    """Once a run, anywhere on the page: it shows nothing."""
    _mount(key="appear")
