"""The image of a point beside the pointer: Streamlit's charts report selections, not where the pointer is."""

from __future__ import annotations

import streamlit as st

from rgan.report.page import hover_script

# A chart may be drawn anew at any run, so whether its handlers are there is looked at again and again.
_JS = (
    hover_script()
    + """
export default function ({ data, parentElement }) {
  const attach = () => {
    const chart = document.querySelector(`.st-key-${data.chart} .js-plotly-plot`);
    if (!chart || !chart.on || chart.dataset.hover === data.chart) return;
    chart.dataset.hover = data.chart;
    showImages(chart, data.sheet);
  };
  clearInterval(parentElement._attach);
  parentElement._attach = setInterval(attach, 300);
  return () => clearInterval(parentElement._attach);
}
"""
)

_mount = st.components.v2.component("image_hover", html="<span></span>", js=_JS, isolate_styles=False)


def image_hover(chart: str, sheet: dict[str, object]) -> None:
    """Show images of `sheet` (see `rgan.report.sheet`) over the points of the plotly chart with key `chart`."""
    _mount(data={"chart": chart, "sheet": sheet}, key=f"hover-{chart}", height=1)
