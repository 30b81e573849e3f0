"""The browser's Back, which goes back one change of a control."""

from pathlib import Path

import streamlit as st

_steps = st.components.v2.component(
    "history", js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"), isolate_styles=False
)


def steps() -> None:
    """Once a run, anywhere on the page: it shows nothing."""
    _steps(key="history")
