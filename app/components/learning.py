"""How a run learns: the pictures of the same noise over time, and its curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from markupsafe import Markup
from screens.train.run_view import side_of
from session.chosen import Slot
from session.paths import answers
from theme.html import part
from theme.language import model_title
from theme.language import title as titled

from rgan.common.formatting import duration
from rgan.models.gan import Gan
from rgan.report.charts.basic import COLOURS, Line, curves
from rgan.report.parts import Picture
from rgan.training.learned import Learned, question
from rgan.training.runs import Record, moments

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

CHARTS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    ("Losses", (("generator", "generator", "solid"), ("critic", "critic", "dot"))),
    ("Worst minus original", (("worst_gap", "generator's loss", "solid"),)),
    ("Critic scores", (("real", "on real", "solid"), ("fake", "on generated", "dot"))),
    ("Further terms", (("beside_generator", "the generator's", "solid"), ("beside_critic", "the critic's", "dot"))),
    ("Balance", (("k", "k", "solid"), ("convergence", "convergence M", "dot"))),
    ("Classifier score", (("score", "of 500 images, by a judge", "solid"),)),
)
DASHES = {"solid": "━", "dot": "┅"}
History = tuple[dict[str, float], ...]


def shipped_pair(gans: Mapping[str, Gan]) -> bool:
    """How a pair that comes with the app learned, by name, the baseline first; False where nobody kept it."""
    found = {name: answers().result(Learned, question(gan)) for name, gan in gans.items()}
    known = {name: one for name, one in found.items() if one is not None}
    if len(known) < len(found):
        return False
    first = next(iter(known.values()))
    moment = st.select_slider(
        "Moment of the training",
        range(len(first.iterations)),
        len(first.iterations) - 1,
        format_func=lambda at: f"iteration {first.iterations[at]:,}",
        key="moment:shipped",
        help="Early pictures lie closer together. Arrow keys step through them.",
    )
    for (name, one), side, column in zip(known.items(), "AB", st.columns(len(known), gap="medium"), strict=True):
        at = one.iterations[moment]
        drawn = Picture(
            one.pictures[moment].tobytes(), f"{name}: images at iteration {at}", "images from the same noise", "webp"
        )
        column.html(
            model_title(side, name, f"{duration(one.seconds)} of training")
            + part("board.html", "shown", f"drawn {side}", f"iteration {at:,}", drawn)
        )
    charts([(name, side, one.history) for (name, one), side in zip(known.items(), "AB", strict=True)])
    return True


def picture(record: Record, until: int) -> None:
    """What the generator drew at the iteration `until`, or last before it."""
    if not record.images:
        st.caption("The first picture comes with the first iterations.")
        return
    at, path = next((one for one in reversed(record.images) if one[0] <= until), record.images[0])
    drawn = Picture(
        _file(str(path), path.stat().st_mtime_ns),
        f"{record.name}: images at iteration {at}",
        "images from the same noise",
    )
    st.html(part("board.html", "shown", f"drawn {side_of(record)}", f"iteration {at:,}", drawn))


@st.cache_data(max_entries=512, show_spinner=False)
def _file(path: str, changed: int) -> bytes:
    return Path(path).read_bytes()


def scrubber(records: Sequence[Record]) -> int:
    """An iteration of the trainings, spaced as their pictures are; the right end follows the latest.

    What no training has reached is passed over: from the right end to the last picture, from there to the right end.
    """
    last = records[0].plan.iterations
    known = moments(last)
    place, before = Slot(f"moment:{last}", last), Slot(f"moment-before:{last}", last)

    def moved() -> None:
        reached = max(one for one in known if one <= max(record.iteration for record in records))
        if reached < place.get() < last:
            place.set(reached if before.get() == last else last)
        before.set(place.get())

    return int(
        st.select_slider(
            "Moment of the training",
            known,
            last,
            format_func=lambda at: "latest" if at == last else f"iteration {at:,}",
            key=place.key,
            on_change=moved,
            help="Early pictures lie closer together. Arrow keys step through them; the right end is live.",
        )
    )


def charts(learnt: Sequence[tuple[str, str, History]]) -> None:
    """The curves of one model, or of a pair in one picture: name, side and history of each; those that have points."""
    state = tuple((name, side, history[-1]["iteration"]) for name, side, history in learnt if history)
    histories = {name: history for name, _, history in learnt}
    figures = {title: figure for title, _ in CHARTS if (figure := _chart(title, state, histories)) is not None}
    items = list(figures.items())
    for row in (items[at : at + 2] for at in range(0, len(items), 2)):
        for column, (title, figure) in zip(st.columns(2, gap="medium"), row, strict=False):
            lines = ", ".join(f"{DASHES[dash]} {words}" for _, words, dash in dict(CHARTS)[title])
            column.html(titled(Markup("<b>{}</b><br>{}").format(title, lines)))
            column.plotly_chart(
                figure,
                key=f"chart:{title}",
                config={"displayModeBar": False},
                alt=f"{title} against iterations of {' and '.join(histories)}",
            )


@st.cache_data(max_entries=32, show_spinner=False)
def _chart(title: str, state: tuple[tuple[str, str, float], ...], _histories: dict[str, History]) -> Figure | None:
    """The figure of one chart, rebuilt only when a history has grown; None without a point to draw."""
    series = dict(CHARTS)[title]
    lines = []
    for name, side, _ in state:
        who = {"A": "baseline", "B": "robust"}[side]
        for key, words, dash in series:
            rows = [row for row in _histories[name] if key in row]
            if rows:
                lines.append(
                    Line(
                        f"{who}: {words}", [row["iteration"] for row in rows], [row[key] for row in rows],
                        COLOURS[side], dash,
                    )
                )  # fmt: skip
    return curves(lines) if lines else None
