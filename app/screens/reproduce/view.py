"""A study on the screen: the paper's tables and figures, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import streamlit as st
from controls.draw import draw
from session.control import OneOf
from session.state import STUDIED, study_model
from session.table import MEASURE, PART, query
from theme import language
from theme.html import part
from theme.language import plain

from rgan.paper import published, tables
from rgan.paper.study import Study
from rgan.report import study_page
from rgan.report.parts import Figure

CHART = {"displayModeBar": False}


def study(found: Study, folder: Path | None = None) -> None:
    """A study that is made: its finding, then the section that is chosen. folder: where its models lie, if they do."""
    head, small = study_page.finding(found)
    with st.container(horizontal=True, vertical_alignment="top", gap="small", key="finding"):
        st.html(part("finding.html", "said", head, small))
        with st.popover("?", help="What was done and what it cannot say"):
            _about(found)
    show(found, replace(PART, default="Frontier"), folder)
    downloads(found)


def show(study: Study, control: OneOf[str] = PART, folder: Path | None = None) -> None:
    """The section that is chosen, and the files of all of them."""
    parts: dict[str, Callable[[Study], None]] = {
        "Frontier": partial(_frontier, folder), "Table 1": table1, "Table 2": _table2, "Figure 1": _figure1,
        "Figure 2": _figure2, "Figure 3": _figure3, "Claims": _claims, "About": _about,
    }  # fmt: skip
    parts[draw(control)](study)


def downloads(study: Study) -> None:
    """Every table as a CSV file, and all of it as one page."""
    with st.container(horizontal=True):
        st.download_button(
            "Report (HTML)", partial(study_page.study_page, study), "report.html", "text/html",
            icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        for name in tables.TABLES:
            st.download_button(
                name, partial(tables.file, study, name), name, "text/csv", icon=":material/download:", on_click="ignore"
            )  # fmt: skip


def _frontier(folder: Path | None, study: Study) -> None:
    """A click on a mark leads to its model's worst noise."""
    figure = study_page.frontier_figure(study)
    if not figure.charts:
        st.info("The frontier needs two evaluated models of a family.")
        return
    st.html(part("evidence.html", "chart_title", figure))
    for one in figure.charts:
        st.caption(plain(f"{one.title}. {one.about}"))
        picked = st.plotly_chart(
            one.figure, key=one.key, config=CHART, alt=one.alt, on_select="rerun", selection_mode="points"
        )
        for point in picked["selection"]["points"][:1]:
            _model(str(point["customdata"]), folder)
    for words in study_page.transfer_words(study):
        st.caption(words)


def _model(name: str, folder: Path | None) -> None:
    """The way to a model's worst noise, where its file is here."""
    if folder is None or study_model(folder.name, name) is None:
        st.caption(f"{plain(name)}: its file is not here; the plan trains it again.")
        return
    there = f"{STUDIED}{folder.name}/{name}"
    st.page_link(
        language.WORST_NOISE, label=f"Worst noise of {name}", icon=":material/explore:",
        query_params=query(a=there, b=there),
    )  # fmt: skip


def table1(study: Study) -> None:
    """All fifteen systems and real data as printed, and ours beside them."""
    st.html(study_page.table1_html(study))


def _table2(study: Study) -> None:
    st.html(study_page.table2_html(study))
    st.html(part("macros.html", "notes", published.NOTES))


def _figure1(study: Study) -> None:
    _figure(study_page.figure1(study, _measure(study)))


def _figure2(study: Study) -> None:
    _figure(study_page.figure2(study))
    if missing := study_page.unscored(study):
        st.caption(missing)


def _figure3(study: Study) -> None:
    _figure(study_page.figure3(study, _measure(study)))


def _figure(figure: Figure) -> None:
    """What it shows, and its charts, each under its column's title and what its scores rest on."""
    st.html(part("evidence.html", "chart_title", figure))
    for one in figure.charts:
        if one.title:
            st.html(language.heading(one.title))
        st.caption(one.about)
        st.plotly_chart(one.figure, key=one.key, config=CHART, alt=one.alt)


def _claims(study: Study) -> None:
    st.html(part("macros.html", "note", study_page.claims_words(study.claims)))
    for column in study.columns:
        st.html(language.heading(column.title) + study_page.claims_html(study, column))


def _about(study: Study) -> None:
    st.html(study_page.about_html(study))


def _measure(study: Study) -> str:
    return draw(replace(MEASURE, words=study.settings.title))
