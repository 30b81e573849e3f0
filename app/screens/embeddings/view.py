"""Panels of Figure 4 on the page: pictures as they come in, the paper's claim, and the tests."""

from __future__ import annotations

from collections.abc import Hashable
from concurrent.futures import wait
from typing import Any

import numpy as np
import streamlit as st
from components.finding import finding, progress
from components.image_hover import image_hover
from plotly.graph_objects import Figure
from screens.embeddings.maps import Map, best_drawing
from screens.embeddings.selection import show_opened, show_selection
from session.tasks import Task
from session.waiting import redrawn, settled, value
from streamlit.delta_generator import DeltaGenerator
from theme import language
from theme.html import part

from rgan.embedding import look
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
ABOUT = (
    "The four panels of the paper's Figure 4, each two samples: (a) original and worst noise, (b) worst real and worst "
    "generated images, (c) real images and A's, (d) real images and B's. Point at a mark to see its image; draw a box "
    "or a lasso to see all images in it. PCA keeps distances; in t-SNE and UMAP sizes, gaps and shapes mean nothing by "
    "themselves, so what is said rests on tests of the samples, not on the pictures.\n\n"
    "**p** is the chance of a difference at least this large if both samples were alike; a difference counts as shown "
    "from p ≤ 0.01 on, and intervals hold where there is one. The control is two samples of one distribution. Real "
    "images are those that the model's file keeps: it was trained on them."
)
CHART = {"displaylogo": False, "modeBarButtonsToRemove": ["toImage", "autoScale2d", "zoomIn2d", "zoomOut2d"]}


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
        _head(shown, found, pending)
        if len(shown) == 1:
            _alone(shown[0], found, names)
            return
        for row in (shown[:2], shown[2:]):
            for one, column in zip(row, st.columns(2, gap="large"), strict=True):
                with column, st.container(key=f"panel_{one.letter}"):  # which keeps its height
                    if selected := _chart(one, found):
                        show_selection(one, *selected, names)
                    if found[one.found_key()].done:
                        st.html(claim_html(value(found[one.found_key()]), folded=True))

    redrawn(draw, waiting=pending, over=lambda: settled(found))


def _head(shown: list[Map], found: Found, pending: bool) -> None:
    """What the panels show, once all of them are tested."""
    tested = {one.letter: value(task) for one in shown if (task := found[one.found_key()]).done}
    known = look.finding(tested) if len(tested) == len(shown) else None
    waiting, share = ("", 0.0)
    if pending:
        kinds = [key[0] for key, task in found.items() if isinstance(key, tuple) and not task.done]
        what = {"panel": "Making the samples", "findings": "Testing"}.get(kinds[0], "Drawing")
        waiting, share = progress(what, found.values())
    choice = shown[0].choice
    finding(known, ABOUT, f"{choice.points} points of each sample, seed {choice.seed}", waiting=waiting, share=share)


def images(shown: list[Map], found: Found, names: tuple[str, str]) -> None:
    """Images over the points, and the sample that the address names, once everything stands still."""
    if all(task.done for task in found.values()):
        looks: list[Look] = [value(found[one.look_key()]) for one in shown]
        show_opened(shown, looks, names)
        for one, made in zip(shown, looks, strict=True):
            image_hover(one.key, sheet_of(made.picture.tobytes(), made.columns, made.size))


def _alone(one: Map, found: Found, names: tuple[str, str]) -> None:
    main, beside = st.columns([5, 2], gap="large")
    with main:
        selected = _chart(one, found)
    with beside:
        if selected:  # beside the points, where both are seen
            show_selection(one, *selected, names, columns=6)
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


def _chart(one: Map, found: Found) -> tuple[Look, np.ndarray] | None:
    """Heading and picture; what is selected in it, if anything."""
    drawn = best_drawing(one, found)
    how = "" if drawn is None else language.stamp(drawn.layout.title)
    st.html(language.heading(f"({one.letter}) {PANELS[one.letter]}", how))
    if drawn is None:
        return None
    seen: Look = value(found[one.look_key()])
    looks, flat = _looks(seen), one.layout.dimensions == 2
    counted = f"{seen.counts[0]} points each, {seen.space}"
    st.html(part("panels.html", "legend", zip(looks, "●▲" if flat else "●■", strict=True), counted))
    figure = _figure(f"{one.key} {drawn.layout}", HEIGHTS[one.alone], drawn, looks, seen.names)
    event = st.plotly_chart(
        figure, key=one.key, config=CHART, on_select="rerun" if flat else "ignore", selection_mode=("box", "lasso"),
        alt=f"Panel {one.letter}, {drawn.layout.title}: {', '.join(group.label for group in looks)}",
    )  # fmt: skip
    if not flat:
        st.caption("Turn it with the mouse. Selecting points needs two dimensions.")
        return None
    assert not isinstance(event, DeltaGenerator)  # it tells what is selected
    picked = sorted({int(point["customdata"][1]) for point in event["selection"]["points"] if point.get("customdata")})
    if one.alone and not picked:
        st.caption("Point at a mark to see its image; draw a box or a lasso to see all images in it.")
    if one.alone:
        st.download_button(
            "Coordinates", as_csv(drawn, seen.names),
            f"{one.letter}-{drawn.layout.method}.csv", "text/csv", icon=":material/download:", on_click="ignore",
        )  # fmt: skip
    return (seen, np.array(picked)) if picked else None


def _looks(seen: Look) -> tuple[Group, Group]:
    return groups(seen.letter, seen.side, seen.labels)


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
