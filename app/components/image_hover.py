"""The image of a point beside the pointer: Streamlit's charts report selections, not where the pointer is."""

from __future__ import annotations

import streamlit as st
from theme.html import beside

from rgan.report.render import templates

_JS = templates().source("hover.js") + beside(__file__, "js")
_mount = st.components.v2.component("image_hover", html="<span></span>", js=_JS, isolate_styles=False)


def image_hover(chart: str, sheet: dict[str, object]) -> None:
    """Show the images of a `rgan.report.parts.sheet` over the points of the plotly chart with key `chart`."""
    _mount(data={"chart": chart, "sheet": sheet}, key=f"hover-{chart}", height=1)
