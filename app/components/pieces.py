"""What the views of the Evidence screen are made of."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st
from screens.evidence.works import Asked, Found
from session.waiting import value
from streamlit.delta_generator import DeltaGenerator
from theme.language import MARKS, model_title

from rgan.report.page import scrolled
from rgan.robustness.one_radius import OneRadius

PLAIN = {"displayModeBar": False}


def titles(asked: Asked) -> Sequence[DeltaGenerator]:
    """A column for each model, with its name."""
    columns = st.columns(2, gap="large")
    for side, name, column, gan in zip("AB", asked.names, columns, asked.gans, strict=True):
        column.html(model_title(side, name, gan.recipe.title, f'<span class="stamp">{escape(asked.words)}</span>'))
    return columns


def one_radius_of(asked: Asked, found: Found) -> dict[str, OneRadius]:
    """Those of the models that have come in."""
    tasks = {side: found[asked.one_radius_key(index)] for index, side in enumerate("AB")}
    return {side: value(task) for side, task in tasks.items() if task.done}


def legend(asked: Asked) -> None:
    """What the lines along ε are."""
    st.html(
        '<div class="chart-title">'
        + "&emsp;".join(
            f'<span class="model-{side}">{line} {MARKS[kind]}</span> {side} {escape(name)}, {kind}'
            for side, name in zip("AB", asked.names, strict=True)
            for kind, line in (("worst", "━"), ("random", "┅"))
        )
        + f"&emsp;┆ ε {asked.attack.radii[0]:g}, as set&emsp;λ {asked.attack.price:g}"
        f"&emsp;{asked.attack.steps} steps</div>"
    )


def table(headings: tuple[str, ...], rows: dict[str, list[list[str]]]) -> None:
    """Rows of HTML cells, those of A and then those of B."""
    head = "".join(f'<th scope="col">{escape(heading)}' for heading in headings)
    body = "".join(
        "<tr>" + "".join(f"<td>{cell}" for cell in (f'<b class="model-{side}">{side}</b> {cells[0]}', *cells[1:]))
        for side, many in rows.items()
        for cells in many
    )
    st.html(scrolled(f'<table class="numbers"><tr>{head}{body}</table>'))


def note(text: str) -> None:
    """What a picture shows, above it."""
    st.html(f'<div class="chart-title">{escape(text)}</div>')


def said(sentences: tuple[str, ...]) -> None:
    """What the numbers say."""
    st.html("".join(f'<p class="claim">{escape(sentence)}</p>' for sentence in sentences))


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
