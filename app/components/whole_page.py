"""What the whole page lacks in Streamlit: Back that goes back one change of a control, and some roles for readers."""

from pathlib import Path

import streamlit as st

_script = st.components.v2.component(
    "whole_page", js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"), isolate_styles=False
)


def mended() -> None:
    """Once a run, anywhere on the page: it shows nothing."""
    _script(key="whole_page")
