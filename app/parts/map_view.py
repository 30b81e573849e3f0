"""Panels of Figure 4 on the page: pictures as they come in, the paper's claim, tests, and what is selected."""

from __future__ import annotations

import csv
import io
from collections.abc import Hashable
from concurrent.futures import Future, wait
from typing import Any

import numpy as np
import streamlit as st
from plotly.graph_objects import Figure
from state import tasks
from tasks import GivenUpError, Task

from parts import board, language
from parts.image_hover import image_hover
from parts.maps import Map, best_drawing
from parts.time_needed import duration
from rgan.clouds import PANELS, Points
from rgan.embeddings import METHODS, Embedding, rows, seconds
from rgan.errors import RganError
from rgan.figures import Group, scatter
from rgan.images import grid
from rgan.live import MAX_ROWS
from rgan.report import claim_html, groups, tests_html

Found = dict[Hashable, Task[Any]]

ASKED = "maps_asked"  # session key: maps whose drawing was asked for
FIRST = 0.4  # seconds to wait for the first picture, which then needs no second look
POLL = 0.5  # seconds between looks at what is being computed
HEIGHTS = {True: 560, False: 380}  # of the main chart, alone on the page or not
SMALL = 262
CHART = {"displaylogo": False, "modeBarButtonsToRemove": ["toImage", "autoScale2d"]}


def offer(shown: list[Map], pace: Future[float], asked: set[str]) -> None:
    """A button that starts the drawing, with how long it takes here; PCA stands there until then."""
    method = METHODS[shown[0].layout.method]
    fits = sum(len(one.drawings(draw=True)) + 0.3 * one.arrows for one in shown)

    def words() -> str:
        if not pace.done():
            compiling = ", compiling UMAP once per start of the app" if shown[0].layout.method == "umap" else ""
            return f"How long? Measuring{compiling} …"
        if pace.exception() is not None:
            return ""
        return f"About {duration(fits * seconds(pace.result(), 2 * shown[0].choice.points))} on this machine."

    def draw() -> None:
        left, right = st.columns([1, 3], vertical_alignment="center")
        if left.button(f"Draw with {method}", type="primary", width="stretch"):
            asked.update(one.key for one in shown)
            st.rerun()
        right.caption(f"{words()} Until then the pictures are PCA's.")
        if pace.done() and waiting:
            st.rerun()

    waiting = not pace.done()
    st.fragment(draw, run_every=POLL if waiting else None)()


def show(shown: list[Map], found: Found, names: tuple[str, str]) -> None:
    """The panels; redrawn until everything that they wait for has come.

    Raises:
        RganError: what a panel needs cannot be computed.
    """
    wait([found[one.drawn_key("main", one.preview)].future for one in shown], FIRST)
    for task in found.values():
        if task.done:
            _value(task)
    pending = any(not task.done for task in found.values())

    def draw() -> None:
        if pending and all(task.done for task in found.values()):
            st.rerun()
        _progress(found)
        if len(shown) == 1:
            _alone(shown[0], found, names)
            return
        for row in (shown[:2], shown[2:]):
            for one, column in zip(row, st.columns(2, gap="large"), strict=True):
                with column:
                    _chart(one, found, names)
                    if found[one.found_key()].done:
                        st.html(claim_html(_value(found[one.found_key()])))

    st.fragment(draw, run_every=POLL if pending else None)()


def hover(shown: list[Map], found: Found) -> None:
    """Images over the points, once everything stands still."""
    if all(task.done for task in found.values()):
        for one in shown:
            image_hover(one.key, _value(found[one.made_key()]).sheet)


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
            findings = _value(found[one.found_key()])
            words = layout.title if what == "second" else f"Control, {layout.title}: {findings.control_words}"
            st.html(f'<div class="chart-title">{words}</div>')
            key, looks = f"{one.key}-{what}", groups(_value(found[one.made_key()]).panel)
            st.plotly_chart(_figure(key, SMALL, _value(task), looks, None), key=key, config={"displayModeBar": False})
    if found[one.found_key()].done:
        findings = _value(found[one.found_key()])
        st.html(claim_html(findings) + tests_html(findings))
        st.caption(
            "p is the chance of a difference at least this large if both clouds were alike; a difference counts as "
            "shown from p ≤ 0.01 on, and intervals hold where there is one. The control is two samples of one "
            "distribution. Real images are those that the model's file keeps: it was trained on them."
        )


def _chart(one: Map, found: Found, names: tuple[str, str]) -> None:
    """Heading, picture, and what is selected in it."""
    drawn = best_drawing(one, found)
    how = "" if drawn is None else f'<span class="stamp">{drawn.layout.title}</span>'
    st.html(f'<div class="model"><span>({one.letter}) {PANELS[one.letter]}</span>{how}</div>')
    if drawn is None:
        return
    made, flat = _value(found[one.made_key()]).panel, one.layout.dimensions == 2
    legend = "  ".join(
        f'<span style="color:{group.colour}">{mark}</span> {group.label}'
        for group, mark in zip(groups(made), "●▲" if flat else "●■", strict=True)
    )
    st.html(f'<div class="chart-title">{legend}, {len(made.first.names)} points each, {made.space}</div>')
    figure = _figure(
        f"{one.key} {drawn.layout}", HEIGHTS[one.alone], drawn, groups(made), (made.first.names, made.second.names)
    )
    event = st.plotly_chart(
        figure, key=one.key, config=CHART, on_select="rerun" if flat else "ignore",
        selection_mode=("box", "lasso"),
    )  # fmt: skip
    if not flat:
        st.caption("Turn it with the mouse. Selecting points needs two dimensions.")
        return
    picked = sorted({int(point["customdata"][1]) for point in event["selection"]["points"] if point.get("customdata")})
    if picked:
        _selection(one, made.first, made.second, np.array(picked), names)
    elif one.alone:
        st.caption("Point at a mark to see its image; draw a box or a lasso to see all images in it.")
    if one.alone:
        st.download_button(
            "Coordinates", _table(drawn, made.first, made.second), f"{one.letter}-{drawn.layout.method}.csv",
            "text/csv", icon=":material/download:", on_click="ignore",
        )  # fmt: skip


def _selection(one: Map, first: Points, second: Points, picked: np.ndarray, names: tuple[str, str]) -> None:
    """Images of the selected points, and the way to the Worst noise screen with their noise."""
    split = len(first.names)
    for cloud, rows_ in ((first, picked[picked < split]), (second, picked[picked >= split] - split)):
        if not len(rows_):
            continue
        some = rows_[:96]
        more = f", the first {len(some)}" if len(some) < len(rows_) else ""
        st.html(
            f'<div class="chart-title">{cloud.label}: {len(rows_)} selected{more}</div>'
            f'<div class="board"><img alt="{len(some)} selected images of {cloud.label}" '
            f'src="{board.data_uri(grid(cloud.images[some], 16, scale=2))}"></div>'
        )
        if cloud.seed is not None and one.gans[0].recipe.latent == one.gans[1].recipe.latent:
            st.page_link(
                language.WORST_NOISE,
                label=f"Their noise on the Worst noise screen ({min(len(rows_), MAX_ROWS)} samples)",
                icon=":material/explore:",
                query_params={
                    "a": names[0], "b": names[1], "seed": str(cloud.seed), "eps": f"{one.choice.radius:g}",
                    "lam": f"{one.choice.price:g}",
                    "rows": " ".join(map(str, rows_[:MAX_ROWS])),
                },
            )  # fmt: skip


def _table(embedding: Embedding, first: Points, second: Points) -> bytes:
    table = rows(embedding, (first.names, second.names))
    text = io.StringIO()
    writer = csv.DictWriter(text, list(table[0]))
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue().encode()


def _progress(found: Found) -> None:
    waiting = [(key, task) for key, task in found.items() if not task.done]
    if waiting:
        (what, *_), task = waiting[0]
        words = {"panel": "making the clouds", "findings": "testing"}.get(what, "drawing")
        done = len(found) - len(waiting) + task.share
        st.progress(min(done / len(found), 1.0), f"{words}, {len(found) - len(waiting) + 1} of {len(found)}")


def _value(task: Task[Any]) -> Any:
    """The task's result. One that was given up is begun again; one that failed is when it is next wanted."""
    try:
        return task.value()
    except GivenUpError:
        st.rerun()
    except RganError:
        tasks().forget_failed()
        raise


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
