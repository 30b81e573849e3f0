"""What the views of the Evidence screen are made of."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from screens.evidence.works import Asked, Found
from session.tasks import Task
from session.waiting import value
from streamlit.delta_generator import DeltaGenerator
from theme.html import part
from theme.language import model_title

from rgan.report.parts import Chart, Section
from rgan.robustness.at_radius import AtRadius

PLAIN = {"displayModeBar": False}


def titles(asked: Asked) -> Sequence[DeltaGenerator]:
    """A column for each model, with its name."""
    columns = st.columns(2, gap="large")
    for side, name, column, gan in zip("AB", asked.names, columns, asked.gans, strict=True):
        column.html(model_title(side, name, gan.recipe.title))
    return columns


def at_once(asked: Asked, found: Found) -> AtRadius | None:
    """What has come in of both models at ε."""
    task: Task[AtRadius] = found[asked.at_radius_key]
    return value(task) if task.done else task.so_far


def legend(asked: Asked) -> None:
    """What the lines along ε are."""
    attack = asked.attack
    names = dict(zip("AB", asked.names, strict=True))
    st.html(
        part("evidence.html", "legend", names, f"{attack.radii[0]:g}", f"{attack.price:g}", f"{attack.gradients:,}")
    )


def chart(one: Chart, place: DeltaGenerator | None = None) -> None:
    """A chart under its title, where it has one."""
    where = st.container() if place is None else place
    if one.title:
        where.html(part("evidence.html", "chart_title", one))
    where.plotly_chart(one.figure, key=one.key, config=PLAIN, width="stretch", alt=one.alt)


def beside(asked: Asked, section: Section) -> None:
    """The charts of both models, each under its model's name."""
    for side, column in zip("AB", titles(asked), strict=True):
        if side in section.charts:
            chart(section.charts[side], column)


def numbers() -> DeltaGenerator:
    """Where the numbers of a picture stand, below it."""
    return st.expander("Numbers", icon=":material/table:")


def said(sentences: Sequence[str]) -> None:
    """What the numbers say."""
    st.html(part("macros.html", "claims", sentences))


def download(words: str, data: bytes, name: str) -> None:
    """A button for the numbers of a view as a file."""
    st.download_button(
        f"Numbers: {words}",
        data,
        name,
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=f"download:{name}",
    )
