"""A run on the screen: its state and buttons, its pictures, its curves."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import streamlit as st
from state import jobs

from parts import language
from parts.plan_form import TWIN, duration
from rgan.errors import RganError
from rgan.figures import Curve, curves
from rgan.runs import PICTURES, Record

PROBLEM = "train_problem"
WORDS = {
    "queued": "waiting for its turn",
    "running": "training",
    "paused": "paused: the queue waits with it",
    "stopped": "stopped, can be resumed",
    "interrupted": "interrupted: its process ended; resume continues where it was kept last",
    "failed": "failed",
    "finished": "finished",
}
CHARTS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    ("Losses", (("generator", "generator", "solid"), ("critic", "critic", "dot"))),
    ("Worst minus original", (("worst_gap", "generator's loss", "solid"),)),
    ("Critic scores", (("real", "on real", "solid"), ("fake", "on generated", "dot"))),
)
DASHES = {"solid": "━", "dot": "┅"}


def do(action: Callable[[str], None], name: str) -> None:
    """A button's action; what goes wrong is said on the screen by `problem`."""
    try:
        action(name)
    except RganError as error:
        st.session_state[PROBLEM] = str(error)


def problem() -> None:
    """Say what the last button could not do, once."""
    if said := st.session_state.pop(PROBLEM, ""):
        st.error(said)


def side_of(record: Record) -> str:
    """Baselines wear A's colour everywhere, robust models B's."""
    return "B" if record.plan.recipe.robust else "A"


def header(record: Record) -> None:
    """Name, progress, state in words and the buttons that fit it."""
    plan = record.plan
    st.html(language.model_title(side_of(record), record.name, plan.recipe.title))
    st.progress(min(record.iteration / plan.iterations, 1.0))
    facts = [WORDS[record.state], f"iteration {record.iteration:,} of {plan.iterations:,}"]
    if record.left is not None:
        facts.append(f"{duration(record.left)} left")
    elif record.seconds:
        facts.append(f"{duration(record.seconds)} of training")
    st.html(f'<p class="run-state" data-state="{record.state}">{" · ".join(facts)}</p>')
    if record.message:
        (st.error if record.state == "failed" else st.warning)(record.message)
    buttons(record)


def buttons(record: Record) -> None:
    """Pause, resume, stop, open, remove: those that make sense now."""
    name = record.name
    with st.container(horizontal=True, vertical_alignment="center"):
        if record.state == "running":
            st.button("Pause", key=f"pause:{name}", on_click=do, args=(jobs().pause, name), icon=":material/pause:")
        if record.state in ("paused", "stopped", "interrupted", "failed"):
            st.button(
                "Resume", key=f"resume:{name}", on_click=do, args=(jobs().resume, name), icon=":material/play_arrow:"
            )
        if record.state in ("running", "paused", "queued"):
            st.button("Stop", key=f"stop:{name}", on_click=do, args=(jobs().stop, name), icon=":material/stop:",
                      help="Keeps a checkpoint; the next run starts. It can be resumed.")  # fmt: skip
        else:
            with st.popover("Remove", icon=":material/delete:"):
                st.write(f"Delete {name} with its checkpoint, pictures and curves? This cannot be undone.")
                st.button("Delete for good", key=f"remove:{name}", on_click=do, args=(jobs().remove, name))
        if record.checkpoint is not None:
            base = name.removesuffix(TWIN)
            twin = base + TWIN
            has = {
                one: (record.checkpoint.parent.parent / one / record.checkpoint.name).exists() for one in (base, twin)
            }
            query = {"a": f"runs/{base if has[base] else name}", "b": f"runs/{twin if has[twin] else name}"}
            st.page_link(language.WORST_NOISE, label="Find its worst noise", query_params=query,
                         icon=":material/explore:")  # fmt: skip


def picture(record: Record, moment: int) -> None:
    """What the generator drew at `moment` (0 to PICTURES, spaced as the pictures are), or last before it."""
    if not record.images:
        st.caption("The first picture comes with the first iterations.")
        return
    until = _until(record.plan.iterations, moment)
    at, path = next((one for one in reversed(record.images) if one[0] <= until), record.images[0])
    source = _data_uri(str(path), path.stat().st_mtime_ns)
    st.html(
        f'<div class="board {side_of(record)}"><figure><figcaption><span>images from the same noise</span>'
        f'<span class="value">iteration {at:,}</span></figcaption>'
        f'<img class="drawn" alt="{record.name}: images at iteration {at}" src="{source}">'
        "</figure></div>"
    )


@st.cache_data(max_entries=512, show_spinner=False)
def _data_uri(path: str, changed: int) -> str:
    return "data:image/png;base64," + base64.b64encode(Path(path).read_bytes()).decode()


def scrubber(record: Record) -> int:
    """A moment of the training from 0 to PICTURES; the right end follows the latest picture."""
    last = record.plan.iterations

    def words(moment: int) -> str:
        return "latest" if moment == PICTURES else f"iteration {_until(last, moment):,}"

    return int(
        st.select_slider(
            "Moment of the training",
            range(PICTURES + 1),
            PICTURES,
            format_func=words,
            key=f"moment:{last}",
            help="Early pictures lie closer together. Arrow keys step through them; the right end is live.",
        )
    )


def _until(iterations: int, moment: int) -> int:
    return round(iterations * (moment / PICTURES) ** 2)


def charts(records: list[Record]) -> None:
    """The curves of one run, or of a pair in one picture; those that have points."""
    state = tuple(
        (record.name, side_of(record), record.history[-1]["iteration"]) for record in records if record.history
    )
    histories = {record.name: record.history for record in records}
    figures = {title: figure for title, _ in CHARTS if (figure := _chart(title, state, histories)) is not None}
    if figures:
        for column, (title, figure) in zip(st.columns(len(figures), gap="medium"), figures.items(), strict=True):
            lines = ", ".join(f"{DASHES[dash]} {words}" for _, words, dash in dict(CHARTS)[title])
            column.html(f'<div class="chart-title"><b>{title}</b><br>{lines}</div>')
            column.plotly_chart(figure, key=f"chart:{title}", config={"displayModeBar": False})


@st.cache_data(max_entries=32, show_spinner=False)
def _chart(title: str, state: tuple[tuple[str, str, float], ...], _histories: dict[str, tuple[dict[str, float], ...]]):
    """The figure of one chart, rebuilt only when a history has grown; None without a point to draw."""
    series = dict(CHARTS)[title]
    lines = []
    for name, side, _ in state:
        who = {"A": "baseline", "B": "robust"}[side]
        for key, words, dash in series:
            rows = [row for row in _histories[name] if key in row]
            if rows:
                lines.append(
                    Curve(
                        f"{who}: {words}", [row["iteration"] for row in rows], [row[key] for row in rows],
                        language.COLOURS[side], dash,
                    )
                )  # fmt: skip
    return curves(lines) if lines else None


def others(records: dict[str, Record]) -> str:
    """One line on what trains and what waits."""
    said = []
    for words, states in (("In training", ("running", "paused")), ("Waiting", ("queued",))):
        if names := [name for name, record in records.items() if record.state in states]:
            said.append(f"{words}: {', '.join(names)}")
    return ". ".join(said)
