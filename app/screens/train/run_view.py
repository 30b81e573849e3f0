"""A run on the screen: its state in words, and the buttons that fit it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from components.progress import bar
from markupsafe import Markup
from session import chosen, visitors
from session.chosen import Slot
from session.state import TRAINED, jobs, models
from session.table import RUN, query
from session.twins import at_hand
from theme import language

from rgan.common.errors import RganError
from rgan.common.formatting import duration
from rgan.training.jobs import ENDING
from rgan.training.runs import Record

PROBLEM = Slot("train_problem", "")
WORDS = {
    "queued": "waiting for its turn",
    "running": "training",
    "paused": "paused: the queue waits with it",
    "stopped": "stopped, can be resumed",
    "interrupted": "interrupted: its process ended; resume continues where it was kept last",
    "failed": "failed",
    "finished": "finished",
}


def do(action: Callable[[str], None], name: str) -> None:
    """A button's action; what goes wrong is said on the screen by `problem`."""
    try:
        action(name)
    except RganError as error:
        PROBLEM.set(str(error))


def problem() -> None:
    """Say what the last button could not do, once."""
    if said := PROBLEM.pop():
        st.error(language.plain(said))


def side_of(record: Record) -> str:
    """Baselines wear A's colour everywhere, robust models B's."""
    return "B" if record.plan.recipe.robust else "A"


def state_of(record: Record) -> str:
    """State, how far it is, and how long: "training · iteration 300 of 2,000 · 12 min left"."""
    facts = [record.doing or WORDS[record.state], f"iteration {record.iteration:,} of {record.plan.iterations:,}"]
    if record.left is not None and not record.doing:
        facts.append(f"{duration(record.left)} left")
    elif record.seconds:
        facts.append(f"{duration(record.seconds)} of training")
    return " · ".join(facts)


def header(record: Record) -> None:
    """Name, progress, state in words and the buttons that fit it."""
    plan = record.plan
    st.html(language.model_title(side_of(record), record.name, plan.recipe.title))
    bar(record.iteration / plan.iterations)
    st.html(Markup('<p class="run-state" data-state="{}">{}</p>').format(record.state, state_of(record)))
    if record.message:
        (st.error if record.state == "failed" else st.warning)(language.plain(record.message))
    for note in record.notes:
        st.caption(language.plain(f"{record.plan.data}: {note}"))
    buttons(record)


def remove(name: str) -> None:
    """Delete a run; where it was the chosen one, another is shown instead."""
    jobs().remove(name)
    if chosen.current(RUN) == name:
        chosen.put(RUN, "")


def buttons(record: Record) -> None:
    """Pause, resume, stop, open, remove: those that make sense now. Only the operator may do what cannot be undone."""
    name = record.name
    with st.container(horizontal=True, vertical_alignment="center"):
        if record.state == "running":
            st.button("Pause", key=f"pause:{name}", on_click=do, args=(jobs().pause, name), icon=":material/pause:",
                      disabled=record.doing in ENDING.values())  # fmt: skip
        if record.state in ("paused", "stopped", "interrupted", "failed"):
            st.button(
                "Resume", key=f"resume:{name}", on_click=do, args=(jobs().resume, name), icon=":material/play_arrow:"
            )
        if record.state in ("running", "paused", "queued"):
            st.button("Stop", key=f"stop:{name}", on_click=do, args=(jobs().stop, name), icon=":material/stop:",
                      disabled=record.doing == ENDING["stop"],
                      help="Keeps a checkpoint; the next run starts. It can be resumed.")  # fmt: skip
        elif visitors.is_operator():
            with st.popover("Remove", icon=":material/delete:"):
                st.write(
                    f"Delete {language.plain(name)} with its checkpoint, pictures and curves? This cannot be undone."
                )
                st.button("Delete for good", key=f"remove:{name}", on_click=do, args=(remove, name))
        if record.checkpoint is not None:
            a, b = at_hand(TRAINED + name, models())
            st.page_link(language.WORST_NOISE, label="Find its worst noise", query_params=query(a=a, b=b),
                         icon=":material/explore:")  # fmt: skip
