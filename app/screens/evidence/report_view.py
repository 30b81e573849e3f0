"""The report on the page: what it says first, and the file."""

from __future__ import annotations

import streamlit as st
from components.pieces import said
from components.time_needed import duration
from screens.evidence.works import Asked, Found
from session.waiting import value


def report(asked: Asked, found: Found) -> None:
    """One HTML page with all that the other views show and the failures, to keep, print and send."""
    st.markdown(
        "One page with everything: both models, the control, curves, minimal radii, checks of the attack, failures, "
        "limits, settings and versions. It opens without a network and prints. It is made with the settings in the "
        "sidebar, its curves up to twice ε."
    )
    task = found[asked.report_key()]
    if not task.done:
        left = task.left
        st.caption("How long? Measuring …" if left is None else f"About {duration(left)} left at the pace so far.")
        return
    made = value(task)
    if made.headline.claim:
        st.header(made.headline.claim, anchor=False)
        said((made.headline.numbers,))
    else:
        st.header("No headline: the controls do not support one", anchor=False)
        said(made.headline.against)
    st.download_button(
        f"Download the report ({len(made.html) / 1e6:.0f} MB)", made.html, "report.html", "text/html", type="primary",
        icon=":material/download:", on_click="ignore",
    )  # fmt: skip
