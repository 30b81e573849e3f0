"""A study on the screen: the paper's tables and figures, one at a time."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from html import escape

import streamlit as st
from controls.draw import draw
from session.table import MEASURE, PART

from rgan.paper import published, tables
from rgan.paper.study import Study
from rgan.report import page, study_page
from rgan.report.charts import study as table_figures

CHART = {"displayModeBar": False}


def show(study: Study) -> None:
    """The section that is chosen, and the files of all of them."""
    {
        "Table 2": _table2, "Figure 1": _figure1, "Figure 2": _figure2, "Figure 3": _figure3, "Claims": _claims,
        "About": _about,
    }[draw(PART)](study)  # fmt: skip


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


def _table2(study: Study) -> None:
    st.html(study_page.table2_html(study) + page.notes_html(published.NOTES))


def _figure1(study: Study) -> None:
    measure = _measure(study)
    _words(study_page.figure1_words(study.settings, measure))
    for index, part in enumerate(table_figures.side_by_side(study.columns)):
        st.caption(study_page.basis(part[0]))
        st.plotly_chart(
            table_figures.bars(part, study.settings, measure),
            key=f"figure1-{index}",
            config=CHART,
            alt="Figure 1: scores of every model and row; Table 2 has the numbers",
        )
    st.html(study_page.table1_html(study))


def _figure2(study: Study) -> None:
    _words(study_page.figure2_words())
    for index, column in enumerate(study.columns):
        figure = table_figures.learning(column)
        if figure is not None:
            _heading(column.title, study_page.learned_by(column))
            st.plotly_chart(
                figure, key=f"figure2-{index}", config=CHART, alt=f"Figure 2: {column.title}, score against iteration"
            )
    if missing := study_page.unscored(study):
        st.caption(missing)


def _figure3(study: Study) -> None:
    measure = _measure(study)
    _words(study_page.figure3_words(study.settings, measure))
    for index, column in enumerate(study.columns):
        if column.evaluations:
            _heading(column.title, study_page.basis(column))
            figure = table_figures.noises(column, study.settings, measure)
            st.plotly_chart(
                figure,
                key=f"figure3-{index}",
                config=CHART,
                alt=f"Figure 3: {column.title}, scores on original, worst and random noise",
            )


def _heading(title: str, basis: str) -> None:
    st.html(f'<div class="model"><span>{escape(title)}</span></div>')
    st.caption(basis)


def _words(html: str) -> None:
    st.html(f'<div class="chart-title">{html}</div>')


def _claims(study: Study) -> None:
    st.html(study_page.claims_words(study.claims))
    for column in study.columns:
        st.html(f'<div class="model"><span>{escape(column.title)}</span></div>{study_page.claims_html(study, column)}')


def _about(study: Study) -> None:
    st.html(
        f"<p>{study_page.settings_words(study.settings)}</p>{page.notes_html(study_page.limits(study))}"
        f"{study_page.left_html(study.left)}"
    )


def _measure(study: Study) -> str:
    return draw(replace(MEASURE, words=study.settings.title))
