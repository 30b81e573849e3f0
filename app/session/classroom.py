"""A server that is open to a class: RGAN_CLASSROOM=1, which `rgan app --classroom` sets. Who opens it from elsewhere
explores, and can neither train, upload, delete nor exhaust it; whoever sits at the server's machine can do all.
"""

from __future__ import annotations

import dataclasses
import os
import threading
import uuid
from typing import Any, TypeVar

import streamlit as st
from session import table, visitors
from session.control import Control, OneOf

T = TypeVar("T")
SEATS = 60  # visitors at a time
CLOSED = {
    "Train": "Training is up to whoever opened this class, at the server's own machine.",
}  # screens by their titles, and why
OFFERED: dict[str, tuple[Any, ...]] = {
    table.SAMPLES.key: (16, 32, 64),
    table.POOL.key: (256, 512, 1024),
    table.BUDGET.key: ("live", "standard"),
}  # of what costs much, by the control's key


class Seats:
    """Who is there, at most `count` at a time."""

    def __init__(self, count: int):
        self.count = count
        self._lock = threading.Lock()
        self._taken: set[str] = set()

    def take(self, who: str) -> bool:
        """Whether there is a seat for them, or they have one."""
        with self._lock:
            if who not in self._taken and len(self._taken) >= self.count:
                return False
            self._taken.add(who)
            return True

    def leave(self, who: str) -> None:
        """They have left."""
        with self._lock:
            self._taken.discard(who)


@st.cache_resource(show_spinner=False)
def _seats() -> Seats:
    return Seats(SEATS)


@st.cache_resource(scope="session", on_release=lambda who: _seats().leave(who), show_spinner=False)
def _who() -> str:
    return uuid.uuid4().hex


def visiting() -> bool:
    """Whether this is somebody's visit to a class."""
    return os.environ.get("RGAN_CLASSROOM") == "1" and not visitors.is_operator()


def enter() -> None:
    """Once a run: take a seat, or say that there is none and end the run."""
    if visiting() and not _seats().take(_who()):
        st.title("RGAN Lab", anchor=False)
        st.info(
            f"This class has {SEATS} seats and all are taken. One becomes free when somebody closes the page: open it "
            "again in a minute.",
            icon=":material/hourglass_top:",
        )
        st.stop()


def closed(title: str) -> str:
    """Why the screen of this title is not for this visitor; empty where it is."""
    return CLOSED.get(title, "") if visiting() else ""


def narrowed(control: Control[T]) -> Control[T]:
    """The control with what this visitor may ask for."""
    if not isinstance(control, OneOf) or control.key not in OFFERED or not visiting():
        return control
    options = tuple(one for one in control.options if one in OFFERED[control.key])
    default = control.default if control.default in options else options[-1]
    return dataclasses.replace(
        control, options=options, default=default, help=f"{control.help} In this class up to {options[-1]}."
    )


def most_rows(usual: int) -> int:
    """How many samples may be named one by one."""
    return min(usual, max(OFFERED[table.SAMPLES.key])) if visiting() else usual
