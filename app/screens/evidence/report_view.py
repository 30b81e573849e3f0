"""The report on the page: what it says first, and the file."""

from __future__ import annotations

import streamlit as st
from screens.evidence.works import Asked, Found
from session.waiting import value

from rgan.robustness.finding import Finding


def report_found(asked: Asked, found: Found) -> Finding | None:
    """The headline, or that there is none and why."""
    task = found[asked.report_key]
    if not task.done:
        return None
    made = value(task).headline
    if made.claim:
        return Finding(made.claim, (made.numbers.rstrip("."),))
    return Finding("No headline: the controls do not support one.", tuple(why.rstrip(".") for why in made.against))


def report(asked: Asked, found: Found) -> None:
    """One HTML page with all that the other views show and the failures."""
    task = found[asked.report_key]
    if not task.done:
        return
    made = value(task)
    st.download_button(
        f"Download the report ({len(made.html) / 1e6:.0f} MB)", made.html, "report.html", "text/html", type="primary",
        icon=":material/download:", on_click="ignore",
    )  # fmt: skip
