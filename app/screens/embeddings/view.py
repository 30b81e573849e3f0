"""Panels of Figure 4 on the page: pictures as they come in, the paper's claim, and the tests."""

from __future__ import annotations

from collections.abc import Hashable
from concurrent.futures import wait
from typing import Any

import numpy as np
import streamlit as st
from components.image_hover import image_hover
from components.progress import bar
from plotly.graph_objects import Figure
from screens.embeddings.maps import Map, best_drawing
from screens.embeddings.selection import show_selection
from session.tasks import Task
from session.waiting import redrawn, settled, value
from streamlit.delta_generator import DeltaGenerator
from theme import language
from theme.html import part

from rgan.embedding.figure4 import PANELS
from rgan.embedding.look import Look
from rgan.embedding.projections import Embedding, as_csv
from rgan.report.charts.basic import Group, scatter
from rgan.report.embeddings_page import claim_html, groups, tests_html
from rgan.report.parts import sheet_of

Found = dict[Hashable, Task[Any]]

FIRST = 0.4  # seconds to wait for the first picture, which then needs no second look
HEIGHTS = {True: 560, False: 380}  # of the main chart, alone on the page or not
SMALL = 262
CHART = {"displaylogo": False, "modeBarButtonsToRemove": ["toImage", "autoScale2d"]}


def show(shown: list[Map], found: Found, names: tuple[str, str]) -> None:
    """The panels; redrawn until everything that they wait for has come.

    Raises:
        RganError: what a panel needs cannot be computed.
    """
    wait([found[one.drawn_key("main", one.preview)].future for one in shown], FIRST)
    for task in found.values():
        if task.done:
            value(task)
    pending = any(not task.done for task in found.values())

    def draw() -> None:
        _progress(found)
        if len(shown) == 1:
            _alone(shown[0], found, names)
            return
        for row in (shown[:2], shown[2:]):
            for one, column in zip(row, st.columns(2, gap="large"), strict=True):
                with column:
                    _chart(one, found, names)
                    if found[one.found_key()].done:
                        st.html(claim_html(value(found[one.found_key()])))

    redrawn(draw, waiting=pending, over=lambda: settled(found))


def hover(shown: list[Map], found: Found) -> None:
    """Images over the points, once everything stands still."""
    if all(task.done for task in found.values()):
        for one in shown:
            made: Look = value(found[one.look_key()])
            image_hover(one.key, sheet_of(made.picture.tobytes(), made.columns, made.size))


def _alone(one: Map, found: Found, names: tuple[str, str]) -> None:
    main, beside = st.columns([5, 2], gap="large")
    with main:
        _chart(one, found, names)
    with beside:
        for what, layout in one.drawings(draw=one.main_key() in found):
            if what == "main":
                continue
            task = found.get(one.drawn_key(what, layout))
            if task is None or not task.done:
                continue
            findings = value(found[one.found_key()])
            words = layout.title if what == "second" else f"Control, {layout.title}: {findings.control_words}"
            st.html(language.title(words))
            key, looks = f"{one.key}-{what}", _looks(value(found[one.look_key()]))
            st.plotly_chart(
                _figure(key, SMALL, value(task), looks, None), key=key, config={"displayModeBar": False}, alt=words
            )
    if found[one.found_key()].done:
        findings = value(found[one.found_key()])
        st.html(claim_html(findings) + tests_html(findings))
        st.caption(
            "p is the chance of a difference at least this large if both samples were alike; a difference counts as "
            "shown from p ≤ 0.01 on, and intervals hold where there is one. The control is two samples of one "
            "distribution. Real images are those that the model's file keeps: it was trained on them."
        )


def _chart(one: Map, found: Found, names: tuple[str, str]) -> None:
    """Heading, picture, and what is selected in it."""
    drawn = best_drawing(one, found)
    how = "" if drawn is None else language.stamp(drawn.layout.title)
    st.html(language.heading(f"({one.letter}) {PANELS[one.letter]}", how))
    if drawn is None:
        return
    look: Look = value(found[one.look_key()])
    looks, flat = _looks(look), one.layout.dimensions == 2
    counted = f"{look.counts[0]} points each, {look.space}"
    st.html(part("panels.html", "legend", zip(looks, "●▲" if flat else "●■", strict=True), counted))
    figure = _figure(f"{one.key} {drawn.layout}", HEIGHTS[one.alone], drawn, looks, look.names)
    event = st.plotly_chart(
        figure, key=one.key, config=CHART, on_select="rerun" if flat else "ignore", selection_mode=("box", "lasso"),
        alt=f"Panel {one.letter}, {drawn.layout.title}: {', '.join(group.label for group in looks)}",
    )  # fmt: skip
    if not flat:
        st.caption("Turn it with the mouse. Selecting points needs two dimensions.")
        return
    assert not isinstance(event, DeltaGenerator)  # it tells what is selected
    picked = sorted({int(point["customdata"][1]) for point in event["selection"]["points"] if point.get("customdata")})
    if picked:
        show_selection(one, look, np.array(picked), names)
    elif one.alone:
        st.caption("Point at a mark to see its image; draw a box or a lasso to see all images in it.")
    if one.alone:
        st.download_button(
            "Coordinates", as_csv(drawn, look.names),
            f"{one.letter}-{drawn.layout.method}.csv", "text/csv", icon=":material/download:", on_click="ignore",
        )  # fmt: skip


def _looks(look: Look) -> tuple[Group, Group]:
    return groups(look.letter, look.side, look.labels)


def _progress(found: Found) -> None:
    waiting = [(key, task) for key, task in found.items() if not task.done]
    if waiting:
        key, task = waiting[0]
        assert isinstance(key, tuple)
        words = {"panel": "making the samples", "findings": "testing"}.get(key[0], "drawing")
        done = len(found) - len(waiting) + task.share
        bar(done / len(found), f"{words}, {len(found) - len(waiting) + 1} of {len(found)}")


@st.cache_resource(max_entries=64, show_spinner=False)
def _figure(
    key: str,
    height: int,
    _drawn: Embedding,
    _looks: tuple[Group, Group],
    _names: tuple[tuple[str, ...], tuple[str, ...]] | None,
) -> Figure:
    """The figure of a drawing; `key` tells all drawings apart."""
    return scatter(_drawn, _looks, names=_names, height=height)
